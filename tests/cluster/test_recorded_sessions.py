"""Recorded sessions through the whole platform: the same orders at any speed, and a feed that fails trades nothing."""

import asyncio
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from algo_local.demo.flow import Progress, run_demo
from algo_local.demo.options import DemoOptions
from algo_local.demo.screen import exchange_time
from algo_local.demo.services import Json
from cluster_stage import Silent, System

PRICED = ("leg", "side", "type", "price", "trigger", "quantity", "filled", "average_price", "status")


async def session(system: System, ticks: Path | None, day: str, symbol: str, speed: float = 0, **more: Any) -> Json:
    """One strategy over a recorded day, or over the synthetic session where there are no ticks."""
    progress: Progress = Silent()
    options = DemoOptions(
        symbol=symbol,
        quantity=10,
        buy_time="09:20:00",
        sell_time="15:05:00",
        stop_percent=Decimal(1),
        ticks=ticks / day if ticks else None,
        speed=speed,
        **more,
    )
    return await run_demo(system.kubectl, system.endpoints, options, progress)


def priced(result: Json) -> list[tuple[Any, ...]]:
    """What must be equal at every speed: orders with prices, fills and their session time."""
    return [(*(order[key] for key in PRICED), order["time"]) for order in result["orders"]]


def changes(result: Json, name: str) -> list[tuple[str, str]]:
    """New values of a condition or the phase, with exchange time."""
    return [(exchange_time(c["time"]), c["to"]) for c in result["transitions"] if c["name"] == name]


@pytest.mark.parametrize(("symbol", "minute"), [("RELIANCE", "10:58"), ("TCS", "09:33")])
async def test_stop_is_hit_with_equal_orders_at_speed_60_and_0(
    system: System, recorded_ticks: Path | None, symbol: str, minute: str
) -> None:
    if recorded_ticks is None:
        sys.stderr.write("\nno recorded ticks here: the synthetic session stands in\n")
    day = "2021-04-12"
    slow, fast = await asyncio.gather(
        session(system, recorded_ticks, day, symbol, speed=60), session(system, recorded_ticks, day, symbol)
    )
    assert priced(slow) == priced(fast)
    for result in (slow, fast):
        assert (result["phase"], result["exit_reason"]) == ("Sold", "stop")
        (sold,) = [time for time, phase in changes(result, "phase") if phase == "Sold"]
        assert recorded_ticks is None or sold.startswith(minute)
        assert result["barrier_timeouts"] == 0
        assert result["unprotected_session_seconds"] == 0


@pytest.mark.data
async def test_a_hole_in_the_feed_is_said_and_trades_nothing(system: System, ticks: Path) -> None:
    result = await session(system, ticks, "2021-05-14", "RELIANCE")
    fresh = changes(result, "FeedFresh")
    lost = fresh.index(("10:42:26", "False"))
    assert fresh[lost + 1][1] == "True"
    assert fresh[lost + 1][0] == "10:47:49"
    protected = changes(result, "Protected")
    assert [value for time, value in protected if time < "15:00:00"][-1] == "True"
    assert len([value for time, value in protected if "10:00:00" < time < "15:00:00"]) == 0
    hole = [order for order in result["orders"] if "10:42:16" <= exchange_time(order["time"]) <= "10:47:49"]
    assert hole == []
    assert (result["phase"], result["exit_reason"]) == ("Sold", "time")
