"""Parsers of every answer, pure. A row that cannot be read makes the whole read fail: half a book is no book."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

import msgspec
from algo_crds.contracts.clock import IST
from algo_crds.contracts.money import price_from_float
from algo_crds.contracts.orders import OrderRow, OrderStatus, OrderType, PositionRow, Product, RejectKind, Side
from algo_crds.contracts.tags import parse_tag

from algo_brokers.errors import (
    AddressRefused,
    BadAnswer,
    BrokerError,
    BrokerUnavailable,
    RequestRefused,
    SessionRefused,
    TooManyRequests,
)
from algo_brokers.http import HttpAnswer
from algo_brokers.order_states import unknown_status
from algo_brokers.outcomes import Accepted, Rejected, Unknown, WriteOutcome
from algo_brokers.records import Funds, HoldingRow, TradeRow
from algo_brokers.zerodha.rejections import kind_of_text, refusal

_T = TypeVar("_T")

_PRODUCTS: Final = {"MIS": Product.INTRADAY, "CNC": Product.DELIVERY, "NRML": Product.DELIVERY}
_SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
_STOPS: Final = frozenset({"SL", "SL-M"})
_MAX_RUPEES: Final = 1e12
"""No price and no account is larger; what is, was read wrongly."""
_PLAIN_STATUS: Final = {
    "COMPLETE": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELLED,
    "LAPSED": OrderStatus.CANCELLED,
    "REJECTED": OrderStatus.REJECTED,
    "TRIGGER PENDING": OrderStatus.TRIGGER_PENDING,
}
INTERIM: Final = frozenset(
    {
        "PUT ORDER REQ RECEIVED",
        "PUT ORDER REQUEST RECEIVED",
        "AMO REQ RECEIVED",
        "VALIDATION PENDING",
        "OPEN PENDING",
        "MODIFY VALIDATION PENDING",
        "MODIFY PENDING",
        "MODIFIED",
        "CANCEL PENDING",
    }
)


class _Error(msgspec.Struct, frozen=True):
    status: str = ""
    message: str | None = None
    error_type: str | None = None


class _Success(msgspec.Struct, frozen=True):
    status: str
    data: msgspec.Raw


class _OrderId(msgspec.Struct, frozen=True):
    order_id: str


class _Order(msgspec.Struct, frozen=True):
    order_id: str
    status: str
    exchange: str
    tradingsymbol: str
    product: str
    transaction_type: str
    order_type: str
    quantity: int
    price: float | None = 0
    trigger_price: float | None = 0
    filled_quantity: int | None = 0
    average_price: float | None = 0
    exchange_order_id: str | None = None
    status_message: str | None = None
    status_message_raw: str | None = None
    order_timestamp: str | None = None
    tag: str | None = None
    tags: list[str] | None = None


class _Trade(msgspec.Struct, frozen=True):
    trade_id: str
    order_id: str
    exchange: str
    tradingsymbol: str
    product: str
    transaction_type: str
    quantity: int
    average_price: float
    fill_timestamp: str | None = None


class _Position(msgspec.Struct, frozen=True):
    exchange: str
    tradingsymbol: str
    product: str
    quantity: int
    average_price: float | None = 0


class _Positions(msgspec.Struct, frozen=True):
    net: list[_Position]


class _Holding(msgspec.Struct, frozen=True):
    exchange: str
    tradingsymbol: str
    quantity: int
    isin: str = ""
    t1_quantity: int | None = 0
    average_price: float | None = 0


class _Funds(msgspec.Struct, frozen=True):
    net: float


def decode(data: bytes, kind: type[_T], what: str) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"the broker's {what} cannot be read: {error}") from None


def price(value: float | None) -> int:
    if value is not None and not abs(value) < _MAX_RUPEES:
        raise BadAnswer(f"{value!r} is not a price")
    return price_from_float(value or 0)


def instant_of(text: str | None) -> int:
    """`YYYY-MM-DD hh:mm:ss` in India as an instant (ms); 0 where there is none or it has another form."""
    if not text or len(text) != 19:
        return 0
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def _error_of(answer: HttpAnswer) -> _Error:
    try:
        return msgspec.json.decode(answer.body, type=_Error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Error()


def _order_id(data: msgspec.Raw) -> str:
    return msgspec.json.decode(data, type=_OrderId).order_id


def write_outcome(answer: HttpAnswer, id_of: Callable[[msgspec.Raw], str] = _order_id) -> WriteOutcome:
    """What an answer to place, modify or cancel means; `id_of` reads the id of what was written."""
    if answer.status == 200:
        try:
            data = msgspec.json.decode(answer.body, type=_Success)
            if data.status == "success":
                return Accepted(broker_order_id=id_of(data.data))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Unknown(reason="HTTP 200 without an order id")
    error = _error_of(answer)
    message = error.message or f"HTTP {answer.status}"
    if not error.error_type and answer.status not in (401, 403, 429):
        return Unknown(reason=f"{message} (no error type)")
    kind = refusal(answer.status, error.error_type or "", message)
    if kind is None:
        return Unknown(reason=message)
    return Rejected(kind=kind, message=message, session_over=error.error_type == "TokenException")


def read_data(answer: HttpAnswer) -> msgspec.Raw:
    """The `data` of a successful read.

    Raises:
        BrokerError: the subclass that says what to do.
    """
    if answer.status == 200:
        data = decode(answer.body, _Success, "answer")
        if data.status == "success":
            return data.data
    raise read_error(answer)


def read_error(answer: HttpAnswer) -> BrokerError:
    """The error that a failed read means."""
    error = _error_of(answer)
    message = error.message or f"HTTP {answer.status}"
    kind = refusal(answer.status, error.error_type or "", message)
    if answer.status == 429 or kind is RejectKind.RATE:
        return TooManyRequests(message)
    if error.error_type == "TokenException":
        return SessionRefused(message)
    if kind is RejectKind.ADDRESS:
        return AddressRefused(message)
    if answer.status >= 500:
        return BrokerUnavailable(message)
    return RequestRefused(message)


def status_of(order: _Order) -> tuple[OrderStatus, str]:
    """Our status, and a note where the broker's word is none that we know (then the order counts as working)."""
    text = order.status.upper()
    stop = order.order_type in _STOPS
    if text in _PLAIN_STATUS:
        return _PLAIN_STATUS[text], ""
    if text == "OPEN":
        # A stop is TRIGGER PENDING until it triggers; an open one has triggered and acts as a limit order.
        return (OrderStatus.TRIGGERED if stop else OrderStatus.OPEN), ""
    if text == "UPDATE":
        # Modified or partly filled; of a stop with nothing filled it does not tell whether it triggered.
        if stop:
            return (OrderStatus.TRIGGERED if order.filled_quantity else OrderStatus.PENDING), ""
        return OrderStatus.OPEN, ""
    return (OrderStatus.PENDING, "") if text in INTERIM else unknown_status(order.status)


def _tag_of(order: _Order) -> str | None:
    candidates: list[str | None] = [order.tag, *(order.tags or [])]
    for candidate in candidates:
        if parse_tag(candidate):
            return candidate
    return order.tag or None


def _row(order: _Order, read_at: int) -> OrderRow | None:
    tag = _tag_of(order)
    product = _PRODUCTS.get(order.product)
    side = _SIDES.get(order.transaction_type)
    if product is None and parse_tag(tag) is None:
        return None  # cover, bracket and margin-funded orders of the trader: they do not net with ours
    if product is None or side is None:
        raise BadAnswer(f"order {order.order_id}: product {order.product!r}, side {order.transaction_type!r}")
    status, note = status_of(order)
    text = order.status_message_raw or order.status_message or ""
    return OrderRow(
        broker_order_id=order.order_id,
        tag=tag,
        exchange_order_id=order.exchange_order_id or None,
        exchange=order.exchange,
        symbol=order.tradingsymbol,
        product=product,
        side=side,
        type=OrderType.STOP_LIMIT if order.order_type in _STOPS else OrderType.LIMIT,
        quantity=order.quantity,
        price=price(order.price),
        trigger=price(order.trigger_price),
        filled=order.filled_quantity or 0,
        average_price=price(order.average_price),
        status=status,
        reject_kind=kind_of_text(text) if status is OrderStatus.REJECTED else None,
        message=note or text,
        order_time=instant_of(order.order_timestamp),
        read_at=read_at,
    )


def order_rows(data: bytes, *, read_at: int) -> tuple[OrderRow, ...]:
    """The rows of the order book or of one order's history, in the broker's order.

    Raises:
        BadAnswer: any of them cannot be read.
    """
    rows = (_row(order, read_at) for order in decode(data, list[_Order], "order book"))
    return tuple(row for row in rows if row is not None)


def socket_row(data: bytes, *, read_at: int) -> OrderRow | None:
    """The order of a socket message; None for a kind of order that is never ours.

    Raises:
        BadAnswer: it cannot be read.
    """
    return _row(decode(data, _Order, "order update"), read_at)


def trade_rows(data: bytes) -> tuple[TradeRow, ...]:
    """The day's fills in the products we trade. Raises `BadAnswer`."""
    return tuple(
        TradeRow(
            trade_id=trade.trade_id,
            broker_order_id=trade.order_id,
            exchange=trade.exchange,
            symbol=trade.tradingsymbol,
            product=_PRODUCTS[trade.product],
            side=_SIDES[trade.transaction_type],
            quantity=trade.quantity,
            price=price(trade.average_price),
            time=instant_of(trade.fill_timestamp),
        )
        for trade in decode(data, list[_Trade], "trade book")
        if trade.product in _PRODUCTS and trade.transaction_type in _SIDES
    )


def position_rows(data: bytes) -> tuple[PositionRow, ...]:
    """Net positions in the products we trade, closed ones with quantity 0. Raises `BadAnswer`."""
    return tuple(
        PositionRow(
            exchange=row.exchange,
            symbol=row.tradingsymbol,
            product=_PRODUCTS[row.product],
            quantity=row.quantity,
            average_price=price(row.average_price),
        )
        for row in decode(data, _Positions, "positions").net
        if row.product in _PRODUCTS
    )


def holding_rows(data: bytes) -> tuple[HoldingRow, ...]:
    """Holdings. Raises `BadAnswer`."""
    return tuple(
        HoldingRow(
            exchange=row.exchange,
            symbol=row.tradingsymbol,
            isin=row.isin,
            quantity=row.quantity,
            unsettled=row.t1_quantity or 0,
            average_price=price(row.average_price),
        )
        for row in decode(data, list[_Holding], "holdings")
    )


def funds(data: bytes) -> Funds:
    """`net` is what may be spent; its published parts do not add up. Raises `BadAnswer`."""
    return Funds(available=price(decode(data, _Funds, "margins").net))
