"""The queue between watches and reconciles.

Events only add a key. A key waits at most once, however often it is added; while it is worked on, a new addition makes
it run once more afterwards and never beside itself. New and changed objects go before those of a resync, so that a
restart with thousands of objects does not delay the one that somebody just made. A key whose reconcile fails comes back
after a growing, jittered pause.
"""

import asyncio
import heapq
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum

from algo_operator.vocabulary import Key

logger = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.5
LAST_RETRY_SECONDS = 60.0


class Priority(IntEnum):
    """Who goes first."""

    CHANGED = 0
    RESYNC = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A reconcile's result: nothing more to do, or look again after some seconds."""

    again: float | None = None


Reconcile = Callable[[Key], Awaitable[Done]]


@dataclass(slots=True)
class WorkQueue:
    """A small stateful adapter; `run` works on it with a bounded number of workers."""

    jitter: random.Random = field(default_factory=random.Random)
    _heap: list[tuple[int, int, Key]] = field(default_factory=list)
    _waiting: dict[Key, int] = field(default_factory=dict)
    _active: set[Key] = field(default_factory=set)
    _again: dict[Key, Priority] = field(default_factory=dict)
    _failures: dict[Key, int] = field(default_factory=dict)
    _timers: dict[Key, asyncio.TimerHandle] = field(default_factory=dict)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, key: Key, priority: Priority = Priority.CHANGED) -> None:
        """Asks for a reconcile of the key."""
        if key in self._active:
            self._again[key] = min(priority, self._again.get(key, priority))
            return
        waiting = self._waiting.get(key)
        if waiting is not None and waiting <= priority:
            return
        self._waiting[key] = priority
        heapq.heappush(self._heap, (priority, next(self._order), key))
        self._wake.set()

    def add_later(self, key: Key, seconds: float) -> None:
        """Asks for a reconcile after some seconds; an earlier request for the same key stands."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        when = loop.time() + seconds
        if timer is not None and not timer.cancelled() and timer.when() <= when:
            return
        if timer is not None:
            timer.cancel()
        self._timers[key] = loop.call_at(when, self._fire, key)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def active(self) -> int:
        """How many reconciles run now."""
        return len(self._active)

    @property
    def failing(self) -> int:
        """How many keys failed last time."""
        return len(self._failures)

    async def run(self, reconcile: Reconcile, workers: int) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._worker(reconcile))

    async def _worker(self, reconcile: Reconcile) -> None:
        while True:
            key = await self._next()
            try:
                done = await reconcile(key)
            except Exception as error:
                pause = self._pause(key)
                logger.warning("%s failed, next try in %.1f s: %s", key, pause, error, exc_info=_unexpected(error))
                self.add_later(key, pause)
            else:
                self._failures.pop(key, None)
                if done.again is not None:
                    self.add_later(key, done.again)
            finally:
                self._active.discard(key)
                priority = self._again.pop(key, None)
                if priority is not None:
                    self.add(key, priority)

    async def _next(self) -> Key:
        while True:
            while self._heap:
                priority, _, key = heapq.heappop(self._heap)
                if self._waiting.get(key) == priority and key not in self._active:
                    del self._waiting[key]
                    self._active.add(key)
                    return key
            self._wake.clear()
            await self._wake.wait()

    def _fire(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _pause(self, key: Key) -> float:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        pause = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(failures, 10))
        return float(pause * (0.5 + self.jitter.random() / 2))


def _unexpected(error: Exception) -> bool:
    return not getattr(error, "expected", False)
