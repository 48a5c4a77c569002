"""Copies of prices in a real Redis: every tick once and in order on one channel, each symbol's newest beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from algo_crds.contracts import keys
from algo_crds.contracts.copies import TickBatch, TickCopy, decode_batch
from algo_gateway import price_copies
from algo_gateway.price_copies import PriceCopies
from algo_gateway.publish import connect
from gateway_processes import RedisServer
from redis import Redis

pytestmark = pytest.mark.redis


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.02)


@pytest.fixture
async def copies(redis: RedisServer) -> AsyncIterator[PriceCopies]:
    """Copies that are being written."""
    found = PriceCopies(connect(redis.url, "", None), "src_1")
    writing = asyncio.create_task(found.run())
    yield found
    writing.cancel()


def batches(listener: Any) -> list[TickBatch]:
    """Everything that has come on the channel by now."""
    found = []
    while (message := listener.get_message(timeout=0.3)) is not None:
        if message["type"] == "message":
            found.append(decode_batch(message["data"]))
    return found


async def test_every_tick_comes_once_and_in_order(redis: RedisServer, copies: PriceCopies) -> None:
    reader: Any = Redis.from_url(redis.url)
    listener = reader.pubsub()
    listener.subscribe(keys.ticks("src_1"))
    listener.get_message(timeout=5)
    for number in range(400):
        copies.tick(("NSE", f"S{number % 120}"), 1_000_000 + number * 100, number * 1000, number)
        if number % 50 == 0:
            await asyncio.sleep(0.03)
    await until(lambda: reader.hget(keys.last_prices("src_1"), "NSE:S39") == b"103.99")
    found = batches(listener)
    assert [one.seq for one in found] == list(range(1, len(found) + 1))
    assert len(found) > 1
    ticks = [tick for one in found for tick in one.ticks]
    assert ticks == [TickCopy("NSE", f"S{n % 120}", 1_000_000 + n * 100, n * 1000, n) for n in range(400)]
    await until(lambda: reader.hlen(keys.last_prices("src_1")) == 120)
    assert reader.hget(keys.last_prices("src_1"), "NSE:S100") == b"103.40"
    assert copies.dropped == 0


async def test_a_symbol_has_a_channel_of_its_own(redis: RedisServer, copies: PriceCopies) -> None:
    reader: Any = Redis.from_url(redis.url)
    listener = reader.pubsub()
    listener.subscribe(keys.tick("src_1", "NSE", "TCS"))
    listener.get_message(timeout=5)
    for price in (31_000_000, 31_000_500):
        copies.tick(("NSE", "TCS"), price, 7000, 1)
    await until(lambda: reader.hexists(keys.last_prices("src_1"), "NSE:TCS"))
    message = listener.get_message(timeout=5)
    assert message["data"] == b'{"price":"3100.05","time":7000}'


async def test_while_redis_is_away_ticks_are_lost_and_counted_and_the_newest_prices_wait(
    redis: RedisServer, copies: PriceCopies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_copies, "_MAX_WAITING", 3)
    redis.stop()
    for number in range(5):
        copies.tick(("NSE", "TCS"), 31_000_000 + number * 500, 7000, 1)
    assert copies.dropped == 2, "no more than so many wait"
    await until(lambda: copies.dropped == 5)
    await asyncio.sleep(price_copies.NEWEST_S * 2)
    redis.start()
    reader: Any = Redis.from_url(redis.url)
    await until(lambda: reader.hget(keys.last_prices("src_1"), "NSE:TCS") == b"3100.20")


async def test_without_redis_nothing_is_kept() -> None:
    copies = PriceCopies(None, "src_1")
    copies.tick(("NSE", "TCS"), 31_000_000, 7000, 1)
    await copies.run()
    assert copies.dropped == 0
