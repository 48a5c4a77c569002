"""The reads of prices, and the day's instrument list."""

from asyncio import sleep, to_thread
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from algo_brokers.calls import LIST_TIMEOUT_S, ReadCall, answered
from algo_brokers.directory import Directory
from algo_brokers.errors import BrokerUnavailable
from algo_brokers.fyers import instruments as symbol_master
from algo_brokers.fyers import limits, prices
from algo_brokers.fyers.account_reads import of_body
from algo_brokers.fyers.envelope import read_body
from algo_brokers.http import HttpAnswer, HttpRequest, Transport
from algo_brokers.port import ReadCandles, ReadInstruments, ReadLtp, ReadQuotes
from algo_brokers.records import BrokerInstrument, Candle, InstrumentRef, Interval, Quote
from algo_brokers.session import Session

_NOT_THERE: Final = frozenset({403, 404})
"""How file hosts say that there is no such file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceReads:
    """Quotes, last prices, bars, and the list that names the instruments."""

    quotes: ReadQuotes
    ltp: ReadLtp
    candles: ReadCandles
    instruments: ReadInstruments


def create_price_reads(call: ReadCall, files: Transport, now: Callable[[], int], directory: Directory) -> PriceReads:
    """The reads of one account; `directory` learns each list that is read."""

    async def many(wanted: tuple[InstrumentRef, ...]) -> list[Quote]:
        found: list[Quote] = []
        for at in range(0, len(wanted), limits.QUOTES_PER_CALL):
            await _pause(at)
            part = wanted[at : at + limits.QUOTES_PER_CALL]
            parse = partial(prices.quotes, instruments=part)
            found += await call(partial(prices.quotes_request, instruments=part), of_body(parse))
        return found

    async def quotes(*, instruments: tuple[InstrumentRef, ...]) -> tuple[Quote, ...]:
        if len(instruments) > limits.DEPTHS_INSTEAD:
            return tuple(await many(instruments))
        read: list[Quote | None] = []
        for place, one in enumerate(instruments):
            await _pause(place)
            parse = of_body(partial(prices.depth_quote, instrument=one))
            read.append(await call(partial(prices.depth_request, instrument=one), parse))
        return tuple(quote for quote in read if quote is not None)

    async def ltp(*, instruments: tuple[InstrumentRef, ...]) -> dict[tuple[str, str], int]:
        return {(quote.exchange, quote.symbol): quote.price for quote in await many(instruments)}

    async def candles(
        *, instrument: InstrumentRef, start: int, end: int, interval: Interval = Interval.MINUTE
    ) -> tuple[Candle, ...]:
        at = now()
        span = prices.history_spans(start=start, end=min(end, at), interval=interval)
        found: list[Candle] = []
        for first, last in span:
            await _pause(first - span[0][0])

            def build(held: Session, first: int = first, last: int = last) -> HttpRequest:
                return prices.history_request(held, instrument, start=first, end=last, interval=interval)

            bars = await call(build, _bars(start=start, end=end, interval=interval, now=at))
            found += [bar for bar in bars if not found or bar.time > found[-1].time]
        return tuple(found)

    async def instruments(*, exchange: str) -> tuple[BrokerInstrument, ...]:
        listing = await _list(files, exchange)
        directory.learn(listing)
        return listing

    return PriceReads(quotes=quotes, ltp=ltp, candles=candles, instruments=instruments)


def _bars(*, start: int, end: int, interval: Interval, now: int) -> Callable[[HttpAnswer], list[Candle]]:
    return lambda answer: prices.candles(
        read_body(answer, empty_is_good=True), start=start, end=end, interval=interval, now=now
    )


async def _pause(calls_before: int) -> None:
    """Before every call of one read but the first."""
    if calls_before:
        await sleep(limits.CALL_PAUSE_S)


async def _list(files: Transport, exchange: str) -> tuple[BrokerInstrument, ...]:
    """The list as JSON, which has the freeze quantities; where there is no such file, as CSV. Parsed beside the loop: a
    list of derivatives is long, and prices and orders must not wait for it."""
    answer = await answered(files, symbol_master.json_request(exchange), LIST_TIMEOUT_S)
    if answer.status == 200:
        return await to_thread(symbol_master.parse_json, answer.body)
    if answer.status in _NOT_THERE:
        answer = await answered(files, symbol_master.csv_request(exchange), LIST_TIMEOUT_S)
        if answer.status == 200:
            return await to_thread(symbol_master.parse_csv, answer.body)
    raise BrokerUnavailable(f"the instrument list of {exchange} cannot be had now: HTTP {answer.status}")
