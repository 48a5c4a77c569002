"""The order socket: JSON text both ways. Names differ from the order book's: `org_ord_status` is the book's status,
`ord_status` a code of the broker's own that nobody documents. Source: official SDK's behaviour, docs v3.
"""

from typing import Final

import msgspec
from algo_crds.contracts.orders import OrderRow

from algo_brokers.errors import BadAnswer
from algo_brokers.fyers.decoding import Number
from algo_brokers.fyers.responses import Order, order_row
from algo_brokers.session import Session

PING: Final = b"ping"
PING_EVERY_S: Final = 10.0
SILENCE_S: Final = 30.0
"""Each ping is answered; three without an answer mean a dead link."""
SUBSCRIBE: Final = b'{"T":"SUB_ORD","SLIST":["orders"],"SUB_T":1}'
"""Orders alone: they carry the filled quantity, so trades would tell it twice."""
_SUBSCRIBED: Final = 1605


class Subscribed(msgspec.Struct, frozen=True):
    """Order updates will come."""


class OrderUpdate(msgspec.Struct, frozen=True):
    """An order of the account changed. `row` is None for a kind of order that is never ours."""

    row: OrderRow | None


class ServerError(msgspec.Struct, frozen=True):
    """The server refused something that we sent."""

    text: str


class Ignored(msgspec.Struct, frozen=True):
    """A pong, or a message about something else."""


class _Raw(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    exchange: int
    segment: int
    symbol: str
    product_type: str
    tran_side: int
    ord_type: int
    org_ord_status: int
    qty: Number
    qty_filled: Number = None
    price_limit: Number = None
    price_stop: Number = None
    price_traded: Number = None
    id_exchange: str | None = None
    oms_msg: str | None = None
    time_oms: str | None = None
    ordertag: str | None = None


class _Message(msgspec.Struct, frozen=True):
    s: str = ""
    code: int | None = None
    message: str | None = None
    orders: _Raw | None = None


def headers(session: Session) -> dict[str, str]:
    """For this socket's handshake only: the market socket falls silent when it sees an `Authorization` header."""
    return {"authorization": f"{session.api_key}:{session.access_token}"}


def decode(data: bytes, *, read_at: int) -> Subscribed | OrderUpdate | ServerError | Ignored:
    """A text frame.

    Raises:
        BadAnswer: no JSON of the documented form, or an order that cannot be read.
    """
    if data == b"pong":
        return Ignored()
    try:
        message = msgspec.json.decode(data, type=_Message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"order socket text cannot be read: {error}") from None
    if message.orders is not None:
        return OrderUpdate(order_row(_order(message.orders), read_at=read_at))
    if message.s == "error":
        return ServerError(f"{message.message or 'order socket error'} ({message.code})")
    return Subscribed() if message.code == _SUBSCRIBED else Ignored()


def _order(raw: _Raw) -> Order:
    return Order(
        id=raw.id,
        exchange=raw.exchange,
        segment=raw.segment,
        symbol=raw.symbol,
        productType=raw.product_type,
        side=raw.tran_side,
        type=raw.ord_type,
        status=raw.org_ord_status,
        qty=raw.qty,
        filledQty=raw.qty_filled,
        limitPrice=raw.price_limit,
        stopPrice=raw.price_stop,
        tradedPrice=raw.price_traded,
        exchOrdId=raw.id_exchange,
        message=raw.oms_msg,
        orderDateTime=raw.time_oms,
        orderTag=raw.ordertag,
    )
