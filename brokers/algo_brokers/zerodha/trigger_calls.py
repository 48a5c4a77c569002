"""Lasting trigger orders over the calls: what the broker would refuse is not sent."""

from algo_brokers.calls import ReadCall, WriteCall
from algo_brokers.outcomes import WriteOutcome
from algo_brokers.port import Triggers
from algo_brokers.records import InstrumentRef, NewTrigger, TriggerRow
from algo_brokers.zerodha import gtt
from algo_brokers.zerodha.responses import read_data


def create_triggers(write: WriteCall, read: ReadCall) -> Triggers:
    """GTTs of one account."""

    async def place(*, trigger: NewTrigger) -> WriteOutcome:
        return gtt.refused(trigger) or await write(lambda held: gtt.place(held, trigger))

    async def modify(*, trigger_id: str, trigger: NewTrigger) -> WriteOutcome:
        return gtt.refused(trigger) or await write(lambda held: gtt.modify(held, trigger_id, trigger))

    async def cancel(*, trigger_id: str, instrument: InstrumentRef) -> WriteOutcome:  # noqa: ARG001 - the port's
        return await write(lambda held: gtt.cancel(held, trigger_id))

    async def rows() -> tuple[TriggerRow, ...]:
        return await read(gtt.read, lambda answer: gtt.rows(bytes(read_data(answer))))

    return Triggers(place=place, modify=modify, cancel=cancel, read=rows)
