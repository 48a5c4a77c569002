"""The market's reads: prices in groups, bars in ranges, the list of the day."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from algo_crds.contracts.clock import session_date

from algo_brokers.adapter_parts import TransportTo
from algo_brokers.angelone import envelope, instruments, limits, prices, rejections, requests
from algo_brokers.angelone.names import Names
from algo_brokers.calls import LIST_TIMEOUT_S, ReadCall, answered
from algo_brokers.endpoints import Endpoints
from algo_brokers.errors import BadAnswer, BrokerUnavailable, RequestRefused
from algo_brokers.http import HttpAnswer, Transport
from algo_brokers.port import ReadCandles, ReadInstruments, ReadLtp, ReadQuotes
from algo_brokers.records import BrokerInstrument, Candle, InstrumentRef, Interval, Quote

CANDLE_PACE_S: Final = 0.4
"""Between the parts of a long range: three calls a second are allowed."""
LTP_PACE_S: Final = 0.11
"""Between last prices: ten calls a second."""
QUOTE_PACE_S: Final = 1.1
"""Between the parts of a long list: one call a second."""


def create_price_reads(call: ReadCall, names: Names) -> tuple[ReadQuotes, ReadLtp]:
    """Quotes, fifty instruments a call, and last prices, one a call: two endpoints with limits of their own."""

    def known(wanted: tuple[InstrumentRef, ...]) -> list[InstrumentRef]:
        return [one for one in map(names.resolve, wanted) if one is not None]

    async def quotes(*, instruments: tuple[InstrumentRef, ...]) -> tuple[Quote, ...]:
        listed, size, found = known(instruments), limits.QUOTES_PER_CALL, list[Quote]()
        for at in range(0, len(listed), size):
            await _pace(at, QUOTE_PACE_S)
            part = tuple(listed[at : at + size])
            found += await call(
                partial(requests.quotes, instruments=part), partial(_parse_quotes, asked=prices.wanted(part))
            )
        return tuple(found)

    async def ltp(*, instruments: tuple[InstrumentRef, ...]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for number, one in enumerate(known(instruments)):
            await _pace(number, LTP_PACE_S)
            price = await call(partial(requests.last_price, instrument=one), _parse_price)
            if price is not None:
                found[one.exchange, one.symbol] = price
        return found

    return quotes, ltp


def create_candle_read(call: ReadCall, names: Names, now: Callable[[], int]) -> ReadCandles:
    """Bars, as many days a call as the broker allows."""

    async def candles(
        *, instrument: InstrumentRef, start: int, end: int, interval: Interval = Interval.MINUTE
    ) -> tuple[Candle, ...]:
        known = names.resolve(instrument)
        if known is None:
            raise RequestRefused(f"{instrument.symbol} is not in Angel One's list of today; load the list first")
        until, word = now(), prices.INTERVALS[interval][0]
        found: list[Candle] = []
        for number, (first, last) in enumerate(prices.ranges(start, end, interval, now=until)):
            await _pace(number, CANDLE_PACE_S)
            found += await call(
                partial(requests.candles, instrument=known, interval=word, first=first, last=last),
                lambda answer: prices.candles(
                    envelope.read_list(answer), start=start, end=end, interval=interval, now=until
                ),
            )
        return tuple(found)

    return candles


def create_instrument_read(files: Transport, names: Names, now: Callable[[], int]) -> ReadInstruments:
    """The list of the day: a public file, which needs no session."""

    async def listing(*, exchange: str) -> tuple[BrokerInstrument, ...]:
        answer = await answered(files, requests.scrip_master(), LIST_TIMEOUT_S)
        if answer.status != 200:
            raise BrokerUnavailable(f"the instrument list was answered with HTTP {answer.status}; try again")
        if "html" in answer.content_type:
            raise BadAnswer("the instrument list came as a page")
        read_at = now()
        # Tens of megabytes: off the event loop, which trades meanwhile.
        found = await asyncio.to_thread(instruments.parse, answer.body, exchange, today=session_date(read_at))
        names.learn(found, now=read_at)
        return found

    return listing


def create_public_list(transport: TransportTo, endpoints: Endpoints, now: Callable[[], int]) -> ReadInstruments:
    """The list of the day, for whoever needs no account."""
    return create_instrument_read(transport(endpoints.files), Names(), now)


def _parse_quotes(answer: HttpAnswer, asked: prices.Wanted) -> tuple[Quote, ...]:
    return prices.quotes(envelope.read_data(answer), asked)


def _parse_price(answer: HttpAnswer) -> int | None:
    """None for an instrument that the broker does not know."""
    opened = envelope.open_envelope(answer)
    if isinstance(opened, envelope.Failure) and opened.code in rejections.NO_SYMBOL:
        return None
    return prices.last_price(envelope.read_data(answer))


async def _pace(number: int, seconds: float) -> None:
    if number:
        await asyncio.sleep(seconds)
