"""The broker record of a paper account. Its market is the account's data source, so it opens no feed of its own."""

from collections.abc import Callable
from typing import NoReturn

from algo_crds.contracts.clock import session_date
from algo_crds.contracts.orders import OrderRow, PositionRow
from algo_market.instruments import instruments_on

from algo_brokers.errors import RequestRefused
from algo_brokers.outcomes import WriteOutcome
from algo_brokers.paper import limits
from algo_brokers.paper.capability import CAPABILITY
from algo_brokers.paper.exchange import PaperExchange
from algo_brokers.port import (
    Broker,
    BrokerInstrument,
    Candle,
    Change,
    Feed,
    FeedListener,
    Funds,
    HoldingRow,
    NewOrder,
    Quote,
    TradeRow,
)
from algo_brokers.session import Session

_FUNDS = 10_000_000 * 10_000
"""Ten million rupees: a paper account never runs out of money."""


def _no_login() -> NoReturn:
    raise RequestRefused("a paper account needs no login")


async def _exchange_token(*, api_key: str, api_secret: str, request_token: str, now: int) -> Session:  # noqa: ARG001
    _no_login()


async def _nothing() -> None:
    return None


async def _no_holdings() -> tuple[HoldingRow, ...]:
    return ()


async def _funds() -> Funds:
    return Funds(available=_FUNDS)


async def _no_candles(*, token: int, start: int, end: int) -> tuple[Candle, ...]:  # noqa: ARG001
    return ()


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

    async def cancel(*, broker_order_id: str) -> WriteOutcome:
        return exchange.cancel(broker_order_id, now())

    async def read_book(*, begun_at: int) -> tuple[OrderRow, ...]:
        return exchange.rows(begun_at)

    async def read_order(*, broker_order_id: str, begun_at: int) -> tuple[OrderRow, ...]:
        return tuple(row for row in exchange.rows(begun_at) if row.broker_order_id == broker_order_id)

    async def read_trades() -> tuple[TradeRow, ...]:
        return exchange.trades()

    async def read_positions() -> tuple[PositionRow, ...]:
        return exchange.positions()

    async def read_quotes(*, instruments: tuple[tuple[str, str], ...]) -> tuple[Quote, ...]:
        return tuple(quote for pair in instruments if (quote := exchange.quote(*pair, now())) is not None)

    async def read_ltp(*, instruments: tuple[tuple[str, str], ...]) -> dict[tuple[str, str], int]:
        return {pair: price for pair in instruments if (price := exchange.last_price(*pair))}

    async def read_instruments(*, exchange: str) -> tuple[BrokerInstrument, ...]:
        return _listed(exchange, now())

    return Broker(
        capability=CAPABILITY,
        windows=limits.windows(orders_per_window),
        login_url=lambda *, api_key, state: _no_login(),  # noqa: ARG005
        exchange_token=_exchange_token,
        logout=_nothing,
        place=place,
        modify=modify,
        cancel=cancel,
        read_book=read_book,
        read_order=read_order,
        read_trades=read_trades,
        read_positions=read_positions,
        read_holdings=_no_holdings,
        read_funds=_funds,
        read_quotes=read_quotes,
        read_ltp=read_ltp,
        read_candles=_no_candles,
        read_instruments=read_instruments,
        open_feed=_no_feed,
    )
