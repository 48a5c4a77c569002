"""Parsers of trades, positions, holdings, funds and margin, pure. A row that cannot be read fails the whole read."""

from datetime import date

import msgspec
from algo_crds.contracts.orders import PositionRow

from algo_brokers.angelone import names
from algo_brokers.angelone.amounts import Number, count_of, instant_at, price_of
from algo_brokers.angelone.envelope import decode
from algo_brokers.errors import BadAnswer
from algo_brokers.records import Funds, HoldingRow, Margin, TradeRow


class _Trade(msgspec.Struct, frozen=True):
    exchange: str
    producttype: str
    tradingsymbol: str
    transactiontype: str
    fillprice: Number
    fillsize: Number
    orderid: str
    fillid: str
    filltime: str | None = None


class _Position(msgspec.Struct, frozen=True):
    exchange: str
    symboltoken: Number
    producttype: str
    tradingsymbol: str
    netqty: Number
    avgnetprice: Number = None
    netprice: Number = None


class _Holding(msgspec.Struct, frozen=True):
    tradingsymbol: str
    exchange: str
    quantity: Number
    isin: str | None = None
    t1quantity: Number = None
    averageprice: Number = None
    symboltoken: Number = None


class _Funds(msgspec.Struct, frozen=True):
    net: Number = None
    availablecash: Number = None


class _Margin(msgspec.Struct, frozen=True):
    required: Number = msgspec.field(name="totalMarginRequired")


class _Profile(msgspec.Struct, frozen=True):
    clientcode: str


def trade_rows(data: bytes, *, day: date, name_of: names.NameOf) -> tuple[TradeRow, ...]:
    """The fills of `day` (rows tell only the time of day) in the products we trade. Raises `BadAnswer`.

    A fill is told apart by exchange, fill id and order id together.
    """
    found = []
    for trade in decode(data, list[_Trade], "trade book"):
        if trade.producttype not in names.PRODUCT_OF:
            continue
        if trade.transactiontype not in names.SIDE_OF:
            raise BadAnswer(f"trade {trade.fillid}: side {trade.transactiontype!r}")
        found.append(
            TradeRow(
                trade_id=trade.fillid,
                broker_order_id=trade.orderid,
                exchange=trade.exchange,
                symbol=name_of(trade.exchange, "", trade.tradingsymbol),
                product=names.PRODUCT_OF[trade.producttype],
                side=names.SIDE_OF[trade.transactiontype],
                quantity=count_of(trade.fillsize),
                price=price_of(trade.fillprice),
                time=instant_at(day, trade.filltime or ""),
            )
        )
    return tuple(found)


def position_rows(data: bytes, *, name_of: names.NameOf) -> tuple[PositionRow, ...]:
    """Net positions in the products we trade, closed ones with quantity 0. Raises `BadAnswer`."""
    return tuple(
        PositionRow(
            exchange=row.exchange,
            symbol=name_of(row.exchange, str(row.symboltoken or ""), row.tradingsymbol),
            product=names.PRODUCT_OF[row.producttype],
            quantity=count_of(row.netqty),
            average_price=price_of(row.avgnetprice) or price_of(row.netprice),
        )
        for row in decode(data, list[_Position], "positions")
        if row.producttype in names.PRODUCT_OF
    )


def holding_rows(data: bytes, *, name_of: names.NameOf) -> tuple[HoldingRow, ...]:
    """Holdings; the broker's `quantity` holds the shares that are on their way too. Raises `BadAnswer`."""
    found = []
    for row in decode(data, list[_Holding], "holdings"):
        unsettled = count_of(row.t1quantity)
        found.append(
            HoldingRow(
                exchange=row.exchange,
                symbol=name_of(row.exchange, str(row.symboltoken or ""), row.tradingsymbol),
                isin=row.isin or "",
                quantity=count_of(row.quantity) - unsettled,
                unsettled=unsettled,
                average_price=price_of(row.averageprice),
            )
        )
    return tuple(found)


def funds(data: bytes) -> Funds:
    """`net` is what may be spent; `availablecash` behaves alike.

    Raises:
        BadAnswer: neither is told.
    """
    limits = decode(data, _Funds, "limits")
    available = limits.net if limits.net is not None else limits.availablecash
    if available is None:
        raise BadAnswer("the broker's limits have no amount")
    return Funds(available=price_of(available))


def margin(data: bytes) -> Margin:
    """What a basket takes, netted. Raises `BadAnswer`."""
    return Margin(required=price_of(decode(data, _Margin, "margin").required))


def client_code(data: bytes) -> str:
    """Whose session it is. Raises `BadAnswer`."""
    return decode(data, _Profile, "profile").clientcode.strip()
