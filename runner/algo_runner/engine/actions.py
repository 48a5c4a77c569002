"""What the engine wants done, in the order in which the shell must do it.

How the shell treats each kind:

* `wire.Place`, `wire.Modify`, `wire.Cancel`, `wire.ReadBook`, `wire.ReadPositions`, `wire.ReadQuote`: encode and send
  on the gateway connection, as they are. Without a connection drop them: the next `Welcome` makes the engine ask anew.
* `Journal`: append to the journal. `before_send=True` (entries): it must be on disk (fsync) *before the next action of
  the same step is done*; if that fails, do not send the `Place` that follows, and feed
  `wire.NotSent(req=<its req>, reason="journal")` back. `before_send=False`: send first, write when possible.
* `SetPhase`, `SetCondition`, `OrderChanged`, `Filled`, `Alert`, `Queue`: for people; `as_event` turns each into the
  event of `strategy:{id}:events`.
* `WakeAt`: the instant of the next `Clock`; it replaces the earlier one; 0 means never.

Before doing a step's actions the shell calls `invariants.refuses(state, action)` for each `Place` and `Modify`.
"""

import msgspec
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderType, Side
from algo_crds.contracts.runtime import (
    AlertEvent,
    ConditionEvent,
    FillEvent,
    OrderEvent,
    OrderView,
    Phase,
    PhaseEvent,
    QueueEvent,
    StrategyEvent,
)


class Intent(msgspec.Struct, frozen=True, kw_only=True, tag="intent", tag_field="kind"):
    """An order that is about to be sent: after a restart, one without an outcome is `Unknown`, never run again."""

    seq: int
    """Position in this strategy's journal as the engine counts it; a snapshot holds the last one it knows."""
    epoch: int
    day: str
    run: int
    first_attempt: int
    tag: str
    leg: Leg
    side: Side
    type: OrderType
    quantity: int
    price: int
    trigger: int
    at: int
    send_before: int


class Note(msgspec.Struct, frozen=True, kw_only=True, tag="note", tag_field="kind"):
    """Something worth keeping for the audit; replay ignores it."""

    seq: int
    epoch: int
    day: str
    at: int
    what: str
    detail: str = ""


JournalEntry = Intent | Note


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """Append to the journal."""

    entry: JournalEntry
    before_send: bool = False


class SetPhase(msgspec.Struct, frozen=True, kw_only=True):
    """The phase or its reason changed."""

    previous: Phase
    current: Phase
    reason: str
    message: str = ""


class SetCondition(msgspec.Struct, frozen=True, kw_only=True):
    """A condition's status or reason changed."""

    name: str
    previous: str
    current: str
    reason: str
    message: str = ""


class OrderChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An order of ours changed; `wall_time` inside is 0 for the shell to fill."""

    order: OrderView


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """More was filled; an empty tag is the trader's own hand or the broker's square-off."""

    tag: str
    broker_order_id: str
    side: Side
    quantity: int
    price: int


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person should read; `severity` is info, warning or critical."""

    severity: str
    code: str
    message: str


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the order queue (key `strategy:{id}:orders`): a record, never an order to replay.

    `state`: Waiting (the engine tries again at `next_try`), NeedsPerson, or Done (remove it).
    """

    tag: str
    state: str
    cause: str
    message: str
    attempts: int
    next_try: int = 0


class WakeAt(msgspec.Struct, frozen=True, kw_only=True):
    """When the engine wants a `Clock` at the latest; 0: never."""

    at: int


Write = wire.Place | wire.Modify | wire.Cancel
Call = Write | wire.ReadBook | wire.ReadPositions | wire.ReadQuote
Action = Call | Journal | SetPhase | SetCondition | OrderChanged | Filled | Alert | Queue | WakeAt


def as_event(action: Action, now: int, wall_time: int) -> StrategyEvent | None:
    """The event of `strategy:{id}:events` that tells people of an action, or None where there is nothing to tell."""
    match action:
        case SetPhase():
            return PhaseEvent(
                time=now,
                wall_time=wall_time,
                previous=action.previous,
                current=action.current,
                reason=action.reason,
                message=action.message,
            )
        case SetCondition():
            return ConditionEvent(
                time=now,
                wall_time=wall_time,
                name=action.name,
                previous=action.previous,
                current=action.current,
                reason=action.reason,
                message=action.message,
            )
        case OrderChanged():
            order = msgspec.structs.replace(action.order, wall_time=wall_time)
            return OrderEvent(time=now, wall_time=wall_time, order=order)
        case Filled():
            return FillEvent(
                time=now,
                wall_time=wall_time,
                tag=action.tag,
                broker_order_id=action.broker_order_id,
                side=action.side,
                quantity=action.quantity,
                price=action.price,
            )
        case Alert():
            return AlertEvent(
                time=now, wall_time=wall_time, severity=action.severity, code=action.code, message=action.message
            )
        case Queue():
            return QueueEvent(
                time=now,
                wall_time=wall_time,
                tag=action.tag,
                state=action.state,
                cause=action.cause,
                message=action.message,
                attempts=action.attempts,
                next_try=action.next_try,
            )
        case _:
            return None
