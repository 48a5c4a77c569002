"""The tenant's limit of a day's loss: two strategies that lose half of it each are both out, far from their stops."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from algo_local.demo.endpoints import run
from cluster_stage import House, assert_flat

LIMIT = 155
"""Rupees. On this morning ten shares lose half of it at 09:31 and all of it at 10:19; their stop is hit at 10:58."""


@pytest.mark.data
async def test_the_sum_of_two_losses_halts_both(house: House, ticks: Path) -> None:
    strategies = [await house.strategy(ticks=ticks / "2021-04-12", speed=60) for _ in range(2)]
    kubectl, tenant = strategies[0].system.kubectl, strategies[0].namespace.removeprefix("algo-")
    limit = json.dumps({"spec": {"risk": {"maxLossPerDay": LIMIT}}})
    await run(kubectl, "patch", "tenant", tenant, "--type=merge", "-p", limit)
    for strategy in strategies:
        await strategy.start_market()
    seen = [await strategy.final() for strategy in strategies]
    for strategy, told in zip(strategies, seen, strict=True):
        assert (told["phase"], told["exit_reason"]) == ("Stopped", "kill"), told
        assert Decimal(told["pnl"]) > -LIMIT, "alone it was within the limit"
        await assert_flat(strategy)
    events = json.loads(await run(kubectl, "-n", strategies[0].namespace, "get", "events", "-o", "json"))["items"]
    assert {event["involvedObject"]["name"] for event in events if event["reason"] == "DayLossLimit"} == {
        strategy.name for strategy in strategies
    }
