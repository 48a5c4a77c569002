"""Reads wait for the broker's windows, endpoint by endpoint, as the door makes orders wait for theirs.

With a wall clock a read waits as long as it takes. In a replayed market the broker counts by the market's clock, so a
waiting read lets the market go on, and says when it wants to be woken; while the market stands still nobody's session
time passes, and broker and gateway alike count by the wall.
"""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from algo_brokers.limits import Limiter, Window, Windows, Write
from algo_brokers.port import Broker

from algo_gateway.clock import SessionClock

_T = TypeVar("_T")
OTHER: Final = "other"
STALL_S: Final = 3.0
"""Wall time after which a market that does not move no longer counts calls."""
GROUPS: Final[dict[str, str]] = {
    "read_order": "order",
    "read_by_tag": "book",
    "read_trades": "trades",
    "read_holdings": "holdings",
    "read_funds": "funds",
    "read_margin": "margin",
    "read_quotes": "quote",
    "read_ltp": "ltp",
    "read_candles": "historical",
}
"""Endpoint group by function of the port; one that the broker's limits do not name is `other`. The book and the
positions are asked for through `books.SharedReader`, which waits before it gathers who asks."""


class ReadPacer:
    """The read windows of one account."""

    def __init__(self, windows: Windows, clock: SessionClock) -> None:
        self._clock = clock
        self._windows = windows.reads
        self._shared = windows.shared
        self._limiters: dict[str, Limiter] = {}
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []
        self._running = False
        self.changed: Callable[[], None] = lambda: None
        """Called when something began to wait."""

    @property
    def waiting(self) -> int:
        """Reads that wait for the market's clock."""
        return len(self._sleepers)

    def next_at(self) -> int | None:
        """When the first of them may go, by session time."""
        return min((at for at, _ in self._sleepers), default=None)

    def stands_still(self) -> bool:
        """Whether session time does not pass: a replayed market that was not started, or is paused."""
        return self._clock.own and not self._running

    def market(self, *, running: bool) -> None:
        """A replayed market began to move, or stands still: broker and gateway change their clock, and begin anew."""
        if running != self._running:
            self._running = running
            self._limiters.clear()
            self._wake(1 << 62)

    def moved(self, now: int) -> None:
        """Session time is `now`."""
        self._wake(now)

    def _wake(self, now: int) -> None:
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= now]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > now]
        for _, future in due:
            if not future.done():
                future.set_result(None)

    async def admit(self, group: str) -> None:
        """Wait until a read of the group fits, and count it."""
        while True:
            limiter, now = self._limiter(group), self._now()
            at = limiter.free_at(now, Write.PLACE, exits=True)
            if at <= now:
                limiter.take(now, Write.PLACE)
                return
            if self._by_market():
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._sleepers.append((at, future))
                self.changed()
                await self._until(at, now, future)
            else:
                await asyncio.sleep((at - now) / 1000)

    async def _until(self, at: int, now: int, future: "asyncio.Future[None]") -> None:
        """Until the market reaches `at`; a market that waits for us by itself is not waited for."""
        try:
            await asyncio.wait_for(future, (at - now) / 1000 + STALL_S)
        except TimeoutError:
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[1] is not future]
            self._limiters.clear()

    def _by_market(self) -> bool:
        return self._clock.own and self._running

    def _now(self) -> int:
        return self._clock.now() if self._by_market() else time.monotonic_ns() // 1_000_000

    def _limiter(self, group: str) -> Limiter:
        group = self._shared.get(group, group)
        name = group if group in self._windows else OTHER
        if name not in self._limiters:
            windows: tuple[Window, ...] = self._windows.get(name, ())
            self._limiters[name] = Limiter(windows, exit_share_percent=0)
        return self._limiters[name]


def paced(broker: Broker, pacer: ReadPacer) -> Broker:
    """The broker with every read but book, positions and the day's list waiting for its windows."""

    def wait_for(read: Callable[..., Awaitable[_T]], group: str) -> Callable[..., Awaitable[_T]]:
        async def call(**arguments: Any) -> _T:
            await pacer.admit(group)
            return await read(**arguments)

        return call

    reads: dict[str, Any] = {name: wait_for(getattr(broker, name), group) for name, group in GROUPS.items()}
    return dataclasses.replace(broker, **reads)
