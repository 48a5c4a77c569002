"""The one place that calls the engine: events in, one after the other; actions out, in their order.

The hot path is one call: a message is handed to `step` and its orders are encoded and written before anything else
happens; people's copies (events, state) follow later in the same call, into buffers. Only one thing is ever waited for,
an entry's intent reaching the disk; meanwhile further events queue behind it, and the market of a replay waits, because
its beat is not answered.

How a replay's rounds are answered (`Idle`): once a beat and all before it are handled, and again whenever the number of
calls without an answer, or the time at which the engine wants to wake, is another than was told last. A quote may go
without an answer, so it is not counted: the gateway counts it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderClass, OrderStatus
from algo_crds.contracts.runtime import AlertEvent, QueueEvent, StrategyEvent

from algo_runner.engine.actions import Action, Journal, JournalEntry, WakeAt, as_event
from algo_runner.engine.events import CLOCK, Disconnected, Event
from algo_runner.engine.invariants import refuses
from algo_runner.engine.state import State
from algo_runner.engine.step import step
from algo_runner.engine.view import is_ready
from algo_runner.session_clock import SessionClock
from algo_runner.timers import WakeTimer

log: Final = logging.getLogger("algo_runner.loop")
CLOCKS_IN_A_ROW: Final = 1_000
"""An engine that asks to be woken at once so many times in one instant is told no more of it (and loudly)."""
FAULT_PAUSE_S: Final = 1.0

_CALLS: Final = (wire.Place, wire.Modify, wire.Cancel, wire.ReadBook, wire.ReadPositions, wire.ReadQuote)
_ANSWERS: Final = (wire.Accepted, wire.Rejected, wire.NotSent, wire.Unknown, wire.Book, wire.Positions)
_COUNTED: Final = (wire.Place, wire.Modify, wire.Cancel, wire.ReadBook, wire.ReadPositions)
_WRITES: Final = (wire.Place, wire.Modify, wire.Cancel)
Handled = Event | wire.Beat
Call = wire.Place | wire.Modify | wire.Cancel | wire.ReadBook | wire.ReadPositions | wire.ReadQuote


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the loop does to the world."""

    send: Callable[[bytes], bool]
    journal_now: Callable[[JournalEntry], Awaitable[bool]]
    journal_later: Callable[[JournalEntry], None]
    publish: Callable[[StrategyEvent], None]
    queue: Callable[[QueueEvent], None]
    changed: Callable[[State, bool], None]
    """The state is another; True if by more than a price."""
    armed: Callable[[bool], None]
    """Reconciled and subscribed, or not any more."""
    epoch_lost: Callable[[int], None]
    stop_at: Callable[[str], bool]
    """Whether a test wants the process to end at a named point."""
    hang: Callable[[str], None]


class EventLoop:
    """Serial handling of one strategy's events."""

    def __init__(self, state: State, *, clock: SessionClock, ports: Ports) -> None:
        self.state = state
        self._clock = clock
        self._ports = ports
        self._queue: deque[Handled] = deque()
        self._first: deque[Handled] = deque()
        """Answers that the loop itself gives (not sent): they come before what has arrived meanwhile."""
        self._working = False
        self._timer = WakeTimer(self._woken)
        self._wake = 0
        self._in_flight: set[int] = set()
        self._beat = 0
        self._told: tuple[int, int] | None = None
        self._open = False
        self._connection = 0
        self._armed = False
        self._frozen = False
        self._fault_at = -FAULT_PAUSE_S * 2
        self.lost = False
        self.leaving = False
        """No new entry any more: the process is asked to end."""

    @property
    def calls_in_flight(self) -> int:
        """Calls without an answer."""
        return len(self._in_flight)

    def post(self, event: Handled) -> None:
        """Handle an event now, or after those before it."""
        self._queue.append(event)
        if not self._working:
            self._drain()

    def connection_lost(self, reason: str) -> None:
        """Nothing can be sent from this instant on; the engine learns it in its turn."""
        self._open = False
        self._connection += 1
        kept = [event for event in self._queue if not isinstance(event, wire.Welcome | wire.Beat)]
        self._queue = deque(kept)
        if self._armed:
            self._armed = False
            self._ports.armed(False)
        self.post(Disconnected(reason=reason))

    def _woken(self) -> None:
        if self._clock.own_clock:
            return
        now = self._clock.now()
        if now < self._wake:  # the gateway's clock is behind ours: a `Clock` before its time would be the last one
            self._timer.set(self._wake, now)
        else:
            self.post(CLOCK)

    # Handling

    def _drain(self) -> None:
        self._working = True
        while (self._first or self._queue) and not self._frozen:
            event = (self._first or self._queue).popleft()
            try:
                waiting = self._handle(event)
            except Exception:  # a fault of the shell must not end the watch of a position: the book is read again
                log.exception("an event of kind %s was not fully handled", type(event).__name__)
                self._read_again()
                continue
            if waiting is not None:
                asyncio.get_running_loop().create_task(self._resume(waiting))
                return
            self._report()
        self._working = False

    def _read_again(self) -> None:
        moment = self._clock.monotonic()
        if moment - self._fault_at > FAULT_PAUSE_S:  # a fault that stays must not become a storm of reads
            self._fault_at = moment
            self._first.append(wire.UpdatesGap(now=self._clock.now(), reason="ShellFault"))

    async def _resume(self, waiting: Awaitable[None]) -> None:
        self._report()
        try:
            await waiting
        except Exception:
            log.exception("the actions after a journaled intent failed")
        self._report()
        self._drain()

    def _handle(self, event: Handled) -> Awaitable[None] | None:
        if self.lost:
            return None
        if type(event) is wire.Tick:  # first, because it is nearly every event
            return self._step(event, self._clock.observe(event.now))
        if isinstance(event, wire.Beat):
            return self._handle_beat(event)
        if isinstance(event, _ANSWERS):
            self._in_flight.discard(event.req)
        if isinstance(event, wire.Welcome):
            self._clock.own_clock = event.own_clock
            self._open, self._told, self._beat = True, None, 0
        elif isinstance(event, Disconnected):
            self._in_flight.clear()
        elif isinstance(event, wire.EpochLost):
            self._end(event)
        if self._stops_before(event):
            return None
        now = getattr(event, "now", None)
        return self._step(event, self._clock.observe(now) if now is not None else self._clock.now())

    def _handle_beat(self, beat: wire.Beat) -> Awaitable[None] | None:
        now = self._clock.observe(beat.now)
        for _ in range(CLOCKS_IN_A_ROW):
            if not 0 < self._wake <= now:
                break
            self._wake = 0
            waiting = self._step(CLOCK, now)
            if waiting is not None or self._first:
                self._queue.appendleft(beat)  # the round is answered when the rest of it is done
                return waiting
        else:
            log.error("the engine asks for one instant again and again; it is woken with the next beat")
        self._beat = beat.seq
        self._told = None
        return None

    def _end(self, event: wire.EpochLost) -> None:
        self.state, _ = step(self.state, event, self._clock.observe(event.now))
        self.lost, self._open, self._wake = True, False, 0
        self._timer.clear()
        self._queue.clear()
        self._first.clear()
        self._ports.epoch_lost(event.newest)

    def _step(self, event: Event, now: int) -> Awaitable[None] | None:
        self.state, actions = step(self.state, event, now)
        if not actions:
            self._ports.changed(self.state, False)
            return None
        waiting = self._act(actions, now)
        self._ports.changed(self.state, True)
        self._arm()
        return waiting

    # Acting

    def _act(self, actions: Sequence[Action], now: int) -> Awaitable[None] | None:
        later: list[Action] = []
        waiting: Awaitable[None] | None = None
        for index, action in enumerate(actions):
            if type(action) in _CALLS:  # the first is an order nearly always: found without a call
                self._call(action)  # type: ignore[arg-type] # its type has just been looked at
            elif isinstance(action, Journal) and action.before_send:
                rest = actions[index:]
                self._in_flight.update(call.req for call in rest if isinstance(call, wire.Place))
                waiting = self._after_journal(action, rest[1:], now)
                break
            else:
                later.append(action)
            if self._frozen:
                return None
        self._tell(later, now)
        return waiting

    async def _after_journal(self, intent: Journal, rest: Sequence[Action], now: int) -> None:
        connection = self._connection
        if self._freeze("before_intent"):
            return
        written = not self.leaving and await self._ports.journal_now(intent.entry)
        if self._freeze("after_intent"):
            return
        if written and self._open and connection == self._connection and not self.leaving:
            waiting = self._act(rest, now)
            if waiting is not None:
                await waiting
        else:
            reason = "disconnected" if written else "leaving" if self.leaving else "journal"
            places = [action for action in rest if isinstance(action, wire.Place)]
            for place in places:
                self._first.append(wire.NotSent(now=self._clock.now(), req=place.req, reason=reason))
            others = [action for action in rest if not isinstance(action, wire.Place)]
            nested = self._act(others, now)
            if nested is not None:
                await nested
        self._ports.changed(self.state, True)
        self._arm()

    def _call(self, action: Call) -> None:
        if isinstance(action, (wire.Place, wire.Modify)):  # a union would be built anew for every order
            refusal = refuses(self.state, action)
            if refusal:
                self._refuse(action, refusal)
                return
        if not self._open or not self._ports.send(wire.encode(action)):
            self._in_flight.discard(action.req)
            return
        if isinstance(action, _COUNTED):
            self._in_flight.add(action.req)
        if isinstance(action, _WRITES):
            self._stop_after(action)

    def _refuse(self, action: wire.Place | wire.Modify, refusal: str) -> None:
        log.critical("not sent, it would break an invariant: %s (%s)", refusal, action.tag)
        self._in_flight.discard(action.req)
        now = self._clock.now()
        self._ports.publish(
            AlertEvent(
                time=now,
                wall_time=self._clock.wall_ms(),
                severity="critical",
                code="InvariantGuard",
                message=f"An order was not sent, it would break a rule: {refusal}",
            )
        )
        self._first.append(wire.NotSent(now=now, req=action.req, reason=f"invariant: {refusal}"))

    def _tell(self, actions: Sequence[Action], now: int) -> None:
        wall = self._clock.wall_ms()
        for action in actions:
            if isinstance(action, WakeAt):
                self._wake = action.at
                if not self._clock.own_clock:
                    self._timer.set(action.at, self._clock.now())
                continue
            try:
                self._tell_people(action, now, wall)
            except Exception:  # people's copies must not disturb the trading
                log.exception("an action of kind %s was not told", type(action).__name__)

    def _tell_people(self, action: Action, now: int, wall: int) -> None:
        if isinstance(action, Journal):
            self._ports.journal_later(action.entry)
            return
        event = as_event(action, now, wall)
        if event is None:
            return
        self._ports.publish(event)
        if isinstance(event, QueueEvent):
            self._ports.queue(event)

    # Telling the gateway

    def _arm(self) -> None:
        if self._open and not self._armed and is_ready(self.state):
            self._armed = True
            self._ports.send(wire.encode(wire.Armed()))
            self._ports.armed(True)

    def _report(self) -> None:
        if not self._beat or not self._open or self._frozen:
            return
        now_is = (len(self._in_flight), self._wake)
        if now_is == self._told:
            return
        self._told = now_is
        self._ports.send(wire.encode(wire.Idle(seq=self._beat, in_flight=now_is[0], wake_at=now_is[1] or None)))

    # Places at which a test may end the process

    def _stops_before(self, event: Handled) -> bool:
        if isinstance(event, wire.Accepted):
            call = self.state.calls.get(event.req)
            order = self.state.orders.get(call.tag) if call is not None and call.kind == "place" else None
            return order is not None and order.leg is Leg.ENTRY and self._freeze("after_accept")
        if isinstance(event, wire.Row):
            order = self.state.orders.get(event.row.tag or "")
            filled = event.row.filled > 0 or event.row.status is OrderStatus.FILLED
            return filled and order is not None and order.leg is Leg.ENTRY and self._freeze("after_fill")
        return False

    def _stop_after(self, call: wire.Place | wire.Modify | wire.Cancel) -> None:
        if isinstance(call, wire.Place) and call.leg is not Leg.EXIT:
            self._freeze("after_send" if call.leg is Leg.ENTRY else "after_stop")
        elif call.order_class in (OrderClass.EXIT, OrderClass.URGENT_EXIT):
            self._freeze("during_exit")

    def _freeze(self, point: str) -> bool:
        if not self._ports.stop_at(point):
            return False
        # What was written shall leave the process: the socket is flushed at the end of this turn of the event loop.
        self._frozen = True
        asyncio.get_running_loop().call_later(0.05, self._ports.hang, point)
        return True
