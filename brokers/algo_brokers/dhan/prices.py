"""Parsers of polled prices: quotes, last prices, bars. Pure."""

import math
from typing import Final

import msgspec

from algo_brokers.dhan import names
from algo_brokers.dhan.answers import decode, instant_of, price
from algo_brokers.errors import BadAnswer
from algo_brokers.records import Candle, InstrumentRef, Quote

_LAST_SECOND: Final = 4_102_444_800.0
"""The year 2100: a later bar was read wrongly."""


class _Ohlc(msgspec.Struct, frozen=True):
    close: float = 0


class _Quote(msgspec.Struct, frozen=True):
    last_price: float
    last_trade_time: str | None = None
    volume: int | None = 0
    lower_circuit_limit: float | None = 0
    upper_circuit_limit: float | None = 0
    ohlc: _Ohlc = _Ohlc()


class _Quotes(msgspec.Struct, frozen=True):
    data: dict[str, dict[str, _Quote]]


class _Bars(msgspec.Struct, frozen=True):
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    timestamp: list[float]


def _found(body: bytes, asked: tuple[InstrumentRef, ...]) -> list[tuple[InstrumentRef, _Quote]]:
    """Unknown ids are missing or filled with zeros; neither is a price."""
    by_token = {one.token: one for one in asked}
    pairs = []
    for segment, quotes in decode(body, _Quotes, "quotes").data.items():
        for security_id, quote in quotes.items():
            if not (security_id.isascii() and security_id.isdigit()):
                raise BadAnswer(f"security id {security_id!r} is no number")
            one = by_token.get(names.pack(segment, int(security_id)))
            if one is not None and quote.last_price:
                pairs.append((one, quote))
    return pairs


def quotes(body: bytes, asked: tuple[InstrumentRef, ...]) -> tuple[Quote, ...]:
    """Quotes of those that were asked for. `ohlc.close` is the day before's close. Raises `BadAnswer`."""
    return tuple(
        Quote(
            exchange=one.exchange,
            symbol=one.symbol,
            price=price(quote.last_price),
            time=instant_of(quote.last_trade_time),
            volume=quote.volume or 0,
            band_low=price(quote.lower_circuit_limit),
            band_high=price(quote.upper_circuit_limit),
            previous_close=price(quote.ohlc.close),
        )
        for one, quote in _found(body, asked)
    )


def last_prices(body: bytes, asked: tuple[InstrumentRef, ...]) -> dict[tuple[str, str], int]:
    """Last prices by (exchange, symbol). Raises `BadAnswer`."""
    return {(one.exchange, one.symbol): price(quote.last_price) for one, quote in _found(body, asked)}


def candles(body: bytes, *, start: int, end: int) -> tuple[Candle, ...]:
    """Bars that open between two instants, both included, oldest first. Times are true UTC seconds.

    Raises:
        BadAnswer: the columns are not of one length, or a value is none.
    """
    told = decode(body, _Bars, "bars")
    columns = (told.timestamp, told.open, told.high, told.low, told.close, told.volume)
    if len({len(column) for column in columns}) != 1:
        raise BadAnswer("the columns of the bars have different lengths")
    bars = (_bar(*values) for values in zip(*columns, strict=True))
    return tuple(bar for bar in bars if start <= bar.time <= end)


def _bar(second: float, opened: float, high: float, low: float, close: float, volume: float) -> Candle:
    if not 0 <= second < _LAST_SECOND or not 0 <= volume < math.inf:
        raise BadAnswer(f"a bar of {second!r} with volume {volume!r}")
    return Candle(
        time=int(second) * 1000,
        open=price(opened),
        high=price(high),
        low=price(low),
        close=price(close),
        volume=int(volume),
    )
