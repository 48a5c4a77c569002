"""Forever orders over the wire. A change of two legs is two calls, and what became of them is told as one outcome."""

import msgspec
from algo_crds.contracts.orders import RejectKind

from algo_brokers.calls import ReadCall, WriteCall
from algo_brokers.dhan import forever
from algo_brokers.dhan.answers import good
from algo_brokers.dhan.names import Words
from algo_brokers.errors import AddressRefused, BrokerError, SessionRefused, TooManyRequests
from algo_brokers.outcomes import Accepted, Rejected, Unknown, WriteOutcome
from algo_brokers.port import Triggers
from algo_brokers.records import InstrumentRef, NewTrigger, TriggerRow


def create_triggers(write: WriteCall, read: ReadCall, words: Words) -> Triggers:
    """The account's lasting trigger orders."""

    async def place(*, trigger: NewTrigger) -> WriteOutcome:
        try:
            known = msgspec.structs.replace(trigger, instrument=words.ref_of(trigger.instrument))
            reason = forever.why_not(known)
        except ValueError as error:
            return Rejected(kind=RejectKind.ORDER_OTHER, message=str(error))
        if reason:
            return Rejected(kind=RejectKind.PRODUCT, message=reason)
        return await write(lambda held: forever.place(held, known))

    async def modify(*, trigger_id: str, trigger: NewTrigger) -> WriteOutcome:
        try:
            listed = await read(forever.read, lambda answer: forever.legs_of(good(answer), trigger_id))
        except BrokerError as error:
            return Rejected(kind=_kind(error), message=f"the list of forever orders could not be read: {error}")
        if not listed or len(listed) != len(trigger.legs):
            text = f"the list shows {len(listed)} legs of {trigger_id}, not {len(trigger.legs)}: cancel and place anew"
            return Rejected(kind=RejectKind.NOT_MODIFIABLE, message=text)
        done: WriteOutcome = Accepted(broker_order_id=trigger_id)
        for count, (old, new) in enumerate(forever.changes(listed, trigger)):
            done = await write(lambda held, old=old, new=new: forever.modify(held, old, new))  # type: ignore[misc]
            if isinstance(done, Accepted):
                continue
            if count:
                told = done.message if isinstance(done, Rejected) else done.reason
                return Unknown(reason=f"one leg of {trigger_id} was changed, the other was not: {told}")
            return done
        return done

    async def cancel(*, trigger_id: str, instrument: InstrumentRef) -> WriteOutcome:  # noqa: ARG001 - of the port
        return await write(lambda held: forever.cancel(held, trigger_id))

    async def listed() -> tuple[TriggerRow, ...]:
        return await read(forever.read, lambda answer: forever.rows(good(answer), words))

    return Triggers(place=place, modify=modify, cancel=cancel, read=listed)


def _kind(error: BrokerError) -> RejectKind:
    """Nothing was changed: a refusal of the door."""
    if isinstance(error, SessionRefused):
        return RejectKind.SESSION
    if isinstance(error, TooManyRequests):
        return RejectKind.RATE
    return RejectKind.ADDRESS if isinstance(error, AddressRefused) else RejectKind.BROKER_DOWN
