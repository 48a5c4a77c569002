"""One book read serves all runners: requests that arrive while a read is under way share the next one.

A request is answered only by a read that began after it: what was read before says nothing about what the asker did.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import msgspec
from algo_brokers.errors import BrokerError

log: Final = logging.getLogger("algo_gateway.books")
AGAIN_S: Final = 0.5

Row = TypeVar("Row")


class ReadResult(msgspec.Struct, Generic[Row], frozen=True):
    """What one read gave: rows, or why it says nothing."""

    begun_at: int
    rows: tuple[Row, ...]
    unavailable: str = ""


class SharedReader(Generic[Row]):
    """Coalesces reads of one kind.

    Args:
        read: one read; takes the instant at which it begins.
        now: session time.
        changed: called when `in_flight` changed.
        admit: waits until the broker's windows have room; whoever asks meanwhile shares the read.
        stands_still: whether the market's clock stands. Who asked would ask again after a while of session time, which
            does not come: a read that failed is then repeated here.
    """

    def __init__(
        self,
        read: Callable[[int], Awaitable[tuple[Row, ...]]],
        now: Callable[[], int],
        changed: Callable[[], None],
        admit: Callable[[], Awaitable[None]],
        stands_still: Callable[[], bool] = lambda: False,
    ) -> None:
        self._admit = admit
        self._stands_still = stands_still
        self._read = read
        self._now = now
        self._changed = changed
        self._waiting: list[Callable[[ReadResult[Row]], None]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def in_flight(self) -> int:
        """1 while a read is under way or wanted."""
        return int(self._task is not None)

    @property
    def asked(self) -> int:
        """Who waits for a read that has not begun."""
        return len(self._waiting)

    def ask(self, answer: Callable[[ReadResult[Row]], None]) -> None:
        """Have `answer` called with the result of a read that begins after now."""
        self._waiting.append(answer)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            self._changed()

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._admit()
                asked, self._waiting = self._waiting, []
                result = await self._once()
                while result.unavailable and self._stands_still():
                    await asyncio.sleep(AGAIN_S)
                    await self._admit()
                    result = await self._once()
                for answer in asked:
                    self._tell(answer, result)
        finally:
            self._task = None
            self._changed()

    def _tell(self, answer: Callable[[ReadResult[Row]], None], result: ReadResult[Row]) -> None:
        try:
            answer(result)
        except Exception:  # one asker's failure must not leave the others without an answer
            log.exception("an answer to a read failed")

    async def _once(self) -> ReadResult[Row]:
        begun_at = self._now()
        try:
            rows = await self._read(begun_at)
        except BrokerError as error:
            log.warning("a read failed: %s: %s", type(error).__name__, error)
            return ReadResult(begun_at, (), f"{type(error).__name__}: {error}")
        except Exception as error:  # an adapter's mistake must not look like an empty book
            log.exception("a read failed")
            return ReadResult(begun_at, (), f"adapter error: {type(error).__name__}")
        return ReadResult(begun_at, rows)
