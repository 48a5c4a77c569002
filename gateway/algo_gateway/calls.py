"""From a door's `Send` to a broker call and back to the runner's message. One call, once; the unseen is Unknown."""

import logging
from collections.abc import Callable
from typing import Final

from algo_brokers.outcomes import Accepted, Rejected, WriteOutcome
from algo_brokers.port import Broker
from algo_brokers.records import Change, InstrumentRef, NewOrder, OrderRef
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, Product
from algo_crds.contracts.tags import parse_tag

from algo_gateway.crash_points import AFTER_ACCEPT, BEFORE_SEND, CrashPoint
from algo_gateway.door.effects import Write

log: Final = logging.getLogger("algo_gateway.calls")

Outcome = wire.Accepted | wire.Rejected | wire.Unknown | wire.NotSent


async def perform(
    broker: Broker,
    write: Write,
    *,
    instrument: InstrumentRef,
    product: Product,
    algo_id: str,
    now: Callable[[], int],
    crash: CrashPoint,
) -> Outcome:
    """Make the broker call of a write and say what became of it. `algo_id`: the exchange's number of the algorithm,
    empty if it has none."""
    crash(BEFORE_SEND)
    try:
        outcome = await _call(broker, write, instrument, product, algo_id)
    except Exception as error:  # whatever an adapter raises by mistake, the order may stand at the exchange
        log.exception("a broker call ended unseen")
        return wire.Unknown(now=now(), req=write.req, reason=f"adapter error: {type(error).__name__}")
    crash(AFTER_ACCEPT)
    return message_of(outcome, write.req, now())


async def _call(
    broker: Broker, write: Write, instrument: InstrumentRef, product: Product, algo_id: str
) -> WriteOutcome:
    if isinstance(write, wire.Place):
        new = NewOrder(
            tag=write.tag,
            instrument=instrument,
            side=write.side,
            type=write.type,
            quantity=write.quantity,
            price=write.price,
            trigger=write.trigger,
            product=write.product,
            algo_id=algo_id,
        )
        return await broker.place(order=new)
    tag = parse_tag(write.tag)
    order = OrderRef(
        broker_order_id=write.broker_order_id,
        tag=write.tag,
        instrument=instrument,
        product=product,
        leg=tag.leg if tag is not None else Leg.ENTRY,
    )
    if isinstance(write, wire.Modify):
        change = Change(
            order=order,
            type=write.type,
            quantity=write.quantity,
            price=write.price,
            trigger=write.trigger,
        )
        return await broker.modify(change=change)
    return await broker.cancel(order=order)


def message_of(outcome: WriteOutcome, req: int, now: int) -> Outcome:
    """The runner's message of an outcome."""
    if isinstance(outcome, Accepted):
        return wire.Accepted(now=now, req=req, broker_order_id=outcome.broker_order_id)
    if isinstance(outcome, Rejected):
        return wire.Rejected(now=now, req=req, kind=outcome.kind, message=outcome.message)
    return wire.Unknown(now=now, req=req, reason=outcome.reason)
