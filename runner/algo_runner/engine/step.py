"""The engine's one function.

A step has two halves: what happened is folded into what is believed, then everything is decided anew from the beliefs.
So a duplicate, late or missing event changes the beliefs or nothing, and no decision depends on which event came.
"""

import copy
from typing import Final

from algo_crds.contracts import wire

from algo_runner.engine import calls, entry, hand, hot, protect, restart, rows, run, view, watch
from algo_runner.engine import exit as leave
from algo_runner.engine.actions import Action, Alert, WakeAt
from algo_runner.engine.events import Clock, Command, Disconnected, Event, JournalHealth, SpecChanged
from algo_runner.engine.orders import held
from algo_runner.engine.session import waits_for_a_person
from algo_runner.engine.state import State
from algo_runner.engine.turn import Turn

NOTHING: Final[tuple[Action, ...]] = ()


def step(state: State, event: Event, now: int) -> tuple[State, tuple[Action, ...]]:
    """The state after an event at session time `now` (ms), and what is to be done, in order. Never raises."""
    try:
        if type(event) is wire.Tick:
            market = state.market
            price = event.price
            if (
                market.low < price < market.high
                and market.time < event.time < market.closed
                and event.source == market.source
                and not event.polled
            ):
                market.price = market.price_streamed = price
                market.time = event.time
                market.volume = event.volume
                market.tick_at = market.price_at = now
                market.seen += 1
                if market.second:
                    market.second.clear()
                return state, NOTHING
            if state.plan is not None and not state.lost:
                done = hot.exit_at_target(state, event, now)
                if done is not None:
                    return done
        if state.lost:
            return state, NOTHING
        return _slow(state, event, now)
    except Exception as error:  # total: a fault of the engine's own must not stop the watch of a position
        return _fault(state, event, now, error)


def _fault(state: State, event: Event, now: int, error: Exception) -> tuple[State, tuple[Action, ...]]:
    """The beliefs of before, and the book again: whatever the event said of orders stands there too."""
    kept = copy.copy(state)
    kept.reconciled = False
    kept.reread_since = kept.next_book_at = max(now, state.last_now)
    kept.wake_at = kept.next_book_at + 1_000
    name = type(event).__name__
    alert = Alert(
        severity="critical",
        code="EngineFault",
        message=f"the engine could not handle {name}: {type(error).__name__}; the book is read again",
    )
    return kept, (alert, WakeAt(at=kept.wake_at))


def _slow(state: State, event: Event, now: int) -> tuple[State, tuple[Action, ...]]:
    t = Turn(state, max(now, state.last_now))
    t.s.last_now = t.now
    if isinstance(event, wire.Tick):
        if not watch.take(t, event):
            return t.s, NOTHING
        watch.compare(t, event)
    elif isinstance(event, wire.EpochLost):
        t.s.lost = True
        return t.s, NOTHING
    else:
        _believe(t, event)
    _decide(t)
    return t.s, tuple(t.out)


def _believe(t: Turn, event: Event) -> None:  # noqa: C901 (one arm an event)
    s = t.s
    match event:
        case Clock():
            pass
        case wire.Row():
            rows.take(t, event.row)
        case wire.Accepted():
            calls.accepted(t, event)
        case wire.Rejected():
            calls.rejected(t, event)
        case wire.NotSent():
            calls.not_sent(t, event)
        case wire.Unknown():
            calls.unknown(t, event)
        case wire.Book():
            restart.book(t, event)
        case wire.Positions():
            hand.take_positions(t, event)
        case wire.UpdatesGap():
            restart.reread(t)
        case wire.FeedHealth():
            s.feed = event
        case wire.BrokerHealth():
            restart.health(t, event)
        case wire.Welcome():
            restart.welcome(t, event)
        case wire.SessionChanged():
            restart.session_changed(t, event)
        case SpecChanged():
            run.spec_changed(t, event)
        case Command():
            run.command(t, event)
        case Disconnected():
            s.connected = False
        case JournalHealth():
            s.journal_writable = event.writable


def _decide(t: Turn) -> None:
    s = t.s
    if s.untold:
        t.note(f"exit: {s.exit_reason}", s.untold)
        s.untold = ""
        s.last_action = "convert stop to exit"
    calls.expire(t)
    restart.force_second_sell(t)
    hand.take_fills(t)
    rows.regroup(t)
    watch.freshness(t)
    if not waits_for_a_person(s):
        _trade(t)
    restart.reads(t)
    run.finish(t)
    view.publish(t)
    watch.arm(t, thinking=_thinking(t))
    s.plan = hot.plan_for(t)
    if t.wake != s.wake_at:
        s.wake_at = t.wake
        t.out.append(WakeAt(at=t.wake))


def _trade(t: Turn) -> None:
    """Everything that may send an order, the most urgent first."""
    protect.set_levels(t)
    protect.stops_ended(t)
    leave.sells_ended(t)
    run.begin(t)
    hand.look_at_stop(t)
    watch.grace(t)
    leave.consider(t)
    hand.fit(t)
    entry.decide(t)
    protect.decide(t)
    leave.decide(t)


def _thinking(t: Turn) -> bool:
    """Whether something waits for the next price."""
    s = t.s
    if s.exit_reason is not None and held(s) > 0:
        return True
    return s.run_open and not s.entry_over and 0 < s.buy_at <= t.now
