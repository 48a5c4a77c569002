"""Parsers of order and account answers, pure. A row that cannot be read makes the whole read fail: half a book is no
book. Source: docs v3; the raw names of the order socket are in `order_stream.py`.
"""

from decimal import Decimal
from typing import Final

import msgspec
from algo_crds.contracts.orders import OrderRow, OrderStatus, OrderType, PositionRow, Side
from algo_crds.contracts.tags import parse_tag

from algo_brokers.errors import BadAnswer
from algo_brokers.fyers.decoding import PRODUCTS, SIDES, Number, count_of, decode, instant_of, price_of, tag_of
from algo_brokers.fyers.names import canonical
from algo_brokers.fyers.rejections import kind_of_text
from algo_brokers.order_states import unknown_status
from algo_brokers.records import Funds, HoldingRow, Margin, TradeRow

_STATUS: Final = {
    1: OrderStatus.CANCELLED,
    2: OrderStatus.FILLED,
    4: OrderStatus.PENDING,
    5: OrderStatus.REJECTED,
    7: OrderStatus.CANCELLED,
}
_LIVE: Final = 6
_TYPES: Final = {1: OrderType.LIMIT, 2: OrderType.LIMIT, 3: OrderType.STOP_LIMIT, 4: OrderType.STOP_LIMIT}
_AVAILABLE: Final = 10
"""The line "Available Balance" of the funds."""
_FRESH: Final = "T1"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the book tells it."""

    id: str
    exchange: int
    segment: int
    symbol: str
    productType: str  # noqa: N815 - the broker's name
    side: int
    type: int
    status: int
    qty: Number
    filledQty: Number = None  # noqa: N815
    limitPrice: Number = None  # noqa: N815
    stopPrice: Number = None  # noqa: N815
    tradedPrice: Number = None  # noqa: N815
    exchOrdId: str | None = None  # noqa: N815
    message: str | None = None
    orderDateTime: str | None = None  # noqa: N815
    orderTag: str | None = None  # noqa: N815


class _Book(msgspec.Struct, frozen=True):
    orderBook: list[Order]  # noqa: N815


class _Trade(msgspec.Struct, frozen=True, kw_only=True):
    tradeNumber: str  # noqa: N815
    orderNumber: str  # noqa: N815
    exchange: int
    segment: int
    symbol: str
    productType: str  # noqa: N815
    side: int
    tradedQty: Number  # noqa: N815
    tradePrice: Decimal  # noqa: N815
    orderDateTime: str | None = None  # noqa: N815


class _Trades(msgspec.Struct, frozen=True):
    tradeBook: list[_Trade]  # noqa: N815


class _Position(msgspec.Struct, frozen=True, kw_only=True):
    exchange: int
    segment: int
    symbol: str
    productType: str  # noqa: N815
    netQty: Number  # noqa: N815
    netAvg: Number = None  # noqa: N815


class _Positions(msgspec.Struct, frozen=True):
    netPositions: list[_Position]  # noqa: N815


class _Holding(msgspec.Struct, frozen=True, kw_only=True):
    exchange: int
    segment: int
    symbol: str
    quantity: Number
    holdingType: str = ""  # noqa: N815
    remainingQuantity: Number = None  # noqa: N815
    qty_t1: Number = None
    costPrice: Number = None  # noqa: N815
    isin: str | None = ""


class _Holdings(msgspec.Struct, frozen=True):
    holdings: list[_Holding]


class _Fund(msgspec.Struct, frozen=True):
    id: int
    equityAmount: Decimal  # noqa: N815


class _Funds(msgspec.Struct, frozen=True):
    fund_limit: list[_Fund]


class _NewMargin(msgspec.Struct, frozen=True):
    margin_new_order: Decimal


class _Margin(msgspec.Struct, frozen=True):
    data: _NewMargin


def _status_of(order: Order) -> tuple[OrderStatus, str]:
    """Our status, and a note where the broker's number is none that is documented: then the order counts as pending."""
    if order.status == _LIVE:
        # The same number for a stop that waits and one that has triggered; only a fill tells.
        stop = _TYPES[order.type] is OrderType.STOP_LIMIT
        return (OrderStatus.TRIGGERED if stop and order.filledQty else OrderStatus.OPEN), ""
    known = _STATUS.get(order.status)
    return unknown_status(order.status) if known is None else (known, "")


def order_row(order: Order, *, read_at: int) -> OrderRow | None:
    """The order in our terms; None for a product that is never ours.

    Raises:
        BadAnswer: side, type or product is none that is documented.
    """
    tag = tag_of(order.orderTag)
    product, side = PRODUCTS.get(order.productType), SIDES.get(order.side)
    if product is None and parse_tag(tag) is None:
        return None  # margin-funded, cover and bracket orders of the trader: they do not net with ours
    if product is None or side is None or order.type not in _TYPES:
        raise BadAnswer(f"order {order.id}: product {order.productType!r}, side {order.side}, type {order.type}")
    exchange, symbol = canonical(order.exchange, order.segment, order.symbol)
    status, note = _status_of(order)
    text = order.message or ""
    return OrderRow(
        broker_order_id=order.id,
        tag=tag,
        exchange_order_id=order.exchOrdId or None,
        exchange=exchange,
        symbol=symbol,
        product=product,
        side=side,
        type=_TYPES[order.type],
        quantity=count_of(order.qty),
        price=price_of(order.limitPrice),
        trigger=price_of(order.stopPrice),
        filled=count_of(order.filledQty),
        average_price=price_of(order.tradedPrice),
        status=status,
        reject_kind=kind_of_text(text) if status is OrderStatus.REJECTED else None,
        message=note or text,
        order_time=instant_of(order.orderDateTime),
        read_at=read_at,
    )


def order_rows(data: bytes, *, read_at: int) -> tuple[OrderRow, ...]:
    """The rows of the order book, of one order or of a tag, in the broker's order. Raises `BadAnswer`."""
    rows = (order_row(order, read_at=read_at) for order in decode(data, _Book, "order book").orderBook)
    return tuple(row for row in rows if row is not None)


def trade_rows(data: bytes) -> tuple[TradeRow, ...]:
    """The day's fills in the products we trade. Raises `BadAnswer`."""
    return tuple(_trade(trade) for trade in decode(data, _Trades, "trade book").tradeBook if _traded(trade))


def _traded(trade: _Trade) -> bool:
    return trade.productType in PRODUCTS and trade.side in SIDES


def _trade(trade: _Trade) -> TradeRow:
    exchange, symbol = canonical(trade.exchange, trade.segment, trade.symbol)
    side: Side = SIDES[trade.side]
    return TradeRow(
        trade_id=trade.tradeNumber,
        broker_order_id=trade.orderNumber,
        exchange=exchange,
        symbol=symbol,
        product=PRODUCTS[trade.productType],
        side=side,
        quantity=count_of(trade.tradedQty),
        price=price_of(trade.tradePrice),
        time=instant_of(trade.orderDateTime),
    )


def position_rows(data: bytes) -> tuple[PositionRow, ...]:
    """Net positions in the products we trade, closed ones with quantity 0. `netQty` has the sign, `qty` has not.
    Raises `BadAnswer`."""
    rows = []
    for row in decode(data, _Positions, "positions").netPositions:
        if row.productType in PRODUCTS:
            exchange, symbol = canonical(row.exchange, row.segment, row.symbol)
            rows.append(
                PositionRow(
                    exchange=exchange,
                    symbol=symbol,
                    product=PRODUCTS[row.productType],
                    quantity=count_of(row.netQty),
                    average_price=price_of(row.netAvg),
                )
            )
    return tuple(rows)


def holding_rows(data: bytes) -> tuple[HoldingRow, ...]:
    """Holdings, one row an instrument. Yesterday's purchase is told in a row of type `T1`, in `qty_t1`, or in both:
    the larger of the two counts, so that no share is counted twice. Raises `BadAnswer`."""
    settled: dict[tuple[str, str], HoldingRow] = {}
    fresh: dict[tuple[str, str], int] = {}
    for row in decode(data, _Holdings, "holdings").holdings:
        key = canonical(row.exchange, row.segment, row.symbol)
        is_fresh = row.holdingType == _FRESH
        left = count_of(row.quantity if row.remainingQuantity is None else row.remainingQuantity)
        known = settled.get(key)
        settled[key] = HoldingRow(
            exchange=key[0],
            symbol=key[1],
            isin=row.isin or "",
            quantity=(known.quantity if known else 0) + (0 if is_fresh else left),
            unsettled=(known.unsettled if known else 0) + (0 if is_fresh else count_of(row.qty_t1)),
            average_price=known.average_price if known and is_fresh else price_of(row.costPrice),
        )
        if is_fresh:
            fresh[key] = fresh.get(key, 0) + max(count_of(row.quantity), count_of(row.qty_t1))
    return tuple(
        msgspec.structs.replace(row, unsettled=max(row.unsettled, fresh.get(key, 0))) for key, row in settled.items()
    )


def funds(data: bytes) -> Funds:
    """The line "Available Balance", equity side. Raises `BadAnswer`."""
    for line in decode(data, _Funds, "funds").fund_limit:
        if line.id == _AVAILABLE:
            return Funds(available=price_of(line.equityAmount))
    raise BadAnswer("the broker's funds have no line with the available balance")


def margin(data: bytes) -> Margin:
    """What the new orders take. Raises `BadAnswer`."""
    return Margin(required=price_of(decode(data, _Margin, "margin").data.margin_new_order))


def owner(data: bytes) -> str:
    """The client id of a profile; nothing else of it is read, because it is personal. Raises `BadAnswer`."""
    return decode(data, _Profile, "profile").data.fy_id


class _Person(msgspec.Struct, frozen=True):
    fy_id: str


class _Profile(msgspec.Struct, frozen=True):
    data: _Person
