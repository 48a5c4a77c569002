"""Calls for lasting trigger orders; what the broker would refuse is not sent."""

from functools import partial

from algo_brokers.adapter_parts import AdapterParts
from algo_brokers.angelone import envelope, gtt
from algo_brokers.angelone.names import Names
from algo_brokers.angelone.order_calls import unlisted
from algo_brokers.calls import ReadCall, SessionCalls, create_write_call
from algo_brokers.errors import BadAnswer
from algo_brokers.http import HttpAnswer
from algo_brokers.outcomes import WriteOutcome
from algo_brokers.port import Triggers
from algo_brokers.records import InstrumentRef, NewTrigger, TriggerRow


def create_triggers(parts: AdapterParts, sessions: SessionCalls, read_call: ReadCall, names: Names) -> Triggers:
    """GTT rules of one account; writes leave from the registered address."""
    write_call = create_write_call(parts.write, sessions, envelope.rule_outcome)
    address = parts.registered_address

    async def place(*, trigger: NewTrigger) -> WriteOutcome:
        known = names.known(trigger)
        if known is None:
            return unlisted(trigger.instrument)
        refused = gtt.refusal(known, change=False)
        return refused or await write_call(lambda held: gtt.create(held, known, address=address))

    async def modify(*, trigger_id: str, trigger: NewTrigger) -> WriteOutcome:
        known = names.known(trigger)
        if known is None:
            return unlisted(trigger.instrument)
        refused = gtt.refusal(known, change=True)
        return refused or await write_call(lambda held: gtt.modify(held, trigger_id, known, address=address))

    async def cancel(*, trigger_id: str, instrument: InstrumentRef) -> WriteOutcome:
        known = names.resolve(instrument)
        if known is None:
            return unlisted(instrument)
        return await write_call(lambda held: gtt.cancel(held, trigger_id, known, address=address))

    def parse(answer: HttpAnswer) -> tuple[TriggerRow, ...]:
        return gtt.rows(envelope.read_list(answer), name_of=names.name_of)

    async def read() -> tuple[TriggerRow, ...]:
        found: list[TriggerRow] = []
        for page in range(1, gtt.MAX_PAGES + 1):
            rows = await read_call(partial(gtt.rule_list, page=page), parse)
            found += rows
            if len(rows) < gtt.PAGE:
                return tuple(found)
        raise BadAnswer(f"the list of rules does not end after {gtt.MAX_PAGES} pages")

    return Triggers(place=place, modify=modify, cancel=cancel, read=read)
