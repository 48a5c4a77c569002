"""Order calls and the reads of orders: which id, which list and which answer belong together."""

from dataclasses import dataclass
from functools import partial

from algo_crds.contracts.orders import OrderRow, RejectKind

from algo_brokers.adapter_parts import AdapterParts
from algo_brokers.angelone import envelope, order_rows, requests
from algo_brokers.angelone.names import Names
from algo_brokers.angelone.order_ids import UniqueIds
from algo_brokers.calls import ReadCall, SessionCalls, create_write_call
from algo_brokers.http import HttpAnswer
from algo_brokers.outcomes import Rejected, WriteOutcome
from algo_brokers.port import Cancel, Modify, Place, ReadBook, ReadByTag, ReadOrder
from algo_brokers.records import Change, InstrumentRef, NewOrder, OrderRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """Order calls, each sent once."""

    place: Place
    modify: Modify
    cancel: Cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReads:
    """The book and its parts."""

    book: ReadBook
    order: ReadOrder
    by_tag: ReadByTag


def unlisted(instrument: InstrumentRef) -> Rejected:
    """The refusal of an order that cannot be named to the broker; nothing was sent."""
    message = f"{instrument.exchange}:{instrument.symbol} is not in Angel One's list of today; load the list first"
    return Rejected(kind=RejectKind.ORDER_OTHER, message=message)


def create_writes(parts: AdapterParts, sessions: SessionCalls, names: Names, ids: UniqueIds) -> Writes:
    """Order calls through the account's registered address."""
    address = parts.registered_address
    place_call = create_write_call(parts.write, sessions, partial(envelope.place_outcome, on_ids=ids.learn))
    change_call = create_write_call(parts.write, sessions, envelope.change_outcome)

    async def place(*, order: NewOrder) -> WriteOutcome:
        known = names.known(order)
        if known is None:
            return unlisted(order.instrument)
        return await place_call(lambda held: requests.place(held, known, address=address))

    async def modify(*, change: Change) -> WriteOutcome:
        instrument = names.resolve(change.order.instrument)
        if instrument is None:
            return unlisted(change.order.instrument)
        return await change_call(lambda held: requests.modify(held, change, instrument, address=address))

    async def cancel(*, order: OrderRef) -> WriteOutcome:
        return await change_call(lambda held: requests.cancel(held, order, address=address))

    return Writes(place=place, modify=modify, cancel=cancel)


def create_order_reads(call: ReadCall, names: Names, ids: UniqueIds) -> OrderReads:
    """Reads of the day's orders."""

    async def book(*, begun_at: int) -> tuple[OrderRow, ...]:
        def parse(answer: HttpAnswer) -> order_rows.Rows:
            return order_rows.order_rows(envelope.read_list(answer), read_at=begun_at, name_of=names.name_of)

        found = await call(requests.book, parse)
        ids.learn_all(found.unique_ids)
        return found.rows

    async def order(*, broker_order_id: str, begun_at: int) -> tuple[OrderRow, ...]:
        unique = ids.of(broker_order_id)
        if unique is None:
            return tuple(row for row in await book(begun_at=begun_at) if row.broker_order_id == broker_order_id)

        def parse(answer: HttpAnswer) -> order_rows.Rows:
            return order_rows.one_order(envelope.read_list(answer), read_at=begun_at, name_of=names.name_of)

        return (await call(lambda held: requests.details(held, unique), parse)).rows

    async def by_tag(*, tag: str, begun_at: int) -> tuple[OrderRow, ...]:
        return tuple(row for row in await book(begun_at=begun_at) if (row.tag or "").lower() == tag.lower())

    return OrderReads(book=book, order=order, by_tag=by_tag)
