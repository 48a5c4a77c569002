"""Protect: as soon as shares are held, a stop-limit for all of them rests at the exchange, or they are sold."""

from typing import Final

from algo_crds.contracts.orders import Leg, OrderClass, OrderStatus, OrderType, RejectKind
from algo_crds.contracts.runtime import ExitReason
from msgspec.structs import replace

from algo_runner.engine import levels
from algo_runner.engine.calls import backoff, modify, place, press_cancel, stop_ask
from algo_runner.engine.orders import (
    any_unknown_sell,
    confirmed,
    entry_average,
    filled,
    held,
    is_final,
    live_sells,
    own_pnl,
    primary,
    sellable,
    sells,
    status,
    waits,
    working,
)
from algo_runner.engine.session import can_place, can_write
from algo_runner.engine.state import Order
from algo_runner.engine.turn import Turn

RECOMPUTE: Final = frozenset({RejectKind.TICK_SIZE, RejectKind.BAND, RejectKind.GAP, RejectKind.PRICE})


def set_levels(t: Turn) -> None:
    """The levels of what is held: from the average entry price; the stop never goes back."""
    s = t.s
    instrument = s.instrument
    shares = held(s)
    if instrument is None or shares <= 0:
        s.stop_level = s.target_level = s.loss_level = s.hand_level = 0
        return
    spec = s.spec.spec
    base = entry_average(s)
    tick = instrument.tick_size
    level = levels.stop_level(spec.stop_loss, base, t.sign, tick)
    if s.hand_level and t.sign * (s.hand_level - level) > 0:
        level = s.hand_level
    s.stop_level = level
    s.target_level = levels.target_level(spec.target, base, t.sign, tick) if spec.target is not None else 0
    s.loss_level = 0
    if spec.max_loss_per_day is not None:
        # The price at which the day's result is the limit: what is lost already counts.
        spare = spec.max_loss_per_day + own_pnl(s)
        s.loss_level = max(s.market.price - t.sign * (spare // shares), 1) if s.market.price else 0


def main_stop(t: Turn) -> Order | None:
    """The stop that guards the position: the largest live one that is to stay."""
    stops = [
        order
        for order in live_sells(t.s)
        if order.leg is Leg.STOP and not order.late and not order.cancel_asked and not order.converted
    ]
    return max(stops, key=lambda order: order.ask.quantity) if stops else None


def is_protected(t: Turn) -> bool:
    """Whether a stop for all that is held is confirmed and its level is watched."""
    s = t.s
    if s.capability is None or s.stop_level <= 0 or s.exit_reason is not None:
        return False
    order = main_stop(t)
    return order is not None and confirmed(order, held(s), has_trigger_status=s.capability.has_trigger_status)


def begin_exit(t: Turn, reason: ExitReason, why: str) -> None:
    """From here on the position is being sold; the first reason stands."""
    s = t.s
    if s.exit_reason is not None:
        return
    s.exit_reason = reason
    s.progress_at = t.now
    s.exit_doublings = 0
    s.breach_at = 0
    t.note(f"exit: {reason}", why)


def is_triggered(t: Turn, order: Order) -> bool:
    """Whether a stop acts as a limit order by now, as far as its row tells."""
    line = primary(order)
    if line is None or order.leg is not Leg.STOP or order.converted or is_final(order):
        return False
    if line.filled > 0 or line.status is OrderStatus.TRIGGERED:
        return True
    capability = t.s.capability
    if capability is None:
        return False
    if not capability.has_trigger_status:
        return line.type is OrderType.LIMIT or line.trigger == 0
    if line.status is not OrderStatus.OPEN:
        return False
    return line.type is OrderType.STOP_LIMIT or line.price == order.ask.price


def stops_ended(t: Turn) -> None:
    """Learn from each stop that has come to its end."""
    for order in tuple(sells(t.s)):
        if order.leg is Leg.STOP and is_final(order) and not order.handled:
            t.put(replace(order, handled=True), tell=False)
            _stop_ended(t, order)


def _stop_ended(t: Turn, order: Order) -> None:
    s = t.s
    line = primary(order)
    state = status(order)
    if order.converted or s.exit_reason is not None or order.absent or order.run != s.run:
        if state in (OrderStatus.REJECTED, OrderStatus.NOT_SENT) and not order.absent:
            s.exit_retry_at = order.retry_at
        return
    if filled(order) > 0:
        begin_exit(t, ExitReason.STOP, f"the resting stop {order.tag} was filled")
        return
    if state is OrderStatus.NOT_SENT:
        s.stop_rejects += 1
        s.stop_retry_at = max(order.retry_at, t.now + backoff(t, s.stop_rejects))
        return
    if held(s) <= 0:
        return
    if state is OrderStatus.REJECTED:
        _stop_rejected(t, order, order.reject_kind if line is None else line.reject_kind)
    elif not order.cancel_asked:
        _stop_vanished(t, order)


def _stop_rejected(t: Turn, order: Order, kind: RejectKind | None) -> None:
    s = t.s
    t.alert(
        "critical", "StopRejected", f"the stop {order.tag} was refused: {kind or 'no reason'} {order.message}".strip()
    )
    if kind is RejectKind.THROUGH:
        begin_exit(t, ExitReason.SOFTWARE_STOP, "the price had passed the stop before it was accepted")
    elif kind in RECOMPUTE and s.stop_recomputes == 0:
        s.stop_recomputes = 1
    else:
        begin_exit(t, ExitReason.UNSAFE, "the stop was refused: an unprotected position is not kept")


def _stop_vanished(t: Turn, order: Order) -> None:
    """A stop was cancelled, and not by us."""
    s = t.s
    if s.session is not None and t.now >= s.session.last_new_order:
        t.alert("critical", "BrokerSquareOff", "the stop was cancelled after the last time for new orders")
        begin_exit(t, ExitReason.SESSION_END, "the broker squares off")
    elif s.market.price and levels.through(s.market.price, order.ask.trigger, t.sign):
        begin_exit(t, ExitReason.SOFTWARE_STOP, "the exchange cancelled the stop with the price through its trigger")
    elif s.hand_cancels == 0:
        s.hand_cancels = 1
        t.alert("warning", "StopCancelledByHand", "the stop was cancelled in the broker's app: it is placed again once")
    else:
        s.hand_cancels += 1
        begin_exit(t, ExitReason.UNSAFE, "the stop was cancelled by hand a second time")


def decide(t: Turn) -> None:
    """Bring the resting stop to what is held now."""
    s = t.s
    instrument, capability = s.instrument, s.capability
    shares = sellable(s)
    if shares <= 0 or s.exit_reason is not None or instrument is None or capability is None:
        return
    order = main_stop(t)
    if order is not None and is_triggered(t, order):
        begin_exit(t, ExitReason.STOP, f"the resting stop {order.tag} has triggered")
        return
    if any_unknown_sell(s):
        return
    if order is not None and order.accepted_at and primary(order) is None:
        _unconfirmed(t, order)
    if order is None:
        _place_stop(t, shares)
    elif primary(order) is not None and not order.busy:
        _adjust_stop(t, order, shares)


def _unconfirmed(t: Turn, order: Order) -> None:
    """Accepted but not shown for too long: it counts as not protecting and as not absent."""
    s = t.s
    if not s.reported_unconfirmed and t.due(order.accepted_at + s.constants.unconfirmed_ms):
        s.reported_unconfirmed = True
        t.alert("critical", "StopUnconfirmed", f"the broker accepted the stop {order.tag} but does not show it")


def _place_stop(t: Turn, shares: int) -> None:
    s = t.s
    if s.instrument is None or s.capability is None:
        return
    if s.market.price and levels.through(s.market.price, s.stop_level, t.sign):
        begin_exit(t, ExitReason.SOFTWARE_STOP, "the price was at or through the stop when the entry filled")
        return
    limit = levels.stop_limit(s.stop_level, t.sign, s.instrument, s.capability.max_trigger_gap_bp)
    if not limit:
        begin_exit(t, ExitReason.UNSAFE, "no stop has a place inside today's price band")
        return
    if working(s) or not can_place(t) or not t.due(s.stop_retry_at):
        return
    s.gather_at = 0
    place(t, Leg.STOP, OrderClass.STOP, stop_ask(t, shares, s.stop_level, limit))


def _adjust_stop(t: Turn, order: Order, shares: int) -> None:
    """Resize for further fills, correct for the true average: one modify at a time, none that changes nothing."""
    s = t.s
    line = primary(order)
    if s.instrument is None or s.capability is None or line is None:
        return
    ask = order.ask
    quantity = shares + line.filled
    trigger, limit = ask.trigger, ask.price
    if trigger != s.stop_level:
        trigger = s.stop_level
        limit = levels.stop_limit(trigger, t.sign, s.instrument, s.capability.max_trigger_gap_bp)
        if not limit:
            return
    asked = (quantity, trigger, limit) != (ask.quantity, ask.trigger, ask.price)
    if quantity > ask.quantity and not t.due(s.gather_at):
        return
    stale = (
        line.read_at > ask.at + CHANGE_SHOWS_MS
        and waits(order, has_trigger_status=True)
        and ((line.quantity, line.trigger, line.price) != (ask.quantity, ask.trigger, ask.price))
    )
    if not asked and not stale:
        s.gather_at = 0
        return
    if not can_write(t) or not t.due(order.retry_at):
        return
    if s.market.price and levels.through(s.market.price, trigger, t.sign):
        if quantity > ask.quantity:
            begin_exit(t, _why(t), "the price was at or through the stop when more of the entry filled")
        return
    if order.rejects >= MAX_MODIFY_REJECTS or order.no_modify or order.modifications >= spare_modifications(t):
        if can_place(t):
            press_cancel(t, order, OrderClass.STOP)
        return
    s.gather_at = 0
    modify(t, order, stop_ask(t, quantity, trigger, limit), OrderClass.STOP)


def spare_modifications(t: Turn) -> int:
    """Modifications of one order that protection may use; the rest is kept for the exit."""
    s = t.s
    cap = s.capability.max_modifications if s.capability is not None else 0
    return max(cap - s.constants.kept_modifications, cap // 2)


def _why(t: Turn) -> ExitReason:
    capability = t.s.capability
    return ExitReason.SOFTWARE_STOP if capability is None or capability.has_trigger_status else ExitReason.STOP


CHANGE_SHOWS_MS: Final = 1_000
"""A row read later than this after a change shows it."""
MAX_MODIFY_REJECTS: Final = 3
