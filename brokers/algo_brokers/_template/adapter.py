"""The thin shell: sends what `requests.py` builds and hands answers to `responses.py`. No write is ever repeated."""

from asyncio import to_thread
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from algo_crds.contracts.orders import OrderRow, PositionRow

from algo_brokers._template import instruments as instrument_list
from algo_brokers._template import limits, prices, requests, responses, session
from algo_brokers._template.capability import CAPABILITY
from algo_brokers._template.feed import open_socket
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
from algo_brokers.errors import SessionRefused
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

_NOWHERE: Final = "https://broker.invalid"
ENDPOINTS: Final = Endpoints(
    rest=_NOWHERE, auth=_NOWHERE, login=_NOWHERE, files=_NOWHERE, market_socket="wss://broker.invalid", order_socket=""
)


def simulated(base: str, *, browser: str = "") -> Endpoints:
    """A simulated broker: everything at its documented path on one port."""
    base = base.rstrip("/")
    socket = base.replace("http", "ws", 1)
    page = (browser or base).rstrip("/")
    return Endpoints(rest=base, auth=base, login=page, files=base, market_socket=socket, order_socket="")


def create_broker(parts: AdapterParts) -> Broker:
    """The adapter of one account."""
    sessions = SessionCalls(current=parts.current, session_over=parts.session_over)
    write = create_write_call(parts.write, sessions, responses.write_outcome)
    read = create_read_call(parts.transport(parts.endpoints.rest), sessions)
    trades, positions, holdings, funds = _account(read)
    quotes, ltp, candles = _polled(read)

    async def place(*, order: NewOrder) -> WriteOutcome:
        return await write(lambda held: requests.place(held, order))

    async def modify(*, change: Change) -> WriteOutcome:
        return await write(lambda held: requests.modify(held, change))

    async def cancel(*, order: OrderRef) -> WriteOutcome:
        return await write(lambda held: requests.cancel(held, order.broker_order_id))

    async def read_book(*, begun_at: int) -> tuple[OrderRow, ...]:
        return await read(requests.book, partial(responses.order_rows, read_at=begun_at))

    async def read_order(*, broker_order_id: str, begun_at: int) -> tuple[OrderRow, ...]:
        build = partial(requests.one_order, broker_order_id=broker_order_id)
        return await read(build, partial(responses.order_rows, read_at=begun_at))

    async def read_by_tag(*, tag: str, begun_at: int) -> tuple[OrderRow, ...]:
        return tuple(row for row in await read_book(begun_at=begun_at) if row.tag == tag)

    async def margin(*, orders: tuple[NewOrder, ...]) -> Margin:
        return await read(partial(requests.margin, orders=orders), responses.margin)

    async def open_feed(*, listener: FeedListener) -> Feed:
        held = parts.current()
        if held is None:
            raise SessionRefused(NO_SESSION)
        return await open_socket(parts.endpoints.market_socket, held, Discreet(listener, held), parts.now)

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
        read_trades=trades,
        read_positions=positions,
        read_holdings=holdings,
        read_funds=funds,
        read_margin=margin,
        read_quotes=quotes,
        read_ltp=ltp,
        read_candles=candles,
        read_instruments=create_public_list(parts.transport, parts.endpoints, parts.now),
    )


def _account(read: ReadCall) -> tuple[ReadTrades, ReadPositions, ReadHoldings, ReadFunds]:
    async def trades() -> tuple[TradeRow, ...]:
        return await read(requests.trades, responses.trade_rows)

    async def positions() -> tuple[PositionRow, ...]:
        return await read(requests.positions, responses.position_rows)

    async def holdings() -> tuple[HoldingRow, ...]:
        return await read(requests.holdings, responses.holding_rows)

    async def funds() -> Funds:
        return await read(requests.funds, responses.funds)

    return trades, positions, holdings, funds


def _polled(read: ReadCall) -> tuple[ReadQuotes, ReadLtp, ReadCandles]:
    async def quotes(*, instruments: tuple[InstrumentRef, ...]) -> tuple[Quote, ...]:
        found: list[Quote] = []
        for part in in_parts(instruments, limits.QUOTES_PER_CALL):
            found += await read(partial(requests.quotes, instruments=part), prices.quotes)
        return tuple(found)

    async def ltp(*, instruments: tuple[InstrumentRef, ...]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for part in in_parts(instruments, limits.LTP_PER_CALL):
            found |= await read(partial(requests.ltp, instruments=part), prices.last_prices)
        return found

    async def candles(
        *, instrument: InstrumentRef, start: int, end: int, interval: Interval = Interval.MINUTE
    ) -> tuple[Candle, ...]:
        build = partial(requests.candles, instrument=instrument, start=start, end=end, interval=interval)
        return await read(build, prices.candles)

    return quotes, ltp, candles


def create_login(transport: TransportTo, endpoints: Endpoints) -> Login:
    """Login by the broker's page; leave out or add the ways that the broker has."""
    send = transport(endpoints.auth)

    async def begin(*, credentials: Credentials, state: str) -> str:
        return session.login_url(api_key=credentials.api_key, state=state, base=endpoints.login)

    async def finish(*, credentials: Credentials, callback: Mapping[str, str], now: int) -> Session:
        request = session.token_request(credentials, callback)
        with without(*credentials.secrets(), *callback.values()):
            answer = await answered(send, request)
            return session.session_of(answer, api_key=credentials.api_key, now=now)

    return Login(broker="_template", redirect_needs=("api_key", "api_secret"), begin=begin, finish=finish)


def create_public_list(transport: TransportTo, endpoints: Endpoints, now: Callable[[], int]) -> ReadInstruments:
    """The day's list; `now` for a broker whose list must be of the day."""
    files = transport(endpoints.files)

    async def listing(*, exchange: str) -> tuple[BrokerInstrument, ...]:
        answer = await answered(files, requests.instruments(exchange), LIST_TIMEOUT_S)
        return await to_thread(instrument_list.parse, answer.body)

    return listing
