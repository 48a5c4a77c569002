"""What people see: phase, conditions, and the view that `.status`, API and SSE are made of."""

from typing import Final

from algo_crds.contracts.orders import Leg
from algo_crds.contracts.runtime import ConditionView, Desired, ExitReason, Phase, StrategyView

from algo_runner.engine.actions import SetCondition, SetPhase
from algo_runner.engine.orders import (
    any_unknown_sell,
    entry_average,
    exit_average,
    held,
    live_entries,
    live_sells,
    own_pnl,
    primary,
)
from algo_runner.engine.protect import is_protected, main_stop
from algo_runner.engine.session import desired, session_valid, unsupported
from algo_runner.engine.state import State
from algo_runner.engine.turn import Turn, view_of

SHOWN_ORDERS: Final = 12
_UNKNOWN_SELL: Final = (
    "the outcome of a sell was not seen and is being looked up; until then no other sell is placed. Only if the "
    "broker's own order page shows that it is not there: set the annotation algo.trading/force-second-sell of the "
    "Strategy to the tag of that order (status Unknown in .status.orders), at the risk of a second sell"
)
EXIT_REASONS: Final = {
    ExitReason.STOP: ("StopHit", "the resting stop was hit"),
    ExitReason.SOFTWARE_STOP: ("SoftwareStop", "the software watch sold at the stop"),
    ExitReason.TARGET: ("TargetReached", "the target was reached"),
    ExitReason.TIME: ("SellTime", "sold at the time of exit"),
    ExitReason.COMMAND: ("Stopped", "sold because it was stopped"),
    ExitReason.KILL: ("Killed", "sold by the kill switch or a halt"),
    ExitReason.DAY_LIMIT: ("DayLossLimit", "sold at the day's loss limit"),
    ExitReason.UNSAFE: ("Unsafe", "sold because it could not be protected"),
    ExitReason.SESSION_END: ("SessionEnd", "closed at the end of the session"),
    ExitReason.MANUAL: ("ClosedByHand", "closed by hand in the broker's app"),
}


def publish(t: Turn) -> None:
    """Tell people of conditions and phase that changed, and count the time without protection."""
    s = t.s
    protected = _protected(t)
    _condition(t, "Protected", *protected)
    _condition(t, "FeedFresh", *_feed(t))
    _condition(t, "BrokerSession", *_broker(t))
    _condition(t, "Ready", *_ready(t))
    phase, reason, message = _phase(t)
    if phase is not s.phase or reason != s.reason:
        t.out.append(SetPhase(previous=s.phase, current=phase, reason=reason, message=message))
    s.phase, s.reason, s.message = phase, reason, message
    outside = held(s) > 0 and protected[0] != "True"
    if outside and not s.unprotected_since:
        s.unprotected_since = t.now
    elif not outside and s.unprotected_since:
        s.unprotected_ms += max(t.now - s.unprotected_since, 0)
        s.unprotected_since = 0
    if protected[0] == "True":
        s.protected_since = s.protected_since or t.now
    else:
        s.protected_since = 0


def _condition(t: Turn, name: str, status: str, reason: str, message: str) -> None:
    s = t.s
    old = s.conditions.get(name)
    if old is not None and (old.status, old.reason) == (status, reason):
        return
    previous = old.status if old is not None else "Unknown"
    since = old.since if old is not None and old.status == status else t.now
    s.conditions[name] = ConditionView(status=status, reason=reason, message=message, since=since)
    t.out.append(SetCondition(name=name, previous=previous, current=status, reason=reason, message=message))


def _protected(t: Turn) -> tuple[str, str, str]:
    s = t.s
    shares = held(s)
    if any_unknown_sell(s) and shares > 0:
        return "Unknown", "SellUnknown", _UNKNOWN_SELL
    if shares <= 0:
        return "False", "NoPosition", "nothing is held"
    if s.exit_reason is not None:
        return "False", "Exiting", f"the position is being sold: {s.exit_reason}"
    if is_protected(t):
        return "True", "StopConfirmed", "a stop for all that is held rests at the exchange, and its level is watched"
    order = main_stop(t)
    if order is None:
        return "False", "NoStop", "the stop is about to be placed"
    if order.accepted_at and primary(order) is None and t.due(order.accepted_at + s.constants.unconfirmed_ms):
        return "False", "StopUnconfirmed", "the broker accepted the stop but does not show it; the watch is armed"
    return "False", "StopPending", "the stop for all that is held is not confirmed yet"


def _feed(t: Turn) -> tuple[str, str, str]:
    s = t.s
    if s.session is None or not s.session.open <= t.now < s.session.last_match:
        return "Unknown", "SessionClosed", "the market is closed"
    if s.feed_stale:
        polling = s.feed is not None and s.feed.polling
        if s.feed is not None and not s.feed.connected:
            return "False", "Disconnected", "the market-data connection is down"
        return "False", "Stale", "no tick for 10 seconds" + ("; quotes are polled" if polling else "")
    if not s.market.tick_at:
        return "Unknown", "NoTickYet", "no tick of this symbol yet"
    return "True", "Ticking", "ticks arrive"


def _broker(t: Turn) -> tuple[str, str, str]:
    s = t.s
    if s.broker is None:
        return "Unknown", "NotConnected", "the account's gateway has not said yet"
    if session_valid(t):
        t.wake_at(s.broker.session_valid_until)
        return "True", "Valid", "the broker session is valid"
    if s.broker.session_valid_until:
        return "False", "Expired", "the broker session has expired: log in again"
    return "False", "LoginNeeded", s.broker.session_reason or "log in to the broker account"


def _ready(t: Turn) -> tuple[str, str, str]:
    s = t.s
    text = unsupported(s)
    if text:
        return "False", "SpecUnsupported", text
    if not s.connected:
        return "False", "Disconnected", "no connection to the account's gateway"
    if not s.reconciled:
        if not session_valid(t):
            return "False", "LoginNeeded", "the broker's book cannot be read without a broker session"
        return "False", "Reconciling", "reading the broker's order book"
    if s.broker is not None and s.broker.halted and not s.spec.halts:
        # A gateway that has just started takes no entry until it is told which halts are in force.
        return "False", "DoorClosed", f"the account takes no entries: {s.broker.halt_reason}"
    return "True", "Armed", "reconciled with the broker's book and subscribed"


def _phase(t: Turn) -> tuple[Phase, str, str]:
    s = t.s
    shares = held(s)
    if s.failed:
        return Phase.FAILED, s.failed, s.failed_message
    if shares > 0 or (s.entered and not s.ended):
        if s.exit_reason is not None:
            return Phase.BOUGHT, "Exiting", EXIT_REASONS[s.exit_reason][1]
        return Phase.BOUGHT, "Holding", f"{shares} shares are held"
    if desired(s) is not Desired.RUN and not live_entries(s) and not live_sells(s) and not s.run_open:
        halted = s.killed or bool(s.spec.halts)
        lasting = s.spec.halts and not s.killed and s.spec.desired is Desired.RUN
        message = f"flat; halted: {'; '.join(s.spec.halts)}" if lasting else "flat; a person must start it"
        return Phase.STOPPED, "Killed" if halted else "Stopped", message
    if s.ended and s.entered:
        reason, message = EXIT_REASONS[s.exit_reason] if s.exit_reason is not None else ("Flat", "nothing is held")
        return Phase.SOLD, reason, message
    if s.refusal:
        return Phase.WAITING, s.refusal, s.refusal_message
    if live_entries(s):
        return Phase.WAITING, "Entering", "the entry order is at the broker"
    return _waiting(t)


def _waiting(t: Turn) -> tuple[Phase, str, str]:
    s = t.s
    text = unsupported(s)
    if text:
        return Phase.WAITING, "SpecUnsupported", text
    if s.session is not None and s.session.open == 0:
        return Phase.WAITING, "NoSession", "no trading session today"
    if not s.reconciled:
        return Phase.WAITING, "Reconciling", "reading the broker's order book"
    if s.ended:
        return Phase.WAITING, "RunEnded", "the run of today is over"
    return Phase.WAITING, "WaitingForBuyTime", "waiting for the buy time"


def is_ready(state: State) -> bool:
    """Whether the strategy is reconciled: the shell may tell the gateway `Armed`."""
    ready = state.conditions.get("Ready")
    return ready is not None and ready.status == "True"


def view(state: State, now: int) -> StrategyView:
    """The whole picture. `unprotected_ms` (wall time) is the shell's to fill; it counts while `unprotected_since`."""
    orders = sorted(state.orders.values(), key=lambda order: order.attempt)[-SHOWN_ORDERS:]
    outside = state.unprotected_ms
    if state.unprotected_since:
        outside += max(now - state.unprotected_since, 0)
    stops = [order for order in orders if order.leg is Leg.STOP]
    shares = held(state)
    return StrategyView(
        strategy_id=state.spec.strategy_id,
        epoch=state.epoch,
        generation=state.spec.generation,
        day=state.day,
        now=now,
        phase=state.phase,
        reason=state.reason,
        message=state.message,
        conditions=dict(state.conditions),
        held=max(shares, 0),
        entry_price=entry_average(state),
        stop_price=state.stop_level or (stops[-1].ask.trigger if stops else 0),
        target_price=state.target_level,
        exit_price=exit_average(state),
        exit_reason=state.exit_reason if state.entered else None,
        last_price=state.market.price,
        last_tick=state.market.time if state.market.tick_at else 0,
        pnl=own_pnl(state),
        orders=tuple(view_of(order, order.ask.at) for order in orders),
        protected_since=state.protected_since,
        unprotected_session_ms=outside,
        ticks_seen=state.market.seen,
        ticks_rejected=dict(state.market.rejected),
        last_action=state.last_action,
        forced_tag=state.forced_tag,
        errors=state.errors,
        final=state.ended or bool(state.failed),
    )
