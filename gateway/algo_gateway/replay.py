"""The lockstep side of a replayed market: what the feed brings waits for the beat that covers it; the account's answer
waits for every runner and every call.

See `contracts/world.py` for the protocol and ADR 1 for the reasons.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from algo_brokers.records import FeedTick
from algo_crds.contracts import wire, world
from algo_crds.contracts.constants import SHELL
from algo_crds.contracts.orders import OrderRow

from algo_gateway.hub import Hub
from algo_gateway.live import FeedState
from algo_gateway.rounds import Rounds, RunnerIdle
from algo_gateway.watchdog import Watchdog

LOST_S: Final = SHELL.barrier_timeout_ms / 1000 * 2 / 3
"""Wall time for which a lost runner is waited for."""


class Replay(FeedState):
    """Holds frames back, passes beats on, answers rounds. One per account with a world clock.

    Args:
        answer: sends `world.Idle`.
        set_now: moves the session clock.
        http_calls: broker calls under way; `queued`: what waits for the windows; `wakes`: when it may go.
        remember: keeps the strategies that the market waits for, for the process that comes after this one.
    """

    def __init__(
        self,
        hub: Hub,
        watchdog: Watchdog,
        *,
        answer: Callable[[int, int, int | None], None],
        set_now: Callable[[int], None],
        http_calls: Callable[[], int],
        queued: Callable[[], int],
        wakes: Callable[[], tuple[int | None, ...]],
        remember: Callable[[tuple[str, ...]], None] = lambda _names: None,
    ) -> None:
        super().__init__(hub)
        self._watchdog = watchdog
        self._answer = answer
        self._set_now = set_now
        self._http_calls = http_calls
        self._queued = queued
        self._wakes = wakes
        self._remember = remember
        self._rounds = Rounds()
        self._held: list[list[FeedTick] | OrderRow] = []
        self._read: dict[str, tuple[int, int]] = {}
        """Ordinal and frames read of each open stream."""
        self._beat: world.Beat | None = None
        self._passed = 0
        self._told: tuple[int, int, int | None] | None = None
        hub.round_changed = self.settle
        hub.runner_armed = self._armed
        hub.runner_lost = self._lost
        hub.runner_idle = self._idle

    # The feed

    def ticks(self, ticks: list[FeedTick]) -> None:
        """Held until their beat."""
        self._held.append(ticks)

    def row(self, row: OrderRow) -> None:
        """Held until its beat."""
        self._held.append(row)

    def row_now(self, row: OrderRow) -> None:
        """A row that a call of ours caused at this instant: handed on in the same round, unless older rows wait."""
        if any(isinstance(item, OrderRow) for item in self._held):
            self._held.append(row)
        else:
            self._hub.row(row)

    def frames(self, count: int, stream: str) -> None:
        """One more frame is read; perhaps the beat that waits is covered now."""
        ordinal, _ = self._read.get(stream, (0, 0))
        self._read[stream] = (ordinal, count)
        self._pass_on()

    def opened(self, ordinal: int, stream: str) -> None:
        """A new connection counts from zero."""
        self._read[stream] = (ordinal, 0)
        self._pass_on()

    def closed(self) -> None:
        """Frames that were on their way are lost: no beat may wait for them."""
        super().closed()
        self._read.clear()
        self._pass_on()

    # The world

    def beat(self, beat: world.Beat) -> None:
        """A round begins."""
        self._beat = beat
        self._pass_on()

    def restarted(self) -> None:
        """The clock socket was opened anew: the next beat's number may be anything."""
        self._beat, self._passed, self._told = None, 0, None

    def _pass_on(self) -> None:
        beat = self._beat
        if beat is None or beat.seq == self._passed:
            return
        market = world.StreamCount(name="market", connection=beat.connection, frames=beat.frames_sent)
        if not all(self._covers(stream) for stream in (market, *beat.streams)):
            return
        self._passed = beat.seq
        self._set_now(beat.now)
        held, self._held = self._held, []
        for item in held:
            if isinstance(item, OrderRow):
                self._hub.row(item)
            else:
                self._hub.ticks(item)
        self._hub.pump()
        self._watchdog.at(beat.now)
        self._rounds.beat(beat.seq)
        self._hub.tell_all(wire.Beat(now=beat.now, seq=beat.seq))
        self.settle()

    def _covers(self, sent: world.StreamCount) -> bool:
        """Whether a stream is read as far as the beat says; one that is not open is not waited for."""
        ordinal, frames = self._read.get(sent.name, (0, 0))
        if not sent.connection or not ordinal:
            return True
        return sent.connection < ordinal or (sent.connection == ordinal and frames >= sent.frames)

    # The runners

    def expect(self, strategies: list[str]) -> None:
        """Runners of the process before this one: on their way back, as far as it knows."""
        for strategy in strategies:
            self._rounds.armed(strategy)
            self._lost(strategy)

    def _armed(self, strategy: str) -> None:
        self._rounds.armed(strategy)
        self._remember(self._rounds.names())
        self.settle()

    def _lost(self, strategy: str) -> None:
        """A runner that is gone may be on its way back: the market waits, but less long than it waits for the account,
        so that one strategy that was stopped for good does not put the others out of step."""
        self._rounds.lost(strategy)
        asyncio.get_running_loop().call_later(LOST_S, self._give_up, strategy)

    def _give_up(self, strategy: str) -> None:
        if self._rounds.is_lost(strategy):
            self._rounds.gone(strategy)
            self._remember(self._rounds.names())
            self.settle()

    def _idle(self, strategy: str, idle: RunnerIdle) -> None:
        self._rounds.answer(strategy, idle)
        self.settle()

    def settle(self) -> None:
        """Answer the round if everybody has; again whenever what is under way changed."""
        if self._beat is None or self._beat.seq != self._passed or self._rounds.waiting_for():
            return
        calls = self._http_calls()
        in_flight = calls if calls else max(0, self._rounds.in_flight() - self._queued())
        wishes = [at for at in (self._rounds.wake_at(), self._watchdog.next_at, *self._wakes()) if at is not None]
        told = (self._passed, in_flight, min(wishes, default=None))
        if told != self._told:
            self._told = told
            self._answer(*told)
