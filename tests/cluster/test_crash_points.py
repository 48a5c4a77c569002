"""Kills between every two steps of an order's life: whoever comes back finds the truth in the broker's book.

One strategy a point, each in a world of its own; the process is stopped at the point, killed from the machine, and the
market goes on only afterwards. What counts is the simulator's book: nothing twice, nothing without its stop.
"""

import asyncio
from datetime import UTC, datetime

import pytest
from algo_gateway.crash_points import POINTS as GATEWAY_POINTS
from algo_runner.crash_points import POINTS as RUNNER_POINTS
from algo_runner.crash_points import PREFIX as RUNNER
from cluster_stage import House, Strategy, System, assert_sound, eventually, net_position, orders_of


async def arm(strategy: Strategy, prefix: str, point: str) -> str:
    """Arm a crash point; the path of the marker that says it was reached."""
    folder = await strategy.crash_folder(prefix)
    done = strategy.system.cluster.node_exec(["touch", f"{folder}/{point}"])
    assert done.returncode == 0, done.stderr
    return f"{folder}/{point}.reached"


async def reached(strategy: Strategy, marker: str) -> None:
    """Wait for the process to stand at its point."""

    async def look() -> bool:
        return strategy.system.cluster.node_exec(["test", "-e", marker]).returncode == 0

    await eventually(look, bool, f"{marker}", seconds=120)


async def crash_and_return(house: House, prefix: str, point: str) -> None:
    """The whole story of one kill."""
    # An exit of our own making: the stop is far away and the time is near.
    strategy = await house.strategy(sell_time="09:45:00", stop_percent=None, stop_points=100)
    marker = await arm(strategy, prefix, point)
    await strategy.start_market()
    await reached(strategy, marker)
    await strategy.kill(prefix)
    seen = await strategy.final(seconds=240)
    book = await strategy.book()
    assert_sound(book, 10)
    assert net_position(book) == 0
    assert seen["unprotected_session_seconds"] == 0, "whoever came back protected what was held before the market moved"
    assert seen["phase"] in ("Sold", "Waiting"), seen
    tags = [order["tag"] for order in orders_of(book) if order["tag"]]
    assert len(tags) == len(set(tags))


@pytest.mark.parametrize("point", RUNNER_POINTS)
async def test_runner_killed_at(house: House, point: str) -> None:
    await crash_and_return(house, "run", f"{RUNNER}{point}")


@pytest.mark.parametrize("point", GATEWAY_POINTS)
async def test_gateway_killed_at(house: House, point: str) -> None:
    await crash_and_return(house, "gw", point)


async def test_position_is_never_naked_while_the_runner_is_dead(house: House, system: System) -> None:
    """The stop rests at the exchange: a killed runner leaves the position guarded at every look."""
    strategy = await house.strategy(speed=30)
    await strategy.start_market()
    await strategy.protected()
    begun = datetime.now(UTC)
    await strategy.kill("run")
    for _ in range(20):
        book = await strategy.book()
        if net_position(book):
            assert_sound(book, 10)
        await asyncio.sleep(0.05)
    assert (datetime.now(UTC) - begun).total_seconds() < 30
    await strategy.start_market(speed=0)
    await strategy.final(seconds=240)
    assert net_position(await strategy.book()) == 0
