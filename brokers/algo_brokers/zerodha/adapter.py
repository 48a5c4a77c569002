"""The thin shell: sends what `requests.py` builds and hands answers to `responses.py`. No write is ever repeated."""

from asyncio import to_thread
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from algo_crds.contracts.orders import OrderRow, PositionRow

from algo_brokers.adapter_parts import AdapterParts, TransportTo
from algo_brokers.calls import (
    LIST_TIMEOUT_S,
    NO_SESSION,
    ReadCall,
    SessionCalls,
    answered,
    create_read_call,
    create_write_call,
    in_parts,
    without,
)
from algo_brokers.discreet import Discreet
from algo_brokers.endpoints import Endpoints
from algo_brokers.errors import BadAnswer, SessionRefused
from algo_brokers.http import HttpAnswer
from algo_brokers.login import Credentials, Login
from algo_brokers.outcomes import WriteOutcome
from algo_brokers.port import (
    Broker,
    Feed,
    FeedListener,
    ReadCandles,
    ReadFunds,
    ReadHoldings,
    ReadInstruments,
    ReadLtp,
    ReadMargin,
    ReadPositions,
    ReadQuotes,
    ReadTrades,
)
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
from algo_brokers.session import Session
from algo_brokers.zerodha import gtt, limits, margins, prices, requests, responses, session, stream
from algo_brokers.zerodha import instruments as instrument_list
from algo_brokers.zerodha.capability import CAPABILITY
from algo_brokers.zerodha.feed import open_socket
from algo_brokers.zerodha.trigger_calls import create_triggers

_T = TypeVar("_T")

ENDPOINTS: Final = Endpoints(
    rest="https://api.kite.trade",
    auth="https://api.kite.trade",
    login=session.LOGIN_BASE,
    files="https://api.kite.trade",
    market_socket=stream.WS_BASE,
    order_socket="",
)


def simulated(base: str, *, browser: str = "") -> Endpoints:
    """A simulated broker: everything at its documented path on one port."""
    base = base.rstrip("/")
    return Endpoints(
        rest=base,
        auth=base,
        login=(browser or base).rstrip("/"),
        files=base,
        market_socket=base.replace("http", "ws", 1),
        order_socket="",
    )


def create_broker(parts: AdapterParts) -> Broker:
    """The adapter of one account."""
    sessions = SessionCalls(current=parts.current, session_over=parts.session_over)
    write_call = create_write_call(parts.write, sessions, responses.write_outcome)
    read_call = create_read_call(parts.transport(parts.endpoints.rest), sessions)
    reads = _plain_reads(read_call)

    async def place(*, order: NewOrder) -> WriteOutcome:
        return await write_call(lambda held: requests.place(held, order))

    async def modify(*, change: Change) -> WriteOutcome:
        return await write_call(lambda held: requests.modify(held, change))

    async def cancel(*, order: OrderRef) -> WriteOutcome:
        return await write_call(lambda held: requests.cancel(held, order.broker_order_id))

    async def read_book(*, begun_at: int) -> tuple[OrderRow, ...]:
        return await read_call(requests.book, _data(lambda data: responses.order_rows(data, read_at=begun_at)))

    async def read_order(*, broker_order_id: str, begun_at: int) -> tuple[OrderRow, ...]:
        return await read_call(
            lambda held: requests.order_history(held, broker_order_id),
            _data(lambda data: responses.order_rows(data, read_at=begun_at)),
        )

    async def read_by_tag(*, tag: str, begun_at: int) -> tuple[OrderRow, ...]:
        return tuple(row for row in await read_book(begun_at=begun_at) if row.tag == tag)

    async def open_feed(*, listener: FeedListener) -> Feed:
        held = parts.current()
        if held is None:
            raise SessionRefused(NO_SESSION)
        url = stream.url(held, parts.endpoints.market_socket)
        return await open_socket(url, held, Discreet(listener, held), parts.now)

    return Broker(
        capability=CAPABILITY,
        windows=limits.windows(parts.orders_per_window),
        login=create_login(parts.transport, parts.endpoints),
        place=place,
        modify=modify,
        cancel=cancel,
        read_book=read_book,
        read_order=read_order,
        read_by_tag=read_by_tag,
        open_feed=open_feed,
        read_trades=reads.trades,
        read_positions=reads.positions,
        read_holdings=reads.holdings,
        read_funds=reads.funds,
        read_margin=reads.margin,
        read_quotes=reads.quotes,
        read_ltp=reads.ltp,
        read_candles=reads.candles,
        read_instruments=reads.instruments,
        triggers=create_triggers(create_write_call(parts.write, sessions, gtt.outcome), read_call),
    )


def create_login(transport: TransportTo, endpoints: Endpoints) -> Login:
    """Login by the broker's page; a session cannot be renewed."""
    send = transport(endpoints.auth)

    async def begin(*, credentials: Credentials, state: str) -> str:
        return session.login_url(api_key=credentials.api_key, state=state, base=endpoints.login)

    async def finish(*, credentials: Credentials, callback: Mapping[str, str], now: int) -> Session:
        token = session.request_token(callback)
        request = session.token_request(
            api_key=credentials.api_key, api_secret=credentials.api_secret, request_token=token
        )
        with without(*credentials.secrets(), token):
            data = responses.read_data(await answered(send, request))
            return session.session_of(data, api_key=credentials.api_key, now=now)

    async def end(*, session: Session) -> None:
        with without(session.access_token, session.api_key):
            responses.read_data(await answered(send, _logout(session)))

    return Login(
        broker="zerodha",
        redirect_needs=("api_key", "api_secret"),
        begin=begin,
        finish=finish,
        end=end,
        lives="a session ends at 06:00 (India) of the next day; log in on the broker's page each morning",
    )


_logout = session.logout_request


def _data(parse: Callable[[bytes], _T]) -> Callable[[HttpAnswer], _T]:
    """A parser of the envelope's `data`."""
    return lambda answer: parse(bytes(responses.read_data(answer)))


def create_public_list(
    transport: TransportTo,
    endpoints: Endpoints,
    now: Callable[[], int],  # noqa: ARG001 - one form for all brokers
) -> ReadInstruments:
    """The dump, asked for without a session: the broker answers anybody (seen, not documented); one that does not
    refuses the request. It tells no day, so the time does not matter."""
    files = transport(endpoints.files)

    async def listing(*, exchange: str) -> tuple[BrokerInstrument, ...]:
        answer = await answered(files, requests.public_instruments(exchange), LIST_TIMEOUT_S)
        return await to_thread(_list, answer)

    return listing


def _list(answer: HttpAnswer) -> tuple[BrokerInstrument, ...]:
    if answer.status != 200:
        responses.read_data(answer)
    if "csv" not in answer.content_type:
        raise BadAnswer(f"the instrument list came as {answer.content_type!r}")
    return instrument_list.parse(answer.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reads:
    """The reads that are a request and a parser, no more."""

    trades: ReadTrades
    positions: ReadPositions
    holdings: ReadHoldings
    funds: ReadFunds
    margin: ReadMargin
    quotes: ReadQuotes
    ltp: ReadLtp
    candles: ReadCandles
    instruments: ReadInstruments


def _plain_reads(call: ReadCall) -> _Reads:
    async def trades() -> tuple[TradeRow, ...]:
        return await call(requests.trades, _data(responses.trade_rows))

    async def positions() -> tuple[PositionRow, ...]:
        return await call(requests.positions, _data(responses.position_rows))

    async def holdings() -> tuple[HoldingRow, ...]:
        return await call(requests.holdings, _data(responses.holding_rows))

    async def funds() -> Funds:
        return await call(requests.funds, _data(responses.funds))

    async def margin(*, orders: tuple[NewOrder, ...]) -> Margin:
        return await call(partial(requests.margin, orders=orders), _data(margins.margin))

    async def quotes(*, instruments: tuple[InstrumentRef, ...]) -> tuple[Quote, ...]:
        found: list[Quote] = []
        for part in in_parts(instruments, limits.QUOTES_PER_CALL):
            found += await call(partial(requests.quotes, instruments=part), _data(prices.quotes))
        return tuple(found)

    async def ltp(*, instruments: tuple[InstrumentRef, ...]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for part in in_parts(instruments, limits.LTP_PER_CALL):
            found |= await call(partial(requests.ltp, instruments=part), _data(prices.last_prices))
        return found

    async def candles(
        *, instrument: InstrumentRef, start: int, end: int, interval: Interval = Interval.MINUTE
    ) -> tuple[Candle, ...]:
        build = partial(requests.candles, token=instrument.token, start=start, end=end, interval=interval)
        return await call(build, _data(prices.candles))

    async def instruments(*, exchange: str) -> tuple[BrokerInstrument, ...]:
        return await call(partial(requests.instruments, exchange=exchange), _list, timeout_s=LIST_TIMEOUT_S)

    return _Reads(
        trades=trades,
        positions=positions,
        holdings=holdings,
        funds=funds,
        margin=margin,
        quotes=quotes,
        ltp=ltp,
        candles=candles,
        instruments=instruments,
    )
