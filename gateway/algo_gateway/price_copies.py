"""Copies of prices for people: each symbol's newest, a few times a second, and every tick in batches.

The hot path only notes a price. What is written at once is kept small, so that an order never waits for copies.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Final

import msgspec
from algo_crds.contracts import keys
from algo_crds.contracts.copies import TickBatch, TickCopy, encode_batch
from algo_crds.contracts.money import format_price
from redis.asyncio import Redis
from redis.exceptions import RedisError

log: Final = logging.getLogger("algo_gateway.price_copies")
NEWEST_S: Final = 0.25
BATCH_S: Final = 0.005
"""From a tick to the batch that it goes out in. Never at once: a runner that the tick has just woken is mostly put on
the gateway's own processor, and its order would wait until the copy is written."""
_WRITE_S: Final = 1.0
_SLICE: Final = 200
_NEWEST: Final = """
local last = {}
for _, row in ipairs(cjson.decode(ARGV[1])) do
    last[#last + 1] = row[1]
    last[#last + 1] = row[2]
    redis.call('PUBLISH', row[3], row[4])
end
redis.call('HSET', KEYS[1], unpack(last))
"""
"""Writes symbols' newest prices: one call for many, because a command for each would cost ten times the time here."""
_MAX_WAITING: Final = 50_000
"""Ticks; more than ten thousand a second for as long as a write may take."""


class PriceCopies:
    """Prices that are not written yet."""

    def __init__(self, redis: "Redis | None", source_id: str) -> None:
        self._redis = redis
        self._source = source_id
        self._newest: dict[tuple[str, str], tuple[int, int]] = {}
        self._batch: list[TickCopy] = []
        self._some = asyncio.Event()
        self._seq = 0
        self.dropped = 0
        """Ticks that are in no batch, because Redis was away."""

    def tick(self, key: tuple[str, str], price: int, time: int, volume: int) -> None:
        """A price of a symbol."""
        if self._redis is None:
            return
        self._newest[key] = (price, time)
        batch = self._batch
        if not batch:
            self._some.set()
        if len(batch) < _MAX_WAITING:
            batch.append(TickCopy(key[0], key[1], price, time, volume))
        else:
            self.dropped += 1

    async def run(self) -> None:
        """Write until cancelled."""
        if self._redis is None:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write_batches(self._redis))
            tasks.create_task(self._write_newest(self._redis))

    async def _write_batches(self, redis: "Redis") -> None:
        channel = keys.ticks(self._source)
        while True:
            await self._some.wait()
            await asyncio.sleep(BATCH_S)
            self._some.clear()
            ticks, self._batch = self._batch, []
            self._seq += 1
            if not await _written(redis.publish(channel, encode_batch(TickBatch(self._seq, ticks)))):
                self.dropped += len(ticks)

    async def _write_newest(self, redis: "Redis") -> None:
        while True:
            await asyncio.sleep(NEWEST_S)
            taken, self._newest = self._newest, {}
            waiting = list(taken.items())
            for at in range(0, len(waiting), _SLICE):
                if not await _written(self._write_part(redis, waiting[at : at + _SLICE])):
                    self._newest = dict(waiting[at:]) | self._newest  # what came meanwhile is newer
                    break

    async def _write_part(self, redis: "Redis", part: list[tuple[tuple[str, str], tuple[int, int]]]) -> None:
        rows = []
        for (exchange, symbol), (price, time) in part:
            text = format_price(price)
            channel = keys.tick(self._source, exchange, symbol)
            rows.append((f"{exchange}:{symbol}", text, channel, f'{{"price":"{text}","time":{time}}}'))
        await redis.eval(_NEWEST, 1, keys.last_prices(self._source), msgspec.json.encode(rows))


async def _written(writing: Awaitable[object]) -> bool:
    """Whether Redis took it."""
    try:
        async with asyncio.timeout(_WRITE_S):
            await writing
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("redis: %s", error)
        return False
    return True
