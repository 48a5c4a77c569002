"""The thin shell: sends what `requests.py` builds and hands answers to `responses.py`. No write is ever repeated."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeVar

import msgspec
from algo_crds.contracts.constants import ENGINE
from algo_crds.contracts.orders import OrderRow, PositionRow, RejectKind

from algo_brokers.errors import BadAnswer, BrokerError, BrokerUnavailable, SessionRefused
from algo_brokers.http import AnswerLostError, HttpAnswer, HttpRequest, NothingSentError, Transport
from algo_brokers.outcomes import Rejected, Unknown, WriteOutcome
from algo_brokers.port import (
    Broker,
    BrokerInstrument,
    Cancel,
    Candle,
    Change,
    ExchangeToken,
    Feed,
    FeedListener,
    Funds,
    HoldingRow,
    Modify,
    NewOrder,
    Place,
    Quote,
    ReadCandles,
    ReadFunds,
    ReadHoldings,
    ReadInstruments,
    ReadLtp,
    ReadPositions,
    ReadQuotes,
    ReadTrades,
    TradeRow,
)
from algo_brokers.session import Session, blot, hide
from algo_brokers.zerodha import instruments as instrument_list
from algo_brokers.zerodha import limits, requests, responses, session, stream
from algo_brokers.zerodha.capability import CAPABILITY
from algo_brokers.zerodha.feed import open_socket

_T = TypeVar("_T")

REST_BASE: Final = "https://api.kite.trade"
TIMEOUT_S: Final = ENGINE.http_timeout_ms / 1000
INSTRUMENTS_TIMEOUT_S: Final = 60.0
_NO_SESSION: Final = "nobody has logged in to the broker account; log in first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the broker is; other values than the defaults mean a simulated broker."""

    rest: str = REST_BASE
    ws: str = stream.WS_BASE
    login: str = session.LOGIN_BASE


def create_zerodha_broker(
    *,
    read: Transport,
    write: Transport,
    current: Callable[[], Session | None],
    now: Callable[[], int],
    endpoints: Endpoints | None = None,
    orders_per_window: int = 8,
    session_over: Callable[[], None] = lambda: None,
) -> Broker:
    """The adapter of one account.

    `read` may leave from anywhere; `write` carries order calls and must leave from the registered address. `current`
    gives the session in force, so that a new login needs no new adapter; `now` is session time in ms. `session_over` is
    called when the broker says that the session is dead.
    """
    where = endpoints or Endpoints()
    write_call, read_call = _write_call(write, current, session_over), _read_call(read, current, session_over)
    reads, writes = _plain_reads(read_call), _writes(write_call)

    async def logout() -> None:
        await read_call(session.logout_request, bytes)

    async def read_book(*, begun_at: int) -> tuple[OrderRow, ...]:
        return await read_call(requests.book, lambda data: responses.order_rows(data, read_at=begun_at))

    async def read_order(*, broker_order_id: str, begun_at: int) -> tuple[OrderRow, ...]:
        return await read_call(
            lambda held: requests.order_history(held, broker_order_id),
            lambda data: responses.order_rows(data, read_at=begun_at),
        )

    async def open_feed(*, listener: FeedListener) -> Feed:
        held = current()
        if held is None:
            raise SessionRefused(_NO_SESSION)
        return await open_socket(stream.url(held, where.ws), held, listener, now)

    return Broker(
        capability=CAPABILITY,
        windows=limits.windows(orders_per_window),
        login_url=lambda *, api_key, state: session.login_url(api_key=api_key, state=state, base=where.login),
        exchange_token=_exchange(read),
        logout=logout,
        place=writes.place,
        modify=writes.modify,
        cancel=writes.cancel,
        read_book=read_book,
        read_order=read_order,
        open_feed=open_feed,
        read_trades=reads.trades,
        read_positions=reads.positions,
        read_holdings=reads.holdings,
        read_funds=reads.funds,
        read_quotes=reads.quotes,
        read_ltp=reads.ltp,
        read_candles=reads.candles,
        read_instruments=reads.instruments,
    )


def _exchange(read: Transport) -> ExchangeToken:
    async def exchange_token(*, api_key: str, api_secret: str, request_token: str, now: int) -> Session:
        request = session.token_request(api_key=api_key, api_secret=api_secret, request_token=request_token)
        with _without(api_key, api_secret, request_token):
            answer = await _answered(read, request, TIMEOUT_S)
            return session.session_of(responses.read_data(answer), api_key=api_key, now=now)

    return exchange_token


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writes:
    """The order calls."""

    place: Place
    modify: Modify
    cancel: Cancel


def _writes(write_call: "_WriteCall") -> _Writes:
    async def place(*, order: NewOrder) -> WriteOutcome:
        return await write_call(lambda held: requests.place(held, order))

    async def modify(*, change: Change) -> WriteOutcome:
        return await write_call(lambda held: requests.modify(held, change))

    async def cancel(*, broker_order_id: str) -> WriteOutcome:
        return await write_call(lambda held: requests.cancel(held, broker_order_id))

    return _Writes(place=place, modify=modify, cancel=cancel)


class _WriteCall(Protocol):
    async def __call__(self, build: Callable[[Session], HttpRequest]) -> WriteOutcome: ...


class _ReadCall(Protocol):
    async def __call__(
        self, build: Callable[[Session], HttpRequest], parse: Callable[[bytes], _T], *, csv: bool = False
    ) -> _T: ...


def _write_call(
    write: Transport, current: Callable[[], Session | None], session_over: Callable[[], None]
) -> _WriteCall:
    """One write, once: certain refusals, or `Unknown` for whatever was not seen."""

    async def call(build: Callable[[Session], HttpRequest]) -> WriteOutcome:
        held = current()
        if held is None:
            return Rejected(kind=RejectKind.SESSION, message=_NO_SESSION)
        request = build(held)
        try:
            outcome = responses.write_outcome(await write(request, timeout_s=TIMEOUT_S))
        except NothingSentError as error:
            return Rejected(kind=RejectKind.BROKER_DOWN, message=hide(str(error), held))
        except AnswerLostError as error:
            return Unknown(reason=hide(str(error), held))
        if isinstance(outcome, Rejected):
            if outcome.session_over:
                session_over()
            return msgspec.structs.replace(outcome, message=hide(outcome.message, held))
        return outcome if not isinstance(outcome, Unknown) else Unknown(reason=hide(outcome.reason, held))

    return call


async def _answered(read: Transport, request: HttpRequest, timeout_s: float) -> HttpAnswer:
    try:
        return await read(request, timeout_s=timeout_s)
    except (NothingSentError, AnswerLostError) as error:
        raise BrokerUnavailable(str(error)) from None


@contextlib.contextmanager
def _without(*secrets: str) -> Iterator[None]:
    """Errors leave without these texts, whatever a broker echoes."""
    try:
        yield
    except BrokerError as error:
        raise type(error)(blot(str(error), secrets)) from None


def _read_call(read: Transport, current: Callable[[], Session | None], session_over: Callable[[], None]) -> _ReadCall:
    """One read; every failure is an error of the tree, so that it can never look like an empty book."""

    async def call(build: Callable[[Session], HttpRequest], parse: Callable[[bytes], _T], *, csv: bool = False) -> _T:
        held = current()
        if held is None:
            raise SessionRefused(_NO_SESSION)
        with _without(held.access_token, held.api_key):
            answer = await _answered(read, build(held), INSTRUMENTS_TIMEOUT_S if csv else TIMEOUT_S)
            if csv and answer.status == 200:
                if "csv" not in answer.content_type:
                    raise BadAnswer(f"the instrument list came as {answer.content_type!r}")
                return parse(answer.body)
            try:
                data = responses.read_data(answer)
            except SessionRefused:
                session_over()
                raise
            return parse(bytes(data))

    return call


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reads:
    """The reads that are a request and a parser, no more."""

    trades: ReadTrades
    positions: ReadPositions
    holdings: ReadHoldings
    funds: ReadFunds
    quotes: ReadQuotes
    ltp: ReadLtp
    candles: ReadCandles
    instruments: ReadInstruments


def _plain_reads(call: _ReadCall) -> _Reads:
    async def trades() -> tuple[TradeRow, ...]:
        return await call(requests.trades, responses.trade_rows)

    async def positions() -> tuple[PositionRow, ...]:
        return await call(requests.positions, responses.position_rows)

    async def holdings() -> tuple[HoldingRow, ...]:
        return await call(requests.holdings, responses.holding_rows)

    async def funds() -> Funds:
        return await call(requests.funds, responses.funds)

    async def quotes(*, instruments: tuple[tuple[str, str], ...]) -> tuple[Quote, ...]:
        found: list[Quote] = []
        for part in _parts(instruments, limits.QUOTES_PER_CALL):
            found += await call(partial(requests.quotes, instruments=part), responses.quotes)
        return tuple(found)

    async def ltp(*, instruments: tuple[tuple[str, str], ...]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for part in _parts(instruments, limits.LTP_PER_CALL):
            found |= await call(partial(requests.ltp, instruments=part), responses.last_prices)
        return found

    async def candles(*, token: int, start: int, end: int) -> tuple[Candle, ...]:
        return await call(partial(requests.candles, token=token, start=start, end=end), responses.candles)

    async def instruments(*, exchange: str) -> tuple[BrokerInstrument, ...]:
        return await call(partial(requests.instruments, exchange=exchange), instrument_list.parse, csv=True)

    return _Reads(
        trades=trades,
        positions=positions,
        holdings=holdings,
        funds=funds,
        quotes=quotes,
        ltp=ltp,
        candles=candles,
        instruments=instruments,
    )


def _parts(instruments: tuple[tuple[str, str], ...], size: int) -> list[tuple[tuple[str, str], ...]]:
    return [instruments[at : at + size] for at in range(0, len(instruments), size)]
