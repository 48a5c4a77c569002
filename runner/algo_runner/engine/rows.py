"""Rows of the broker's socket and book: the only source of states and fills (invariant 5).

A larger `filled` is believed from any row, however old, after any final status, for any run. Otherwise final beats live
and newest beats older. What remains is quantity less filled, never the broker's pending field.
"""

from algo_crds.contracts.orders import FINAL, Leg, OrderRow, OrderStatus
from algo_crds.contracts.tags import Tag, parse_tag
from msgspec.structs import replace

from algo_runner.engine.actions import Filled
from algo_runner.engine.calls import queue_done
from algo_runner.engine.orders import filled, held, is_final
from algo_runner.engine.state import Ask, Foreign, Line, Order
from algo_runner.engine.turn import Turn, view_of

_OWN_ONLY = frozenset({OrderStatus.INTENDED, OrderStatus.SENT, OrderStatus.NOT_SENT, OrderStatus.UNKNOWN})


def take(t: Turn, row: OrderRow) -> str | None:
    """Believe a row as far as it can be believed; the tag of our order that it speaks of, if it does."""
    spec = t.s.spec.spec
    if row.exchange != spec.exchange or row.symbol != spec.symbol or row.product is not spec.product:
        return None
    parsed = parse_tag(row.tag)
    order = _order_of(t, row, parsed)
    if order is None:
        if parsed is None:
            _foreign(t, row)
            return None
        if parsed.strategy_hash != t.s.hash8 or parsed.day.isoformat() != t.s.day:
            return None
        order = _adopt(t, row, parsed)
    _merge(t, order, row)
    return order.tag


def _order_of(t: Turn, row: OrderRow, parsed: Tag | None) -> Order | None:
    if parsed is not None and row.tag is not None:
        return t.s.orders.get(row.tag.lower())
    for order in t.s.orders.values():  # a row without a tag, of an order whose id we know
        if order.broker_order_id == row.broker_order_id:
            return order
    return None


def _adopt(t: Turn, row: OrderRow, parsed: Tag) -> Order:
    """An order of ours in the book that the state lacks. Attempts below the run's first belong to earlier runs: their
    fills count, but live they are cancelled, never taken for this run's."""
    s = t.s
    earlier = parsed.attempt < s.first_attempt
    s.highest = max(s.highest, parsed.attempt)
    s.run = max(s.run, 1)
    if not earlier or s.ended:
        s.run_open = True
    s.ended = False
    ask = Ask(at=row.order_time, type=row.type, quantity=row.quantity, price=row.price, trigger=row.trigger)
    order = Order(
        tag=(row.tag or "").lower(),
        leg=parsed.leg,
        attempt=parsed.attempt,
        run=0 if earlier else s.run,
        side=row.side,
        own=OrderStatus.SENT,
        answered=True,
        ask=ask,
        asks=(ask,),
        send_before=row.order_time,
        broker_order_id=row.broker_order_id,
        late=earlier,
    )
    if parsed.leg is Leg.ENTRY:
        s.entry_started = True
        if not s.entry_barred:
            s.entry_barred = "an entry of today was found in the book"
    t.alert("warning", "OrderAdopted", f"order {order.tag} ({order.leg}) was found in the broker's book")
    return order


def _line_of(row: OrderRow, now: int) -> Line:
    filled = min(max(row.filled, 0), max(row.quantity, 0))
    status = row.status
    if status in _OWN_ONLY or (status is OrderStatus.FILLED and filled < row.quantity):
        status = OrderStatus.PENDING  # contradicts itself or is no broker's state: live until a better row
    elif row.quantity > 0 and filled >= row.quantity:
        status = OrderStatus.FILLED
    return Line(
        broker_order_id=row.broker_order_id,
        exchange_order_id=row.exchange_order_id or "",
        status=status,
        type=row.type,
        quantity=row.quantity,
        price=row.price,
        trigger=row.trigger,
        filled=filled,
        average_price=max(row.average_price, 0),
        read_at=row.read_at,
        changed_at=now,
        order_time=row.order_time,
        reject_kind=row.reject_kind,
        message=row.message,
    )


def merged(old: Line, new: Line) -> Line:
    """What to believe of one broker order after one more row."""
    old_final, new_final = old.status in FINAL, new.status in FINAL
    # Of two rows of one instant, one that is still on its way to the exchange is the older: a book may be begun before
    # and read after the socket's word.
    on_its_way = new.status is OrderStatus.PENDING and old.status is not OrderStatus.PENDING
    newer = new.read_at > old.read_at or (new.read_at == old.read_at and not on_its_way)
    take_new = (new_final and not old_final) or (new_final == old_final and newer)
    if old_final and new_final:
        take_new = False
    base = new if take_new else old
    filled = max(old.filled, new.filled)
    source = new if new.filled > old.filled or (new.filled == old.filled and new.average_price > 0) else old
    status = base.status
    if base.quantity > 0 and filled >= base.quantity:
        status = OrderStatus.FILLED
    changed = status is not old.status or filled != old.filled
    return replace(
        base,
        filled=filled,
        average_price=source.average_price or old.average_price,
        status=status,
        exchange_order_id=base.exchange_order_id or old.exchange_order_id or new.exchange_order_id,
        read_at=max(old.read_at, new.read_at),
        changed_at=new.changed_at if changed else old.changed_at,
    )


def _merge(t: Turn, order: Order, row: OrderRow) -> None:
    new = _line_of(row, t.now)
    before = 0
    lines = list(order.lines)
    for index, old in enumerate(lines):
        if old.broker_order_id == new.broker_order_id:
            before = old.filled
            new = replace(new, filled=max(old.filled, new.filled)) if order.absent else merged(old, new)
            if new == old and order.own is not OrderStatus.UNKNOWN:
                return
            lines[index] = new
            break
    else:
        lines.append(new)
    was_absent = order.absent
    fresh = order.own in FINAL and not order.lines
    changed = replace(
        order,
        own=OrderStatus.SENT,
        answered=True,
        lines=tuple(lines),
        broker_order_id=lines[0].broker_order_id,
        absent=False,
        absent_reads=0,
        late=order.late or was_absent or fresh,
        handled=order.handled and new.status in FINAL and not fresh,
    )
    if changed.tag in t.s.queue and order.own is OrderStatus.UNKNOWN:
        queue_done(t, changed.tag)
    if was_absent or fresh:
        if new.status not in FINAL:  # its run is not over while it may still trade
            t.s.run_open, t.s.ended = True, False
        t.alert(
            "critical", "OrderAppeared", f"order {order.tag} ({order.leg}) appeared after it was believed not to exist"
        )
    t.put(changed, tell=view_of(changed, 0) != view_of(order, 0))  # a book read again is no news
    if new.filled > before:
        _filled(t, changed, new, new.filled - before)


def _filled(t: Turn, order: Order, line: Line, more: int) -> None:
    s = t.s
    t.out.append(
        Filled(
            tag=order.tag,
            broker_order_id=line.broker_order_id,
            side=order.side,
            quantity=more,
            price=line.average_price or line.price,
        )
    )
    s.progress_at = t.now
    s.ended = False
    s.run_open = True
    if order.leg is Leg.ENTRY:
        s.entered = True
        if not s.gather_at:
            s.gather_at = t.now + s.constants.gather_ms


def _foreign(t: Turn, row: OrderRow) -> None:
    """An untagged order of the account in our symbol and product: the trader's own hand, or the broker's."""
    s = t.s
    old = s.foreign.get(row.broker_order_id)
    filled = min(max(row.filled, 0), max(row.quantity, 0))
    if filled > (old.filled if old is not None else 0) and not (s.run_open and s.entry_started):
        s.positions_at = 0  # what the account holds has changed: an entry needs to know anew
        s.next_positions_at = min(s.next_positions_at, t.now)
    if old is None:
        first = min((line.order_time for o in s.orders.values() if o.leg is Leg.ENTRY for line in o.lines), default=0)
        before_ours = not s.entry_started or (0 < row.order_time < first)
        s.foreign[row.broker_order_id] = Foreign(
            side=row.side, filled=filled, baseline=filled if before_ours else 0, price=max(row.average_price, 0)
        )
        return
    if filled > old.filled:
        baseline = old.baseline if s.entry_started else filled
        s.foreign[row.broker_order_id] = replace(old, filled=filled, baseline=baseline, price=max(row.average_price, 0))


def regroup(t: Turn) -> None:
    """Whose shares are held: those of this run, and of earlier ones what nothing has sold.

    A fill that comes after its run is ours to protect or to sell, so its order becomes this run's. What an earlier run
    bought and sold does not: after a restart it is read anew, and its price would move this run's stop.
    """
    s = t.s
    if not s.first_attempt:
        _tell_runs_apart(t)
    own = sum(
        filled(order) if order.leg is Leg.ENTRY else -filled(order) for order in s.orders.values() if order.run == s.run
    )
    excess = held(s) - own
    for order in sorted(s.orders.values(), key=lambda order: -order.attempt):
        count = filled(order)
        if excess <= 0:
            return
        if order.leg is Leg.ENTRY and order.run != s.run and count:
            excess -= count
            t.put(replace(order, run=s.run), tell=False)
            t.alert("critical", "LateFill", f"{count} shares of order {order.tag} of an earlier run were bought")


def _tell_runs_apart(t: Turn) -> None:
    """The book alone names no runs: an entry that begins with nothing held, after others have traded, begins one."""
    s = t.s
    begun = net = 0
    traded = False
    orders = sorted(s.orders.values(), key=lambda order: order.attempt)
    for order in orders:
        count = filled(order)
        if order.leg is Leg.ENTRY and traded and net == 0 and count:
            begun = order.attempt
        net += count if order.leg is Leg.ENTRY else -count
        traded = traded or count > 0
    for order in orders:
        if order.attempt < begun and order.run == s.run and is_final(order):
            t.put(replace(order, run=0), tell=False)
