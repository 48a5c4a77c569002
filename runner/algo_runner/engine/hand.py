"""The trader's hand: manual fills, stops changed in the broker's app, and a cross-check with the account's positions.

Evidence is untagged fills and changes in the broker's order book. What is held shrinks by a manual fill, and the stop
is cut to fit before anything else.
"""

from typing import Final

from algo_crds.contracts import wire
from algo_crds.contracts.orders import OrderClass, OrderStatus, OrderType
from algo_crds.contracts.runtime import ExitReason
from msgspec.structs import replace

from algo_runner.engine.actions import Filled
from algo_runner.engine.calls import modify, press_cancel
from algo_runner.engine.orders import held, live_sells, may_still_trade, primary, sellable, waits, working
from algo_runner.engine.protect import begin_exit, main_stop, spare_modifications
from algo_runner.engine.session import can_place, can_write, evidence_from
from algo_runner.engine.state import Ask, Line, Order
from algo_runner.engine.turn import Turn

CHECKS: Final = 3
"""Differences in a row before a difference of positions is believed."""
POSITIONS_EVERY_MS: Final = 60_000


def take_fills(t: Turn) -> None:
    """Untagged fills against our position since our entry: shares that are not ours any more. Never given back: what
    the trader buys later is the trader's own."""
    s = t.s
    if not s.foreign:
        return
    net = price = 0
    for foreign in s.foreign.values():
        more = foreign.filled - foreign.baseline
        if foreign.side is t.exit_side:
            net += more
            price = foreign.price or price
        else:
            net -= more
    taken = min(net - s.manual_seen, max(held(s), 0))
    s.manual_seen = max(s.manual_seen, net)
    if taken <= 0:
        return
    s.manual += taken
    s.manual_value += taken * (price or s.market.price)
    s.progress_at = t.now
    after = s.session is not None and t.now >= s.session.last_new_order
    who = "the broker's square-off" if after else "hand"
    t.out.append(Filled(tag="", broker_order_id="", side=t.exit_side, quantity=taken, price=price))
    t.alert("warning", "ManualFill", f"{taken} shares were closed by {who}; {held(s)} are left")
    if held(s) <= 0:
        begin_exit(t, ExitReason.SESSION_END if after else ExitReason.MANUAL, f"closed by {who}")


def fit(t: Turn) -> None:
    """Nothing may sell more than is held: cut or cancel resting sells that could."""
    s = t.s
    shares = sellable(s)
    for order in live_sells(s):
        if order.late and can_write(t):
            press_cancel(t, order, OrderClass.URGENT_EXIT)
        for extra in order.lines[1:]:  # a second broker order under one tag: none was asked for
            if extra.status not in _DONE and can_write(t):
                press_cancel(t, replace(order, lines=(extra,)), OrderClass.URGENT_EXIT)
    excess = working(s) - shares
    if excess <= 0 or not can_write(t):
        return
    for order in sorted(live_sells(s), key=lambda o: -o.attempt):
        if excess <= 0:
            return
        excess -= _cut(t, order, excess, shares)


_DONE: Final = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED})


def _cut(t: Turn, order: Order, excess: int, shares: int) -> int:
    """Cut one sell by up to `excess`; the number by which it will shrink."""
    remaining = may_still_trade(order)
    line = primary(order)
    if order.busy or order.cancel_asked:
        if order.cancel_asked:
            press_cancel(t, order, OrderClass.URGENT_EXIT)
        return remaining
    capability = t.s.capability
    partly = line is not None and line.filled > 0
    can_modify = capability is not None and not order.no_modify and (capability.modify_quantity_is_total or not partly)
    if remaining <= excess or shares == 0 or not can_modify or order.rejects > 1:
        press_cancel(t, order, OrderClass.URGENT_EXIT)
        return remaining
    if line is not None and t.due(order.retry_at):
        wanted = line.filled + remaining - excess
        if wanted != order.ask.quantity:
            modify(t, order, replace(order.ask, at=t.now, quantity=wanted), OrderClass.URGENT_EXIT)
    return excess


def look_at_stop(t: Turn) -> None:
    """A resting stop that somebody changed: accept if tighter and for all of what is held, otherwise restore it."""
    s = t.s
    order = main_stop(t)
    if order is None or order.busy or s.exit_reason is not None or held(s) <= 0:
        return  # nothing is known to be held: after a restart the book comes first
    line = primary(order)
    if line is None or _ours(order, line) or line.read_at < order.ask.at or line.status in _DONE:
        return
    if line.status is OrderStatus.TRIGGERED or line.filled > 0 or line.status is OrderStatus.PENDING:
        return
    capability = s.capability
    if capability is None or not can_write(t):
        return
    tighter = (
        waits(order, has_trigger_status=capability.has_trigger_status)
        and t.sign * (line.trigger - order.ask.trigger) > 0
        and t.sign * (line.trigger - line.price) > 0
        and line.quantity - line.filled == held(s)
    )
    if tighter:
        ask = Ask(at=line.read_at, type=line.type, quantity=line.quantity, price=line.price, trigger=line.trigger)
        s.hand_level = line.trigger
        s.stop_level = line.trigger
        t.alert("warning", "StopTightenedByHand", "the stop was moved nearer in the broker's app: accepted")
        t.put(replace(order, ask=ask, asks=(*order.asks, ask)[-8:]))
        return
    if not capability.has_trigger_status and (line.type is OrderType.LIMIT or line.trigger == 0):
        return  # an exit in progress
    if order.rejects >= CHECKS or order.modifications >= spare_modifications(t):
        if can_place(t):
            press_cancel(t, order, OrderClass.STOP)
    elif t.due(order.retry_at):
        t.alert("warning", "StopChangedByHand", "the stop was changed in the broker's app: it is set back")
        modify(t, order, replace(order.ask, at=t.now), OrderClass.STOP)


def _ours(order: Order, line: Line) -> bool:
    shown = (line.type, line.quantity, line.price, line.trigger)
    return any(shown == (ask.type, ask.quantity, ask.price, ask.trigger) for ask in (*order.asks, order.ask))


def take_positions(t: Turn, event: wire.Positions) -> None:
    """The account's position of our symbol and product. A read that failed changes no belief."""
    s = t.s
    for req, call in tuple(s.calls.items()):
        if call.kind == "positions" and (event.req in (0, req)):
            s.calls.pop(req)
    spec = s.spec.spec
    if event.unavailable:
        s.next_positions_at = t.now + 1_000
        return
    net = sum(
        row.quantity
        for row in event.rows
        if row.symbol == spec.symbol and row.exchange == spec.exchange and row.product is spec.product
    )
    s.positions_at = event.begun_at
    s.positions_quantity = t.sign * net
    s.positions_print = s.book_print
    s.positions_checked = False
    s.next_positions_at = t.now + POSITIONS_EVERY_MS
    if held(s) > 0:
        s.next_book_at = t.now


def cross_check(t: Turn, begun_at: int) -> None:
    """Positions only cross-check, only when read between two equal book reads, and not while they may still tell of
    what was before our last order: a good stop must not be cut by them."""
    s = t.s
    if s.positions_checked or begun_at < s.positions_at:
        return
    s.positions_checked = True
    if s.positions_print != s.book_print or not s.entry_started:
        return
    others = -s.manual_seen + s.manual
    if s.positions_quantity == held(s) + others:
        s.differences = 0
        s.position_cut = -1
        return
    since = evidence_from(s)
    if s.positions_at < since:
        s.next_positions_at = min(s.next_positions_at, since)
        return
    s.differences += 1
    s.next_positions_at = t.now + 1_000
    if s.differences == CHECKS:
        t.alert(
            "critical",
            "PositionDiffers",
            f"the account holds {s.positions_quantity} shares, fills of the book say {held(s)}: entries are blocked",
        )
    if s.differences >= CHECKS and s.positions_quantity < working(s):
        s.position_cut = max(s.positions_quantity, 0)
