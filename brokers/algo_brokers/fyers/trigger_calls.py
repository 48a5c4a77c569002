"""Lasting trigger orders over the calls: what cannot be is refused before anything is sent."""

from algo_crds.contracts.orders import RejectKind

from algo_brokers.calls import ReadCall, WriteCall
from algo_brokers.errors import BrokerError
from algo_brokers.fyers import gtt
from algo_brokers.fyers.envelope import read_body
from algo_brokers.outcomes import Rejected, WriteOutcome
from algo_brokers.port import Triggers
from algo_brokers.records import InstrumentRef, NewTrigger, TriggerRow


def create_triggers(write: WriteCall, read: ReadCall) -> Triggers:
    """The calls of one account."""

    async def rows() -> tuple[TriggerRow, ...]:
        return await read(gtt.book, lambda answer: gtt.rows(read_body(answer)))

    async def place(*, trigger: NewTrigger) -> WriteOutcome:
        return gtt.refused(trigger) or await write(lambda held: gtt.place(held, trigger))

    async def modify(*, trigger_id: str, trigger: NewTrigger) -> WriteOutcome:
        refused = gtt.refused(trigger)
        if refused is not None:
            return refused
        try:
            listed = await rows()
        except BrokerError as error:
            return Rejected(
                kind=RejectKind.BROKER_DOWN, message=f"nothing was changed, the list cannot be read: {error}"
            )
        refused = gtt.not_changeable(listed, trigger_id, trigger)
        return refused or await write(lambda held: gtt.modify(held, trigger_id, trigger))

    async def cancel(*, trigger_id: str, instrument: InstrumentRef) -> WriteOutcome:  # noqa: ARG001 - the port's
        return await write(lambda held: gtt.cancel(held, trigger_id))

    return Triggers(place=place, modify=modify, cancel=cancel, read=rows)
