"""What has to reach Redis in order, sooner or later: events, the order queue, journal entries that wait for nobody.

Bounded. While Redis is away entries pile up; when the bound is reached, an older entry that a newer one replaces (same
key) goes first, then the oldest that may be lost. Each batch is written once, whatever the connection does in between.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from algo_runner.fence import Command, Fence, FencedError
from algo_runner.redis_link import RedisAwayError, RedisRefusedError

log: Final = logging.getLogger("algo_runner.spool")
BOUND: Final = 2_000
BATCH: Final = 64


class Spool:
    """An ordered, bounded buffer in front of the fence."""

    def __init__(self, fence: Fence, *, notify: Command, is_connected: Callable[[], bool], bound: int = BOUND) -> None:
        self._fence = fence
        self._notify = notify
        self._is_connected = is_connected
        self._bound = bound
        self._entries: dict[int, tuple[Command, str, bool]] = {}
        self._next = 0
        self._batch: tuple[str, tuple[int, ...]] | None = None
        self._task: asyncio.Task[None] | None = None
        self.lost = 0
        """Entries given up for good, for the bound or because Redis refused them."""

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, command: Command, *, replaces: str = "", keep: bool = False) -> None:
        """Write a command when possible.

        Args:
            replaces: entries of the same text say the same thing; where room is short only the newest stays.
            keep: never given up for room (journal).
        """
        self._entries[self._next] = (command, replaces, keep)
        self._next += 1
        if len(self._entries) > self._bound:
            self._make_room()
        self.poke()

    def poke(self) -> None:
        """Redis may be there (again): write what waits."""
        if self._entries and self._is_connected() and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._drain())

    async def flush(self) -> None:
        """Wait until everything that can be written now is."""
        self.poke()
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _drain(self) -> None:
        while self._entries:
            if self._batch is None:
                chosen = tuple(self._entries)[:BATCH]
                self._batch = (f"{self._fence.epoch}-{chosen[-1]}-{id(self)}", chosen)
            name, chosen = self._batch
            commands = [self._entries[number][0] for number in chosen if number in self._entries]
            try:
                await self._fence.write([*commands, self._notify], batch=name)
            except RedisAwayError:
                return  # the same batch goes again when Redis is back
            except FencedError:
                self._entries.clear()
                self._batch = None
                return
            except RedisRefusedError as error:
                log.error("Redis refused a batch of %d entries: %s", len(commands), error)
                self.lost += len(commands)
            for number in chosen:
                self._entries.pop(number, None)
            self._batch = None

    def _make_room(self) -> None:
        pinned = set(self._batch[1]) if self._batch is not None else set()
        seen: set[str] = set()
        for number in reversed(self._entries):
            replaces = self._entries[number][1]
            if replaces and replaces in seen and number not in pinned:
                del self._entries[number]
                return
            seen.add(replaces)
        for number, (_, _, keep) in self._entries.items():
            if not keep and number not in pinned:
                del self._entries[number]
                self.lost += 1
                return
