"""Order rows, as the book, one order's details and the order socket carry them alike.

`open` of a stop order means that it has triggered: it is `trigger pending` until then. `modified` and the refusals to
change say only that the order lives. A status that nobody documented makes the row pending, with a note.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from algo_crds.contracts.orders import OrderRow, OrderStatus, OrderType
from algo_crds.contracts.tags import parse_tag

from algo_brokers.angelone import names
from algo_brokers.angelone.amounts import Number, count_of, instant_of, price_of
from algo_brokers.angelone.envelope import decode
from algo_brokers.angelone.rejections import kind_of_text
from algo_brokers.errors import BadAnswer
from algo_brokers.order_states import unknown_status

_S = OrderStatus

STATUS: Final = {
    "put order req received": _S.PENDING,
    "validation pending": _S.PENDING,
    "open pending": _S.PENDING,
    "modify validation pending": _S.PENDING,
    "modify pending": _S.PENDING,
    "cancel pending": _S.PENDING,
    "after market order req received": _S.PENDING,
    "modify after market order req received": _S.PENDING,
    "open": _S.OPEN,
    "trigger pending": _S.TRIGGER_PENDING,
    "complete": _S.FILLED,
    "cancelled": _S.CANCELLED,
    "cancelled after market order": _S.CANCELLED,
    "lapsed": _S.CANCELLED,
    "rejected": _S.REJECTED,
}
"""Docs, WebSocket Order Status; the interim ones and `lapsed` from the back office's vocabulary."""
LIVES: Final = frozenset({"modified", "not modified", "not cancelled"})
"""The order is live; of a stop they do not tell whether it has triggered."""


class Order(msgspec.Struct, frozen=True):
    """One row as it comes."""

    orderid: str
    exchange: str
    tradingsymbol: str
    producttype: str
    transactiontype: str
    ordertype: str
    quantity: Number
    status: str | None = None
    orderstatus: str | None = None
    symboltoken: Number = None
    price: Number = None
    triggerprice: Number = None
    filledshares: Number = None
    averageprice: Number = None
    text: str | None = None
    ordertag: str | None = None
    uniqueorderid: str | None = None
    exchangeorderid: str | None = None
    updatetime: str | None = None


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Orders in our words, and the second id of each of the broker's."""

    rows: tuple[OrderRow, ...]
    unique_ids: dict[str, str]


def status_of(order: Order) -> tuple[OrderStatus, str]:
    """Our status, and a note where the broker's word is none that we know (then the order counts as pending)."""
    word = order.status or order.orderstatus
    text = " ".join((word or "").lower().split())
    stop = names.TYPE_OF.get(order.ordertype) is OrderType.STOP_LIMIT
    if text in LIVES:
        if not stop:
            return OrderStatus.OPEN, ""
        return (OrderStatus.TRIGGERED if count_of(order.filledshares) else OrderStatus.PENDING), ""
    status = STATUS.get(text)
    if status is None:
        return unknown_status(word)
    return (OrderStatus.TRIGGERED if stop and status is OrderStatus.OPEN else status), ""


def row_of(order: Order, *, read_at: int, name_of: names.NameOf) -> OrderRow | None:
    """The order in our words; None for a kind that is never ours and does not net with ours.

    Raises:
        BadAnswer: it cannot be read.
    """
    product = names.PRODUCT_OF.get(order.producttype)
    kind = names.TYPE_OF.get(order.ordertype)
    side = names.SIDE_OF.get(order.transactiontype)
    status, note = status_of(order)
    ours = parse_tag(order.ordertag) is not None
    if not ours and (product is None or kind is None or side is None):
        return None
    if product is None or kind is None or side is None or not order.orderid:
        raise BadAnswer(
            f"order {order.orderid!r}: product {order.producttype!r}, type {order.ordertype!r}, "
            f"side {order.transactiontype!r}"
        )
    text = order.text or ""
    return OrderRow(
        broker_order_id=order.orderid,
        tag=order.ordertag or None,
        exchange_order_id=order.exchangeorderid or None,
        exchange=order.exchange,
        symbol=name_of(order.exchange, _text(order.symboltoken), order.tradingsymbol),
        product=product,
        side=side,
        type=kind,
        quantity=count_of(order.quantity),
        price=price_of(order.price),
        trigger=price_of(order.triggerprice),
        filled=count_of(order.filledshares),
        average_price=price_of(order.averageprice),
        status=status,
        reject_kind=kind_of_text(text) if status is OrderStatus.REJECTED else None,
        message=note or text,
        order_time=instant_of(order.updatetime),
        read_at=read_at,
    )


def _text(token: Number) -> str:
    return "" if token is None else str(token).strip()


def order_rows(data: bytes, *, read_at: int, name_of: names.NameOf) -> Rows:
    """The order book. Raises `BadAnswer` if any row cannot be read: half a book is no book."""
    return _rows(decode(data, list[Order], "order book"), read_at, name_of)


def one_order(data: bytes, *, read_at: int, name_of: names.NameOf) -> Rows:
    """One order's details; none where the broker does not know it. Raises `BadAnswer`."""
    found = decode(data, Order | list[Order] | None, "order")  # type: ignore[arg-type] # a union is no type[T]
    orders: Iterable[Order] = found if isinstance(found, list) else () if found is None else (found,)
    return _rows(orders, read_at, name_of)


def _rows(orders: Iterable[Order], read_at: int, name_of: names.NameOf) -> Rows:
    kept = list(orders)
    rows = (row_of(order, read_at=read_at, name_of=name_of) for order in kept)
    return Rows(
        rows=tuple(row for row in rows if row is not None),
        unique_ids={order.orderid: order.uniqueorderid or order.orderid for order in kept},
    )
