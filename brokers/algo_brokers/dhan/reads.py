"""The account's and the market's reads over the wire: a request, a parser, and what lies between."""

from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from algo_crds.contracts.orders import PositionRow

from algo_brokers.adapter_parts import TransportTo
from algo_brokers.calls import LIST_TIMEOUT_S, ReadCall, answered
from algo_brokers.dhan import instruments as instrument_list
from algo_brokers.dhan import limits, prices, requests, responses
from algo_brokers.dhan.answers import good
from algo_brokers.dhan.names import Words
from algo_brokers.endpoints import Endpoints
from algo_brokers.errors import RequestRefused
from algo_brokers.http import HttpAnswer, Transport
from algo_brokers.port import (
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
    Funds,
    HoldingRow,
    InstrumentRef,
    Interval,
    Margin,
    NewOrder,
    Quote,
    TradeRow,
)

_T = TypeVar("_T")
_BARS_MS: Final = limits.MINUTE_BAR_DAYS * 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """The reads that are a request and a parser."""

    trades: ReadTrades
    positions: ReadPositions
    holdings: ReadHoldings
    funds: ReadFunds
    margin: ReadMargin
    quotes: ReadQuotes
    ltp: ReadLtp
    candles: ReadCandles
    instruments: ReadInstruments


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    trades: ReadTrades
    positions: ReadPositions
    holdings: ReadHoldings
    funds: ReadFunds
    margin: ReadMargin


def create_reads(call: ReadCall, files: Transport, words: Words) -> Reads:
    """Reads of one account; the day's list comes from the public host `files` without a session."""
    account = _account(call, words)

    async def quotes(*, instruments: tuple[InstrumentRef, ...]) -> tuple[Quote, ...]:
        found: list[Quote] = []
        async for part in _parts(instruments, words):
            parse = _body(partial(prices.quotes, asked=part))
            found += await call(partial(requests.quotes, instruments=part), parse)
        return tuple(found)

    async def ltp(*, instruments: tuple[InstrumentRef, ...]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        async for part in _parts(instruments, words):
            parse = _body(partial(prices.last_prices, asked=part))
            found |= await call(partial(requests.ltp, instruments=part), parse)
        return found

    async def candles(
        *, instrument: InstrumentRef, start: int, end: int, interval: Interval = Interval.MINUTE
    ) -> tuple[Candle, ...]:
        try:
            token = words.ref_of(instrument).token
            kind = words.kind_of(token)
        except ValueError as error:
            raise RequestRefused(str(error)) from None
        step = end - start + 1 if interval is Interval.DAY else _BARS_MS
        bars: list[Candle] = []
        for first in range(start, end + 1, max(step, 1)):
            if first > start:
                await sleep(limits.BARS_PAUSE_S)
            last = min(first + step - 1, end)
            build = partial(requests.candles, token=token, kind=kind, start=first, end=last, interval=interval)
            bars += await call(build, _body(partial(prices.candles, start=first, end=last)))
        return tuple(bars)

    async def instruments(*, exchange: str) -> tuple[BrokerInstrument, ...]:
        listing = await _listing(files, exchange)
        words.learn(listing.instruments, listing.kinds)
        return listing.instruments

    return Reads(
        trades=account.trades,
        positions=account.positions,
        holdings=account.holdings,
        funds=account.funds,
        margin=account.margin,
        quotes=quotes,
        ltp=ltp,
        candles=candles,
        instruments=instruments,
    )


async def _listing(files: Transport, exchange: str) -> instrument_list.Listing:
    answer = await answered(files, requests.instruments(), LIST_TIMEOUT_S)
    # A quarter of a million lines: prices and orders must not wait for them.
    return await to_thread(instrument_list.parse, good(answer), exchange=exchange)


def create_public_list(
    transport: TransportTo,
    endpoints: Endpoints,
    now: Callable[[], int],  # noqa: ARG001 - one form for all brokers
) -> ReadInstruments:
    """The list of the day, from a public host. It tells no day, so the time does not matter."""
    files = transport(endpoints.files)

    async def listing(*, exchange: str) -> tuple[BrokerInstrument, ...]:
        return (await _listing(files, exchange)).instruments

    return listing


def _account(call: ReadCall, words: Words) -> _Account:
    async def trades() -> tuple[TradeRow, ...]:
        return await call(requests.trades, _body(partial(responses.trade_rows, words=words)))

    async def positions() -> tuple[PositionRow, ...]:
        return await call(requests.positions, _body(partial(responses.position_rows, words=words)))

    async def holdings() -> tuple[HoldingRow, ...]:
        return await call(requests.holdings, partial(responses.holding_rows, words=words))

    async def funds() -> Funds:
        return await call(requests.funds, _body(responses.funds))

    async def margin(*, orders: tuple[NewOrder, ...]) -> Margin:
        try:
            known = tuple(requests.with_token(order, words) for order in orders)
        except ValueError as error:
            raise RequestRefused(str(error)) from None
        return await call(partial(requests.margin, orders=known), _body(responses.margin))

    return _Account(trades=trades, positions=positions, holdings=holdings, funds=funds, margin=margin)


def _body(parse: Callable[[bytes], _T]) -> Callable[[HttpAnswer], _T]:
    """A parser of a good answer's body."""
    return lambda answer: parse(good(answer))


async def _parts(instruments: tuple[InstrumentRef, ...], words: Words) -> AsyncIterator[tuple[InstrumentRef, ...]]:
    """The instruments that the day's list knows, in calls of the largest size with the broker's pause between them; the
    others are missing."""
    known = []
    for one in instruments:
        try:
            known.append(words.ref_of(one))
        except ValueError:
            continue
    for at in range(0, len(known), limits.QUOTES_PER_CALL):
        if at:
            await sleep(limits.QUOTE_PAUSE_S)
        yield tuple(known[at : at + limits.QUOTES_PER_CALL])
