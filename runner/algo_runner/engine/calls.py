"""Calls to the gateway and their answers.

An HTTP success of a write is `Accepted`, never a state. A refusal is of the order or of the door; a door refusal
changes no order's state. A `Place` never repeats; `Modify` and `Cancel` carry absolute values and may.
"""

from datetime import date
from typing import Final

from algo_crds.contracts import wire
from algo_crds.contracts.orders import (
    DOOR_KINDS,
    FINAL,
    Leg,
    OrderClass,
    OrderStatus,
    OrderType,
    RejectKind,
)
from algo_crds.contracts.tags import MAX_ATTEMPT, make_tag
from msgspec.structs import replace

from algo_runner.engine.actions import Intent, Journal, Queue
from algo_runner.engine.state import Ask, Call, Order
from algo_runner.engine.turn import Turn

KEPT_ASKS: Final = 8
CANCEL_AGAIN_MS: Final = 2_000
LOST_AFTER_MS: Final = 15_000
"""A call without any answer for so long (send-before plus HTTP time-out, and some) has an unknown outcome."""


def backoff(t: Turn, rejects: int) -> int:
    """How long to wait after the n-th refusal in a row (n from 1)."""
    steps = t.s.constants.reject_backoff_ms
    return steps[min(max(rejects, 1), len(steps)) - 1]


def _request(t: Turn, call: Call) -> int:
    req = t.s.next_req
    t.s.next_req = req + 1
    t.s.calls[req] = call
    return req


def place(t: Turn, leg: Leg, order_class: OrderClass, ask: Ask) -> None:
    """Send a new order under the next attempt. An entry's intent must be in the journal first; a sell waits for
    nothing."""
    s = t.s
    attempt = s.highest + 1
    if attempt > MAX_ATTEMPT:
        t.alert("critical", "TagsExhausted", "no more orders can be named today; a person must close the position")
        return
    s.highest = attempt
    tag = make_tag(s.hash8, date.fromisoformat(s.day), leg, attempt)
    side = s.spec.spec.side if leg is Leg.ENTRY else t.exit_side
    send_before = t.now + s.constants.send_before_ms
    order = Order(
        tag=tag,
        leg=leg,
        attempt=attempt,
        run=s.run,
        side=side,
        own=OrderStatus.SENT,
        ask=ask,
        asks=(ask,),
        send_before=send_before,
    )
    req = _request(t, Call(kind="place", at=t.now, tag=tag))
    s.journal_seq += 1
    intent = Intent(
        seq=s.journal_seq,
        epoch=s.epoch,
        day=s.day,
        run=s.run,
        first_attempt=s.first_attempt,
        tag=tag,
        leg=leg,
        side=side,
        type=ask.type,
        quantity=ask.quantity,
        price=ask.price,
        trigger=ask.trigger,
        at=t.now,
        send_before=send_before,
    )
    action = wire.Place(
        req=req,
        tag=tag,
        leg=leg,
        order_class=order_class,
        side=side,
        type=ask.type,
        quantity=ask.quantity,
        price=ask.price,
        trigger=ask.trigger,
        product=s.spec.spec.product,
        send_before=send_before,
    )
    entering = leg is Leg.ENTRY
    written = Journal(entry=intent, before_send=entering)
    t.out.extend((written, action) if entering else (action, written))
    s.last_action = f"place {leg} {tag}"
    t.put(order)


def modify(t: Turn, order: Order, ask: Ask, order_class: OrderClass, *, convert: bool = False) -> None:
    """Change a live order to absolute values (`ask.quantity` is the total, filled part included)."""
    if not order.broker_order_id:
        return
    req = _request(t, Call(kind="modify", at=t.now, tag=order.tag, convert=convert, previous=order.ask))
    t.out.append(
        wire.Modify(
            req=req,
            broker_order_id=order.broker_order_id,
            tag=order.tag,
            order_class=order_class,
            type=ask.type,
            quantity=ask.quantity,
            price=ask.price,
            trigger=ask.trigger,
            send_before=t.now + t.s.constants.send_before_ms,
        )
    )
    t.s.last_action = "convert stop to exit" if convert else f"modify {order.leg} {order.tag}"
    changed = replace(
        order,
        busy=req,
        ask=ask,
        asks=(*order.asks, ask)[-KEPT_ASKS:],
        modifications=order.modifications + 1,
        converted=order.converted or convert,
        refused_at=0,
    )
    t.put(changed, tell=False)


def cancel(t: Turn, order: Order, order_class: OrderClass, broker_order_id: str = "") -> None:
    """Ask for the end of a live order; only a row says that it has ended."""
    target = broker_order_id or order.broker_order_id
    if not target:
        return
    req = _request(t, Call(kind="cancel", at=t.now, tag=order.tag))
    t.out.append(
        wire.Cancel(
            req=req,
            broker_order_id=target,
            tag=order.tag,
            order_class=order_class,
            send_before=t.now + t.s.constants.send_before_ms,
        )
    )
    t.s.last_action = f"cancel {order.leg} {order.tag}"
    t.put(replace(order, busy=req, cancel_asked=True, cancel_at=t.now, refused_at=0), tell=False)


def read_book(t: Turn, *, urgent: bool) -> None:
    """Ask for the order book, unless an answer is awaited."""
    if not _awaited(t, "book"):
        t.out.append(wire.ReadBook(req=_request(t, Call(kind="book", at=t.now)), urgent=urgent))


def read_positions(t: Turn) -> None:
    """Ask for the account's positions, unless an answer is awaited."""
    if not _awaited(t, "positions"):
        t.out.append(wire.ReadPositions(req=_request(t, Call(kind="positions", at=t.now))))


def read_quote(t: Turn) -> None:
    """Ask for a quote, at most one a second."""
    if t.now >= t.s.next_quote_at:
        t.s.next_quote_at = t.now + 1_000
        t.out.append(wire.ReadQuote(req=_request(t, Call(kind="quote", at=t.now))))


def _awaited(t: Turn, kind: str) -> bool:
    return any(call.kind == kind for call in t.s.calls.values())


def expire(t: Turn) -> None:
    """Calls that nobody answers: a place is unknown, the rest may be made again."""
    for req, call in tuple(t.s.calls.items()):
        limit = 2_000 if call.kind == "quote" else LOST_AFTER_MS
        if t.due(call.at + limit):
            unknown(t, wire.Unknown(now=t.now, req=req, reason="no answer"))


def _answered(t: Turn, req: int) -> tuple[Call, Order | None] | None:
    call = t.s.calls.pop(req, None)
    if call is None:
        return None
    order = t.s.orders.get(call.tag) if call.tag else None
    if order is not None and order.busy == req:
        order = replace(order, busy=0)
        t.s.orders[order.tag] = order
    return call, order


def accepted(t: Turn, event: wire.Accepted) -> None:
    """The broker has taken a write: its id is known, its state is not."""
    found = _answered(t, event.req)
    if found is None:
        return
    call, order = found
    if order is None:
        return
    if call.kind != "place":
        t.put(replace(order, rejects=0), tell=False)
        return
    order = replace(order, answered=True, accepted_at=t.now)
    if not order.broker_order_id:
        order = replace(order, broker_order_id=event.broker_order_id)
    t.put(order)
    if order.tag in t.s.queue:
        queue_done(t, order.tag)


def rejected(t: Turn, event: wire.Rejected) -> None:
    """A certain refusal, of the order or of the door."""
    found = _answered(t, event.req)
    if found is None:
        return
    call, order = found
    door = event.kind in DOOR_KINDS
    if order is None:
        if call.kind == "book":
            t.s.book_failures += 1
        return
    rejects = order.rejects + 1
    retry_at = max(t.now + backoff(t, rejects), event.retry_at)
    if call.kind == "place":
        if event.kind is RejectKind.DUPLICATE_TAG:
            _unknown_place(t, order, "the door has forwarded this tag before")
            return
        if order.lines:  # a row is believed before an answer
            return
        own = OrderStatus.NOT_SENT if door else OrderStatus.REJECTED
        t.put(replace(order, own=own, answered=True, reject_kind=event.kind, message=event.message, retry_at=retry_at))
        queue_waiting(t, order.tag, event.kind.value, event.message, retry_at)
        return
    changed = replace(
        order,
        rejects=rejects,
        retry_at=retry_at,
        last_refusal=t.now,
        refused_price=order.ask.price,
        message=event.message,
    )
    if call.kind == "modify" and call.previous is not None:
        changed = replace(changed, ask=call.previous, converted=order.converted and not call.convert)
    if not door:
        too_many = event.kind is RejectKind.TOO_MANY_CHANGES
        changed = replace(
            changed,
            refused_at=t.now,
            refused_convert=call.convert,
            no_modify=order.no_modify or too_many,
            reject_kind=event.kind,
        )
        t.s.next_book_at = t.now
    t.put(changed)
    queue_waiting(t, order.tag, event.kind.value, event.message, retry_at)


def not_sent(t: Turn, event: wire.NotSent) -> None:
    """Certain: no byte left the door."""
    found = _answered(t, event.req)
    if found is None:
        return
    call, order = found
    if order is None:
        return
    if call.kind == "place":
        if not order.lines:
            retry_at = t.now + backoff(t, 1)
            t.put(replace(order, own=OrderStatus.NOT_SENT, answered=True, message=event.reason, retry_at=retry_at))
            queue_waiting(t, order.tag, "NotSent", event.reason, retry_at)
        return
    changed = replace(order, message=event.reason)
    if call.kind == "modify" and call.previous is not None:
        changed = replace(changed, ask=call.previous, converted=order.converted and not call.convert)
    elif call.kind == "cancel":
        changed = replace(changed, cancel_at=0)
    t.put(changed, tell=False)


def unknown(t: Turn, event: wire.Unknown) -> None:
    """Nobody saw the outcome. A placed order is looked up by its tag; a modify or cancel shows in the order's row."""
    found = _answered(t, event.req)
    if found is None:
        return
    call, order = found
    t.s.next_book_at = min(t.s.next_book_at, t.now)
    if order is not None and call.kind == "place":
        _unknown_place(t, order, event.reason)


def _unknown_place(t: Turn, order: Order, reason: str) -> None:
    if order.leg is Leg.ENTRY and not t.s.entry_barred:
        t.s.entry_barred = "the outcome of an entry was unknown"
    if order.lines or order.own in FINAL:
        t.put(replace(order, was_unknown=True), tell=False)
        return
    t.put(replace(order, own=OrderStatus.UNKNOWN, was_unknown=True, message=reason))
    t.alert("critical", "OutcomeUnknown", f"the outcome of order {order.tag} ({order.leg}) was not seen; looking it up")
    queue_waiting(t, order.tag, "Unknown", reason, 0)


def queue_waiting(t: Turn, tag: str, cause: str, message: str, next_try: int) -> None:
    """Record a failure in the order queue: a record, never an order to replay."""
    attempts = t.s.queue.get(tag, 0) + 1
    t.s.queue[tag] = attempts
    t.out.append(Queue(tag=tag, state="Waiting", cause=cause, message=message, attempts=attempts, next_try=next_try))


def queue_done(t: Turn, tag: str) -> None:
    """What was recorded is settled."""
    attempts = t.s.queue.pop(tag, 0)
    t.out.append(Queue(tag=tag, state="Done", cause="Settled", message="", attempts=attempts))


def limit_ask(t: Turn, quantity: int, price: int) -> Ask:
    """The values of a limit order."""
    return Ask(at=t.now, type=OrderType.LIMIT, quantity=quantity, price=price)


def stop_ask(t: Turn, quantity: int, trigger: int, price: int) -> Ask:
    """The values of a stop-limit order."""
    return Ask(at=t.now, type=OrderType.STOP_LIMIT, quantity=quantity, price=price, trigger=trigger)


def press_cancel(t: Turn, order: Order, order_class: OrderClass) -> None:
    """Cancel a live order, again and again with a pause, until a row shows its end."""
    if order.busy or not order.broker_order_id or not t.due(order.retry_at):
        return
    if order.cancel_asked and order.cancel_at and not t.due(order.cancel_at + CANCEL_AGAIN_MS):
        return
    live = [line.broker_order_id for line in order.lines if line.status not in FINAL]
    cancel(t, order, order_class, live[0] if live else order.broker_order_id)
