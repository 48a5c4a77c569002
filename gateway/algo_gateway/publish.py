"""Copies for people: the account's state and events go to Redis, and prices (`price_copies.py`). Nothing that trades
reads them.

The hot path only appends to a bounded queue; a task writes it in pipelines. With Redis away the newest of everything is
kept and the rest dropped, counted.
"""

import asyncio
import logging
from collections import deque
from pathlib import Path
from typing import Final

from algo_crds.contracts import keys
from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import RedisError

from algo_gateway.price_copies import PriceCopies

log: Final = logging.getLogger("algo_gateway.publish")
FLUSH_S: Final = 0.25
_WRITE_S: Final = 1.0
_MAX_EVENTS: Final = 1_000
_STREAM_LENGTH: Final = 5_000


def connect(url: str, username: str, password_file: Path | None) -> "Redis | None":
    """A Redis client, or None when the gateway was given no Redis (tests, benchmarks)."""
    if not url:
        return None
    password = password_file.read_text().strip() if password_file is not None else None
    client: Redis = Redis.from_url(
        url, username=username or None, password=password, socket_timeout=2, socket_connect_timeout=2
    )
    return client


def _apart(redis: "Redis | None") -> "Redis | None":
    """A client of the same server with connections of its own: facts never meet one that prices left broken."""
    if redis is None:
        return None
    pool = redis.connection_pool
    return Redis(connection_pool=ConnectionPool(pool.connection_class, **pool.connection_kwargs))


class Publisher:
    """What is to be written, newest first where only the newest counts."""

    def __init__(self, redis: "Redis | None", account_id: str, source_id: str) -> None:
        self._redis = redis
        self._account = account_id
        self._source = source_id
        self.prices = PriceCopies(_apart(redis), source_id)
        self._state: dict[str, str] = {}
        self._told: dict[str, str] = {}
        """Fields as they were written last: they are written again all the same, in case Redis was emptied, but only
        a change is worth a notice."""
        self._events: deque[dict[str, str]] = deque()
        self._writing = asyncio.Lock()
        self._clock = self._clock_written = 0
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Events and ticks that nobody can read, because Redis was away."""
        return self._dropped + self.prices.dropped

    def now(self, now: int) -> None:
        """The source's session time."""
        self._clock = now

    def state(self, **fields: str) -> None:
        """Fields of `account:{id}:state`."""
        self._state |= fields

    def event(self, code: str, message: str, now: int) -> None:
        """Something for `account:{id}:events`."""
        self._events.append({"code": code, "message": message, "time": str(now)})
        self._bound()

    async def read(self, field: str) -> bytes | None:
        """A field of `account:{id}:state` as an earlier process left it; None when Redis does not answer."""
        if self._redis is None:
            return b""
        try:
            found: bytes | None = await self._redis.hget(keys.account_state(self._account), field)  # type: ignore[assignment] # the stub mixes the synchronous client in
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("redis: %s", error)
            return None
        return found or b""

    async def run(self) -> None:
        """Write until cancelled."""
        if self._redis is None:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.prices.run())
            tasks.create_task(self._write(self._redis))

    async def _write(self, redis: "Redis") -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await self._try(redis)

    async def save(self, **fields: str) -> None:
        """Fields of `account:{id}:state`, written when this returns, unless Redis does not answer within a second:
        then they stay with what is to be written."""
        self.state(**fields)
        if self._redis is not None:
            await self._try(self._redis)

    async def _try(self, redis: "Redis") -> None:
        try:
            async with asyncio.timeout(_WRITE_S), self._writing:
                await self._flush(redis)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("redis: %s", error)

    async def _flush(self, redis: "Redis") -> None:
        clock, state, events = self._clock, dict(self._state), list(self._events)
        if clock == self._clock_written and not state and not events:
            return
        self._events.clear()  # what is under way is neither waiting nor lost
        try:
            await self._write_down(redis, clock, state, events)
        except BaseException:
            self._events.extendleft(reversed(events))
            self._bound()
            raise
        self._clock_written = clock
        self._told |= state
        for name, text in state.items():
            if self._state.get(name) == text:
                del self._state[name]

    async def _write_down(
        self, redis: "Redis", clock: int, state: dict[str, str], events: list[dict[str, str]]
    ) -> None:
        pipe = redis.pipeline(transaction=False)
        if clock:
            pipe.set(keys.clock(self._source), clock)
        if state:
            pipe.hset(keys.account_state(self._account), mapping=dict(state.items()))
        for event in events:
            pipe.xadd(keys.account_events(self._account), dict(event.items()), maxlen=_STREAM_LENGTH, approximate=True)
        if events or state.items() - self._told.items():
            pipe.publish(keys.account_notify(self._account), "")
        await pipe.execute()

    def _bound(self) -> None:
        """No more events wait than that; the oldest go."""
        while len(self._events) > _MAX_EVENTS:
            self._events.popleft()
            self._dropped += 1
