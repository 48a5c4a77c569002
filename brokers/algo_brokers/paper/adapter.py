"""The broker record of a paper account. Its market is the account's data source, so it opens no feed of its own."""

from collections.abc import Callable
from typing import Final

from algo_crds.contracts.clock import session_date
from algo_crds.contracts.orders import OrderRow, PositionRow
from algo_market.instruments import instruments_on

from algo_brokers.errors import RequestRefused
from algo_brokers.login import Login
from algo_brokers.outcomes import WriteOutcome
from algo_brokers.paper import limits
from algo_brokers.paper.capability import CAPABILITY
from algo_brokers.paper.exchange import PaperExchange
from algo_brokers.port import Broker, Feed, FeedListener
from algo_brokers.records import (
    BrokerInstrument,
    Candle,
    Change,
    Funds,
    HoldingRow,
    InstrumentRef,
    Interval,
    Margin,
    NewOrder,
    OrderRef,
    Quote,
    TradeRow,
)

LOGIN: Final = Login(broker="paper", lives="a paper account needs no login")
_FUNDS = 10_000_000 * 10_000
"""Ten million rupees: a paper account never runs out of money."""


async def _no_holdings() -> tuple[HoldingRow, ...]:
    return ()


async def _funds() -> Funds:
    return Funds(available=_FUNDS)


async def _no_candles(
    *,
    instrument: InstrumentRef,  # noqa: ARG001
    start: int,  # noqa: ARG001
    end: int,  # noqa: ARG001
    interval: Interval = Interval.MINUTE,  # noqa: ARG001
) -> tuple[Candle, ...]:
    return ()


async def _margin(*, orders: tuple[NewOrder, ...]) -> Margin:
    return Margin(required=sum(order.price * order.quantity for order in orders))


async def _no_feed(*, listener: FeedListener) -> Feed:  # noqa: ARG001
    raise RequestRefused("a paper account's prices come from its market data source")


def _listed(exchange: str, now: int) -> tuple[BrokerInstrument, ...]:
    return tuple(
        BrokerInstrument(
            exchange=one.exchange,
            symbol=one.symbol,
            token=one.token,
            name=one.name,
            tick_size=one.tick_size,
            lot=one.lot,
            kind=one.kind,
        )
        for one in instruments_on(session_date(now))
        if one.exchange == exchange
    )


def create_paper_broker(exchange: PaperExchange, *, now: Callable[[], int], orders_per_window: int = 8) -> Broker:
    """A broker over a paper exchange; `now` is session time in ms."""

    async def place(*, order: NewOrder) -> WriteOutcome:
        return exchange.place(order, now())

    async def modify(*, change: Change) -> WriteOutcome:
        return exchange.modify(change, now())

    async def cancel(*, order: OrderRef) -> WriteOutcome:
        return exchange.cancel(order.broker_order_id, now())

    async def read_book(*, begun_at: int) -> tuple[OrderRow, ...]:
        return exchange.rows(begun_at)

    async def read_order(*, broker_order_id: str, begun_at: int) -> tuple[OrderRow, ...]:
        return tuple(row for row in exchange.rows(begun_at) if row.broker_order_id == broker_order_id)

    async def read_by_tag(*, tag: str, begun_at: int) -> tuple[OrderRow, ...]:
        return tuple(row for row in exchange.rows(begun_at) if row.tag == tag)

    async def read_trades() -> tuple[TradeRow, ...]:
        return exchange.trades()

    async def read_positions() -> tuple[PositionRow, ...]:
        return exchange.positions()

    async def read_quotes(*, instruments: tuple[InstrumentRef, ...]) -> tuple[Quote, ...]:
        quotes = (exchange.quote(one.exchange, one.symbol, now()) for one in instruments)
        return tuple(quote for quote in quotes if quote is not None)

    async def read_ltp(*, instruments: tuple[InstrumentRef, ...]) -> dict[tuple[str, str], int]:
        prices = {(one.exchange, one.symbol): exchange.last_price(one.exchange, one.symbol) for one in instruments}
        return {key: price for key, price in prices.items() if price}

    async def read_instruments(*, exchange: str) -> tuple[BrokerInstrument, ...]:
        return _listed(exchange, now())

    return Broker(
        capability=CAPABILITY,
        windows=limits.windows(orders_per_window),
        login=LOGIN,
        place=place,
        modify=modify,
        cancel=cancel,
        read_book=read_book,
        read_order=read_order,
        read_by_tag=read_by_tag,
        read_trades=read_trades,
        read_positions=read_positions,
        read_holdings=_no_holdings,
        read_funds=_funds,
        read_margin=_margin,
        read_quotes=read_quotes,
        read_ltp=read_ltp,
        read_candles=_no_candles,
        read_instruments=read_instruments,
        open_feed=_no_feed,
    )
