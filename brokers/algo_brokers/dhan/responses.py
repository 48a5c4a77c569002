"""Parsers of orders, fills and the account, pure. A row that cannot be read makes the whole read fail: half a book is
no book."""

from typing import Annotated, Final

import msgspec
from algo_crds.contracts.orders import OrderRow, OrderStatus, OrderType, PositionRow, Side
from algo_crds.contracts.tags import parse_tag

from algo_brokers.dhan import names
from algo_brokers.dhan.answers import decode, error_of, good, instant_of, price, word
from algo_brokers.dhan.names import Words
from algo_brokers.dhan.rejections import NO_HOLDINGS, kind_of_text
from algo_brokers.errors import BadAnswer
from algo_brokers.http import HttpAnswer
from algo_brokers.order_states import unknown_status
from algo_brokers.records import Funds, HoldingRow, Margin, TradeRow

_PLAIN_STATUS: Final = {
    "TRANSIT": OrderStatus.PENDING,
    "MODIFIED": OrderStatus.PENDING,
    "INACTIVE": OrderStatus.PENDING,
    "CONFIRM": OrderStatus.PENDING,
    "TRADED": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELLED,
    "EXPIRED": OrderStatus.CANCELLED,
    "CLOSED": OrderStatus.FILLED,
    "REJECTED": OrderStatus.REJECTED,
    "TRIGGERED": OrderStatus.TRIGGERED,
}
"""Docs, order life-cycle. `CLOSED` and `TRIGGERED` are of super orders, `CONFIRM` of forever orders; `MODIFIED` and
`INACTIVE` stand in one list of the docs only and count as working."""
_AT_EXCHANGE: Final = frozenset({"PENDING", "PART_TRADED"})
Count = Annotated[int, msgspec.Meta(ge=0)]


class Order(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An order in the words of REST; the order socket's frames are turned into it."""

    order_id: str
    order_status: str
    transaction_type: str
    exchange_segment: str
    product_type: str
    order_type: str
    security_id: str | int
    quantity: Count
    trading_symbol: str | None = None
    exchange_order_id: str | None = None
    correlation_id: str | None = None
    price: float | None = 0
    trigger_price: float | None = 0
    filled_qty: Count | None = 0
    average_traded_price: float | None = 0
    create_time: str | None = None
    oms_error_description: str | None = None


class _Trade(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    order_id: str
    exchange_trade_id: str
    transaction_type: str
    exchange_segment: str
    product_type: str
    security_id: str | int
    traded_quantity: Count
    traded_price: float
    trading_symbol: str | None = None
    exchange_time: str | None = None


class _Position(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    exchange_segment: str
    product_type: str
    security_id: str | int
    net_qty: int
    trading_symbol: str | None = None
    cost_price: float | None = 0


class _Holding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    security_id: str | int
    available_qty: int
    trading_symbol: str | None = None
    exchange: str = "ALL"
    isin: str | None = None
    dp_qty: int | None = None
    t1_qty: int | None = 0
    avg_cost_price: float | None = 0


class _Funds(msgspec.Struct, frozen=True, kw_only=True):
    availabel_balance: float = msgspec.field(name="availabelBalance")
    """Misspelt on the wire."""


class _Margin(msgspec.Struct, frozen=True, kw_only=True):
    one: float | None = msgspec.field(name="totalMargin", default=None)
    several: float | None = msgspec.field(name="total_margin", default=None)


def status_of(order: Order) -> tuple[OrderStatus, str]:
    """Our status, and a note where the broker's word is none that we know (then the order counts as working).

    The order socket writes the words in mixed case. Dhan has no word for a stop that waits: it is PENDING like an open
    order. A stop of which something is filled has triggered. PENDING without the exchange's id is not at the exchange
    yet (an order for after hours, the sandbox).
    """
    text = order.order_status.upper().replace("-", "_").replace(" ", "_")
    if text in _PLAIN_STATUS:
        return _PLAIN_STATUS[text], ""
    if text not in _AT_EXCHANGE:
        return unknown_status(order.order_status)
    if order.filled_qty or text == "PART_TRADED":
        stop = names.TYPE_OF.get(order.order_type) is OrderType.STOP_LIMIT
        return (OrderStatus.TRIGGERED if stop else OrderStatus.OPEN), ""
    return (OrderStatus.OPEN if word(order.exchange_order_id) else OrderStatus.PENDING), ""


def row_of(order: Order, words: Words, *, read_at: int) -> OrderRow | None:
    """The row; None for a product that is never ours.

    Raises:
        BadAnswer: a word of it is none that is documented.
    """
    tag = word(order.correlation_id)
    product = names.PRODUCT_OF.get(order.product_type)
    side = names.SIDE_OF.get(order.transaction_type)
    kind = names.TYPE_OF.get(order.order_type)
    if product is None and parse_tag(tag) is None:
        return None  # cover, bracket and margin-funded orders of the trader: they do not net with ours
    if product is None or side is None or kind is None:
        found = f"product {order.product_type!r}, side {order.transaction_type!r}, type {order.order_type!r}"
        raise BadAnswer(f"order {order.order_id}: {found}")
    status, note = status_of(order)
    exchange, symbol = words.key_of(order.exchange_segment, order.security_id, order.trading_symbol or "")
    text = word(order.oms_error_description) or ""
    return OrderRow(
        broker_order_id=order.order_id,
        tag=tag,
        exchange_order_id=word(order.exchange_order_id),
        exchange=exchange,
        symbol=symbol,
        product=product,
        side=side,
        type=kind,
        quantity=order.quantity,
        price=price(order.price),
        trigger=price(order.trigger_price),
        filled=order.filled_qty or 0,
        average_price=price(order.average_traded_price),
        status=status,
        reject_kind=kind_of_text(text) if status is OrderStatus.REJECTED else None,
        message=note or text,
        order_time=instant_of(order.create_time),
        read_at=read_at,
    )


def order_rows(body: bytes, words: Words, *, read_at: int) -> tuple[OrderRow, ...]:
    """The order book, or one order: the docs show an object there, the server sends a list of one, or an empty one.

    Raises:
        BadAnswer: any of them cannot be read.
    """
    alone = body.lstrip()[:1] == b"{"
    orders = [decode(body, Order, "order")] if alone else decode(body, list[Order], "order book")
    rows = (row_of(order, words, read_at=read_at) for order in orders)
    return tuple(row for row in rows if row is not None)


def trade_rows(body: bytes, words: Words) -> tuple[TradeRow, ...]:
    """The day's fills in the products we trade; they carry no tag. Raises `BadAnswer`."""
    return tuple(_trade(trade, words) for trade in decode(body, list[_Trade], "trade book") if _ours(trade))


def _ours(row: _Trade | _Position) -> bool:
    return row.product_type in names.PRODUCT_OF


def _trade(trade: _Trade, words: Words) -> TradeRow:
    exchange, symbol = words.key_of(trade.exchange_segment, trade.security_id, trade.trading_symbol or "")
    return TradeRow(
        trade_id=trade.exchange_trade_id,
        broker_order_id=trade.order_id,
        exchange=exchange,
        symbol=symbol,
        product=names.PRODUCT_OF[trade.product_type],
        side=_side(trade.transaction_type),
        quantity=trade.traded_quantity,
        price=price(trade.traded_price),
        time=instant_of(trade.exchange_time),
    )


def _side(text: str) -> Side:
    side = names.SIDE_OF.get(text)
    if side is None:
        raise BadAnswer(f"{text!r} is no side of a trade")
    return side


def position_rows(body: bytes, words: Words) -> tuple[PositionRow, ...]:
    """Net positions in the products we trade, closed ones with quantity 0. Raises `BadAnswer`."""
    rows = []
    for row in decode(body, list[_Position], "positions"):
        if _ours(row):
            exchange, symbol = words.key_of(row.exchange_segment, row.security_id, row.trading_symbol or "")
            rows.append(
                PositionRow(
                    exchange=exchange,
                    symbol=symbol,
                    product=names.PRODUCT_OF[row.product_type],
                    quantity=row.net_qty,
                    average_price=price(row.cost_price),
                )
            )
    return tuple(rows)


def holding_rows(answer: HttpAnswer, words: Words) -> tuple[HoldingRow, ...]:
    """Holdings; an account without any is answered with an error of its own, not with an empty list.

    Raises:
        BrokerError: refused or unreadable.
    """
    if error_of(answer).code == NO_HOLDINGS:
        return ()
    return tuple(_holding(row, words) for row in decode(good(answer), list[_Holding], "holdings"))


def _holding(row: _Holding, words: Words) -> HoldingRow:
    # `exchange` is mostly ALL: shares are held, not listed. NSE names them, BSE those that it alone lists.
    segment = "BSE_EQ" if row.exchange == "BSE" else "NSE_EQ"
    exchange, symbol = words.key_of(segment, row.security_id, row.trading_symbol or "")
    settled = row.available_qty if row.dp_qty is None else min(row.available_qty, row.dp_qty)
    return HoldingRow(
        exchange=exchange,
        symbol=symbol,
        isin=row.isin or "",
        quantity=settled,
        unsettled=row.t1_qty or 0,
        average_price=price(row.avg_cost_price),
    )


def funds(body: bytes) -> Funds:
    """What may be spent. Raises `BadAnswer`."""
    return Funds(available=price(decode(body, _Funds, "funds").availabel_balance))


def margin(body: bytes) -> Margin:
    """The total of one order's or a basket's answer: they spell it differently, the basket's as a text.

    Raises:
        BadAnswer: no total.
    """
    told = decode(body, _Margin, "margin answer")
    total = told.one if told.one is not None else told.several
    if total is None:
        raise BadAnswer("the broker's margin answer has no total")
    return Margin(required=price(total))
