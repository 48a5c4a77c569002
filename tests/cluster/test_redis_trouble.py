"""Redis gone with a position open: the exit at its time happens all the same, and what was lost is rebuilt."""

import asyncio

import pytest
from algo_local.demo.endpoints import SYSTEM_NAMESPACE, run
from cluster_stage import House, Strategy, System, assert_sound, bought, eventually, net_position

pytestmark = pytest.mark.alone
SELL_TIME = "09:45:00"
AWAY_S = 60
"""Wall time without Redis."""
SLOW = 5
"""Session seconds a second: a wall minute ends long before the exit's time."""


async def held(house: House) -> Strategy:
    """A protected position in a market that moves slowly; wide stop, early exit."""
    strategy = await house.strategy(speed=20, sell_time=SELL_TIME, stop_percent=None, stop_points=100)
    await strategy.start_market()
    await strategy.protected()
    return strategy


async def test_redis_emptied_with_a_position(house: House, system: System) -> None:
    strategy = await held(house)
    pod = "pod/algo-redis-0"
    await run(
        system.kubectl,
        *("-n", SYSTEM_NAMESPACE, "exec", pod, "--", "sh", "-c"),
        'redis-cli --user operator --pass "$OPERATOR_PASSWORD" --no-auth-warning FLUSHALL',
    )
    await strategy.start_market(speed=0)
    seen = await strategy.final(seconds=240)
    assert seen["exit_reason"] == "time"
    book = await strategy.book()
    assert net_position(book) == 0
    assert bought(book) == 10


async def test_redis_away_with_a_position(house: House, system: System) -> None:
    strategy = await held(house)
    await strategy.start_market(speed=SLOW)
    await run(system.kubectl, "-n", SYSTEM_NAMESPACE, "scale", "statefulset/algo-redis", "--replicas=0")
    try:
        await asyncio.sleep(AWAY_S)
        book = await strategy.book()
        assert net_position(book) == 10, book
        assert_sound(book, 10)
        await strategy.start_market(speed=0)

        async def flat() -> int:
            return net_position(await strategy.book())

        await eventually(flat, lambda quantity: quantity == 0, "the exit without Redis", seconds=240)
    finally:
        await run(system.kubectl, "-n", SYSTEM_NAMESPACE, "scale", "statefulset/algo-redis", "--replicas=1")
        await run(
            system.kubectl,
            *("-n", SYSTEM_NAMESPACE, "rollout", "status", "statefulset/algo-redis", "--timeout=120s"),
        )
    seen = await strategy.final(seconds=120)
    assert seen["phase"] == "Sold"
    assert bought(await strategy.book()) == 10
