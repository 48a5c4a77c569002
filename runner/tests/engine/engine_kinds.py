"""What kinds of event a sequence really brought: an operation that never takes effect tests nothing."""

from collections.abc import Iterator
from typing import Final

from algo_crds.contracts import wire
from algo_crds.contracts.orders import DOOR_KINDS, FINAL, Leg, OrderStatus, RejectKind
from algo_runner.engine.events import Disconnected, Event, SpecChanged
from algo_runner.engine.orders import filled
from algo_runner.engine.state import Line, State

CALLS: Final = ("place", "modify", "cancel")
EXPECTED: Final = frozenset(
    {
        *(f"{leg} filled {how}" for leg in Leg for how in ("in part", "whole")),
        *(f"order refused: {kind}" for kind in RejectKind if kind not in DOOR_KINDS),
        *(f"refused by the door: {kind}" for kind in DOOR_KINDS),
        *("refused by the order system", "refused in a row"),
        *(f"{what} {call}" for call in CALLS for what in ("refused", "unknown", "unanswered", "not sent")),
        *(f"row: {what}" for what in ("again", "late", "live after final", "fewer fills", "after absent")),
        *(f"restart: {how}" for how in ("snapshot", "journal", "book", "old", "lagging")),
        *(f"hand: {what}" for what in ("sold", "bought", "cancelled the stop", "cancelled the exit", "moved the stop")),
        *("gap", "disconnected", "book unreadable", "order missing in the book"),
        *("halt", "account halted", "breaker open", "session over", "journal not writable", "kill"),
    }
)
"""Every kind that the engine must have met."""


def kinds_of(event: Event, before: State, after: State) -> Iterator[str]:
    """The kinds that one step was an example of."""
    match event:
        case wire.Rejected():
            call = before.calls.get(event.req)
            if call is not None and call.tag:
                yield f"refused {call.kind}"
                if event.kind in DOOR_KINDS:
                    yield f"refused by the door: {event.kind}"
                else:
                    yield from ("refused by the order system", f"order refused: {event.kind}")
        case wire.Unknown() | wire.NotSent():
            call = before.calls.get(event.req)
            if call is not None and call.tag:
                yield f"{'unknown' if isinstance(event, wire.Unknown) else 'not sent'} {call.kind}"
        case wire.Row():
            yield from _row(event, before)
        case wire.Book() if event.unavailable:
            yield "book unreadable"
        case wire.UpdatesGap():
            yield "gap"
        case Disconnected():
            yield "disconnected"
        case SpecChanged() if event.spec.halts:
            yield "halt"
        case wire.BrokerHealth():
            yield from _health(event)
        case _:
            pass
    yield from _beliefs(event, before, after)


def _health(event: wire.BrokerHealth) -> Iterator[str]:
    if event.halted:
        yield "account halted"
    if event.breaker_open:
        yield "breaker open"
    if event.session_valid_until <= event.now:
        yield "session over"


def _row(event: wire.Row, before: State) -> Iterator[str]:
    row = event.row
    order = before.orders.get((row.tag or "").lower())
    if order is None:
        return
    if order.absent:
        yield "row: after absent"
    for line in order.lines:
        if line.broker_order_id != row.broker_order_id:
            continue
        if row.read_at < line.read_at:
            yield "row: late"
        if _shown(line) == (row.status, row.type, row.quantity, row.price, row.trigger, row.filled):
            yield "row: again"
        if line.status in FINAL and row.status not in FINAL:
            yield "row: live after final"
        if row.filled < line.filled:
            yield "row: fewer fills"


def _shown(line: Line) -> tuple[object, ...]:
    return line.status, line.type, line.quantity, line.price, line.trigger, line.filled


def _beliefs(event: Event, before: State, after: State) -> Iterator[str]:
    if not after.journal_writable:
        yield "journal not writable"
    if after.killed:
        yield "kill"
    for req, call in before.calls.items():
        silent = req not in after.calls and call.tag and not isinstance(event, wire.Welcome)
        if silent and getattr(event, "req", None) != req:
            yield f"unanswered {call.kind}"
    for tag, order in after.orders.items():
        old = before.orders.get(tag)
        more = filled(order) - (filled(old) if old is not None else 0)
        if more > 0:
            yield f"{order.leg} filled {'whole' if filled(order) >= order.ask.quantity else 'in part'}"
        line, was = order.lines[:1], old.lines[:1] if old is not None else ()
        if line and line[0].status is OrderStatus.REJECTED and line != was and line[0].reject_kind is not None:
            yield from ("refused in a row", f"order refused: {line[0].reject_kind}")
        if old is not None and order.absent_reads > old.absent_reads:
            yield "order missing in the book"
