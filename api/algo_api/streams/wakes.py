"""One subscription for the whole process: wakes whoever waits for a strategy's events.

Pub/sub may lose a message, so a waiter also looks by itself every few seconds; the events themselves are in streams.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from algo_crds.contracts import keys
from redis.asyncio import Redis
from redis.exceptions import RedisError

_LOG: Final = logging.getLogger(__name__)
_RECONNECT_SECONDS: Final = 1.0
_PREFIX, _SUFFIX = keys.NOTIFY_PATTERN.split("*")


class Wakes:
    """Waiters by strategy id."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiters: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._changed: set[str] = set()
        self._any = asyncio.Event()

    @contextlib.contextmanager
    def _registered(self, strategy_id: str, event: asyncio.Event) -> Iterator[None]:
        self._waiters[strategy_id].add(event)
        try:
            yield
        finally:
            self._waiters[strategy_id].discard(event)
            if not self._waiters[strategy_id]:
                del self._waiters[strategy_id]

    async def wait(self, strategy_id: str, seconds: float) -> None:
        """Until something of the strategy changed, at most so long."""
        event = asyncio.Event()
        with self._registered(strategy_id, event), contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    async def changed(self, seconds: float) -> set[str]:
        """Ids of strategies that changed since the last call, after waiting at most so long; for the recorder."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._any.wait()
        self._any.clear()
        found, self._changed = self._changed, set()
        return found

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made again."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                _LOG.warning("notifications are away: %s", type(error).__name__)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen(self) -> None:
        async with self._redis.pubsub() as subscription:
            await subscription.psubscribe(keys.NOTIFY_PATTERN)
            async for message in subscription.listen():
                if message["type"] == "pmessage":
                    channel = message["channel"].decode()
                    self._wake(channel.removeprefix(_PREFIX).removesuffix(_SUFFIX))

    def _wake(self, strategy_id: str) -> None:
        self._changed.add(strategy_id)
        self._any.set()
        for event in self._waiters.get(strategy_id, ()):
            event.set()
