"""Polled prices and bars: which calls they take, and their answers, pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
from algo_crds.contracts.clock import IST

from algo_brokers.angelone import requests
from algo_brokers.angelone.amounts import Number, count_of, instant_of, price_of
from algo_brokers.angelone.envelope import decode
from algo_brokers.errors import BadAnswer
from algo_brokers.records import Candle, InstrumentRef, Interval, Quote

Wanted = Mapping[tuple[str, str], InstrumentRef]
"""What was asked for, by exchange and exchange token."""

_MINUTE: Final = 60_000
_SESSION_MS: Final = 375 * _MINUTE
"""09:15 to 15:30: after that a day's bar stands."""

INTERVALS: Final[dict[Interval, tuple[str, int, int]]] = {
    Interval.MINUTE: ("ONE_MINUTE", 30, _MINUTE),
    Interval.FIVE_MINUTES: ("FIVE_MINUTE", 100, 5 * _MINUTE),
    Interval.FIFTEEN_MINUTES: ("FIFTEEN_MINUTE", 200, 15 * _MINUTE),
    Interval.HOUR: ("ONE_HOUR", 400, 60 * _MINUTE),
    Interval.DAY: ("ONE_DAY", 2_000, 0),
}
"""The broker's word, most days in one call (docs, Historical), length of a bar in ms (0: the session)."""


class _Entry(msgspec.Struct, frozen=True, rename="camel"):
    exchange: str
    symbol_token: str | int
    ltp: Number
    exch_feed_time: str | None = None
    trade_volume: Number = None
    lower_circuit: Number = None
    upper_circuit: Number = None
    close: Number = None


class _Ltp(msgspec.Struct, frozen=True):
    ltp: int | float | str


class _Quotes(msgspec.Struct, frozen=True):
    fetched: list[_Entry] | None = None


def wanted(instruments: tuple[InstrumentRef, ...]) -> Wanted:
    """Instruments by the names in the answer. Raises `ValueError` for one without a token."""
    return {(one.exchange, requests.exchange_token(one)): one for one in instruments}


def quotes(data: bytes, asked: Wanted) -> tuple[Quote, ...]:
    """Full quotes; what the broker did not fetch is missing. Raises `BadAnswer`."""
    found = []
    for entry in decode(data, _Quotes, "quotes").fetched or []:
        one = asked.get((entry.exchange, str(entry.symbol_token)))
        if one is not None:
            found.append(
                Quote(
                    exchange=one.exchange,
                    symbol=one.symbol,
                    price=price_of(entry.ltp),
                    time=instant_of(entry.exch_feed_time),
                    volume=count_of(entry.trade_volume),
                    band_low=price_of(entry.lower_circuit),
                    band_high=price_of(entry.upper_circuit),
                    previous_close=price_of(entry.close),
                )
            )
    return tuple(found)


def last_price(data: bytes) -> int:
    """The last price of the one instrument that was asked for. Raises `BadAnswer`."""
    return price_of(decode(data, _Ltp, "price").ltp)


def _minute(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, IST).strftime("%Y-%m-%d %H:%M")


def ranges(start: int, end: int, interval: Interval, *, now: int) -> list[tuple[str, str]]:
    """The calls that cover `start` to `end` (instants in ms), none longer than the broker allows, none into the future:
    that is answered with an error."""
    days = INTERVALS[interval][1]
    step = int(timedelta(days=days).total_seconds() * 1000) - _MINUTE
    last = min(end, now) // _MINUTE * _MINUTE
    first = -(-start // _MINUTE) * _MINUTE
    found = []
    while first <= last:
        until = min(first + step, last)
        found.append((_minute(first), _minute(until)))
        first = until + _MINUTE
    return found


def candles(data: bytes, *, start: int, end: int, interval: Interval, now: int) -> tuple[Candle, ...]:
    """Bars that open from `start` to `end` and have ended by `now`: the running one is still incomplete.

    Minutes without a trade are absent.

    Raises:
        BadAnswer: a bar cannot be read.
    """
    length = INTERVALS[interval][2]
    bars = []
    for row in decode(data, list[tuple[str, Number, Number, Number, Number, Number]], "candles"):
        try:
            opened = datetime.strptime(row[0], "%Y-%m-%dT%H:%M:%S%z")
        except ValueError:
            raise BadAnswer(f"candle time {row[0]!r}") from None
        time = int(opened.timestamp() * 1000)
        ends = time + length if length else _day_ends(opened)
        if start <= time <= end and ends <= now:
            prices = [price_of(value) for value in row[1:5]]
            bars.append(
                Candle(
                    time=time, open=prices[0], high=prices[1], low=prices[2], close=prices[3], volume=count_of(row[5])
                )
            )
    return tuple(bars)


def _day_ends(opened: datetime) -> int:
    local = opened.astimezone(IST)
    close = local.replace(hour=9, minute=15, second=0, microsecond=0)
    return int(close.timestamp() * 1000) + _SESSION_MS
