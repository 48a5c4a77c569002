"""One recorded day over each broker's own protocol and on paper: the same entry, the same stop, the same exit."""

import asyncio
import sys
from decimal import Decimal
from pathlib import Path

from algo_local.demo.flow import run_demo
from algo_local.demo.options import BROKERS, DemoOptions
from algo_local.demo.services import Json
from cluster_stage import Silent, System

DAY = "2021-04-12"
PRICES = ("1944.15", "1924.75", "1923.50")
"""Entry, stop and exit of RELIANCE on that day with a stop of 1 %."""
BOUND_S = 400
"""For all five; each begins a gateway and a runner."""


async def over(system: System, broker: str, ticks: Path | None) -> Json:
    """The main job over one protocol, in a world and a tenant of its own."""
    options = DemoOptions(
        broker=broker,
        symbol="RELIANCE",
        quantity=10,
        buy_time="09:20:00",
        sell_time="15:05:00",
        stop_percent=Decimal(1),
        ticks=ticks,
    )
    return await run_demo(system.kubectl, system.endpoints, options, Silent())


async def test_entry_stop_and_exit_are_equal_at_all_five(system: System, recorded_ticks: Path | None) -> None:
    if recorded_ticks is None:
        sys.stderr.write("\nno recorded ticks here: the five brokers trade the synthetic session\n")
    day = recorded_ticks / DAY if recorded_ticks else None
    async with asyncio.timeout(BOUND_S), asyncio.TaskGroup() as group:
        runs = {broker: group.create_task(over(system, broker, day)) for broker in BROKERS}
    results = {broker: task.result() for broker, task in runs.items()}
    prices = {b: (r["entry_price"], r["stop_price"], r["exit_price"]) for b, r in results.items()}
    assert len(set(prices.values())) == 1, prices
    if day is not None:
        assert prices["zerodha"] == PRICES
    for broker, result in results.items():
        assert result["broker"] == broker
        assert (result["phase"], result["exit_reason"]) == ("Sold", "stop"), result
        assert result["unprotected_session_seconds"] == 0, result
        assert result["barrier_timeouts"] == 0, result
