"""Orders over the wire: each write once, and look-ups that believe nothing but rows."""

from dataclasses import dataclass

from algo_crds.contracts.orders import OrderRow, RejectKind

from algo_brokers.calls import ReadCall, WriteCall
from algo_brokers.dhan import requests, responses
from algo_brokers.dhan.answers import error_of, good
from algo_brokers.dhan.names import Words
from algo_brokers.dhan.rejections import BAD_INPUT
from algo_brokers.http import HttpAnswer
from algo_brokers.outcomes import Rejected, WriteOutcome
from algo_brokers.port import Cancel, Modify, Place, ReadBook, ReadByTag, ReadOrder
from algo_brokers.records import Change, NewOrder, OrderRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The calls of one account's orders."""

    place: Place
    modify: Modify
    cancel: Cancel
    read_book: ReadBook
    read_order: ReadOrder
    read_by_tag: ReadByTag


def create_orders(write_call: WriteCall, read_call: ReadCall, words: Words) -> Orders:
    """Orders of one account."""

    async def place(*, order: NewOrder) -> WriteOutcome:
        try:
            known = requests.with_token(order, words)
        except ValueError as error:
            return Rejected(kind=RejectKind.ORDER_OTHER, message=str(error))
        return await write_call(lambda held: requests.place(held, known))

    async def modify(*, change: Change) -> WriteOutcome:
        return await write_call(lambda held: requests.modify(held, change))

    async def cancel(*, order: OrderRef) -> WriteOutcome:
        return await write_call(lambda held: requests.cancel(held, order.broker_order_id))

    async def read_book(*, begun_at: int) -> tuple[OrderRow, ...]:
        return await read_call(
            requests.book, lambda answer: responses.order_rows(good(answer), words, read_at=begun_at)
        )

    def found(answer: HttpAnswer, begun_at: int) -> tuple[OrderRow, ...]:
        """The rows of a look-up; the server answers an unknown id with an empty list or with DH-905."""
        if error_of(answer).code == BAD_INPUT:
            return ()
        return responses.order_rows(good(answer), words, read_at=begun_at)

    async def read_order(*, broker_order_id: str, begun_at: int) -> tuple[OrderRow, ...]:
        rows = await read_call(
            lambda held: requests.one_order(held, broker_order_id), lambda answer: found(answer, begun_at)
        )
        # Nothing found is no proof: the book is.
        rows = rows or await read_book(begun_at=begun_at)
        return tuple(row for row in rows if row.broker_order_id == broker_order_id)

    async def read_by_tag(*, tag: str, begun_at: int) -> tuple[OrderRow, ...]:
        rows = await read_call(lambda held: requests.by_tag(held, tag), lambda answer: found(answer, begun_at))
        rows = rows or await read_book(begun_at=begun_at)
        return tuple(row for row in rows if (row.tag or "").lower() == tag.lower())

    return Orders(
        place=place,
        modify=modify,
        cancel=cancel,
        read_book=read_book,
        read_order=read_order,
        read_by_tag=read_by_tag,
    )
