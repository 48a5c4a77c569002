"""Polled prices: requests and parsers of quotes, depth and bars. Pure.

They go to the data paths of the same host. A quote has neither the day's band nor the time of the last trade (its `tt`
is a day); depth has both. Source: docs v3, data API.
"""

from datetime import datetime, time
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

import msgspec
from algo_crds.contracts.clock import IST

from algo_brokers.errors import BadAnswer
from algo_brokers.fyers import limits
from algo_brokers.fyers.decoding import Number, count_of, decode, epoch_ms, price_of
from algo_brokers.fyers.names import broker_symbol_of
from algo_brokers.fyers.requests import headers
from algo_brokers.http import HttpRequest
from algo_brokers.records import Candle, InstrumentRef, Interval, Quote
from algo_brokers.session import Session

DATA: Final = "/data"
_RESOLUTION: Final = {
    Interval.MINUTE: ("1", 60_000),
    Interval.FIVE_MINUTES: ("5", 300_000),
    Interval.FIFTEEN_MINUTES: ("15", 900_000),
    Interval.HOUR: ("60", 3_600_000),
    Interval.DAY: ("D", 86_400_000),
}
_DAY_MS: Final = 86_400_000


class _Value(msgspec.Struct, frozen=True):
    lp: Number = None
    volume: Number = None
    prev_close_price: Number = None


class _Element(msgspec.Struct, frozen=True):
    n: str
    s: str = ""
    v: _Value = _Value()


class _Quotes(msgspec.Struct, frozen=True):
    d: list[_Element]


class _Depth(msgspec.Struct, frozen=True):
    ltp: Number = None
    ltt: Number = None
    v: Number = None
    c: Number = None
    lower_ckt: Number = None
    upper_ckt: Number = None


class _Depths(msgspec.Struct, frozen=True):
    d: dict[str, _Depth]


class _History(msgspec.Struct, frozen=True):
    s: str
    candles: list[list[Decimal]] = []


def _read(session: Session, path: str, query: dict[str, str]) -> HttpRequest:
    return HttpRequest("GET", f"{DATA}{path}?{urlencode(query)}", headers(session))


def quotes_request(session: Session, instruments: tuple[InstrumentRef, ...]) -> HttpRequest:
    """Quotes of at most 50 instruments; `&`, `:` and `,` are encoded."""
    return _read(session, "/quotes", {"symbols": ",".join(broker_symbol_of(one) for one in instruments)})


def depth_request(session: Session, instrument: InstrumentRef) -> HttpRequest:
    """Depth of one instrument, with the day's prices and band."""
    return _read(session, "/depth", {"symbol": broker_symbol_of(instrument), "ohlcv_flag": "1"})


def quotes(data: bytes, instruments: tuple[InstrumentRef, ...]) -> tuple[Quote, ...]:
    """Quotes of those instruments that the broker knows and that have a price. Without time and band: neither is told.
    Raises `BadAnswer`."""
    wanted = {broker_symbol_of(one): one for one in instruments}
    found = []
    for element in decode(data, _Quotes, "quotes").d:
        asked = wanted.get(element.n)
        price = price_of(element.v.lp)
        if asked is None or element.s != "ok" or price <= 0:
            continue
        found.append(
            Quote(
                exchange=asked.exchange,
                symbol=asked.symbol,
                price=price,
                time=0,
                volume=count_of(element.v.volume),
                band_low=0,
                band_high=0,
                previous_close=price_of(element.v.prev_close_price),
            )
        )
    return tuple(found)


def depth_quote(data: bytes, instrument: InstrumentRef) -> Quote | None:
    """The quote in a depth answer, with band and time of the last trade; None where the broker shows no price.
    Raises `BadAnswer`."""
    depth = decode(data, _Depths, "depth").d.get(broker_symbol_of(instrument))
    price = price_of(depth.ltp) if depth is not None else 0
    if depth is None or price <= 0:
        return None
    return Quote(
        exchange=instrument.exchange,
        symbol=instrument.symbol,
        price=price,
        time=epoch_ms(depth.ltt),
        volume=count_of(depth.v),
        band_low=price_of(depth.lower_ckt),
        band_high=price_of(depth.upper_ckt),
        previous_close=price_of(depth.c),
    )


def _midnight(instant: int) -> int:
    """Start of the instant's day in India."""
    day = datetime.fromtimestamp(instant / 1000, IST).date()
    return int(datetime.combine(day, time(), IST).timestamp() * 1000)


def history_spans(*, start: int, end: int, interval: Interval) -> list[tuple[int, int]]:
    """The time cut into what one call may ask for: 100 days of minutes, 366 of days. Instants in ms, ends included."""
    days = limits.DAY_DAYS_PER_CALL if interval is Interval.DAY else limits.MINUTE_DAYS_PER_CALL
    first = _midnight(start) if interval is Interval.DAY else start
    step = days * _DAY_MS
    return [(at, min(end, at + step - 1000)) for at in range(first, end + 1, step)]


def history_request(
    session: Session, instrument: InstrumentRef, *, start: int, end: int, interval: Interval
) -> HttpRequest:
    """Bars of one span, by epoch seconds."""
    query = {
        "symbol": broker_symbol_of(instrument),
        "resolution": _RESOLUTION[interval][0],
        "date_format": "0",
        "range_from": str(start // 1000),
        "range_to": str(end // 1000),
        "cont_flag": "0",
    }
    return _read(session, "/history", query)


def candles(data: bytes, *, start: int, end: int, interval: Interval, now: int) -> list[Candle]:
    """Finished bars that open between two instants, oldest first. The running bar comes with the answer, half done,
    and is left out. A day's bar opens at midnight in India, whatever hour the broker writes. Raises `BadAnswer`."""
    length = _RESOLUTION[interval][1]
    bars: dict[int, Candle] = {}
    for row in decode(data, _History, "candles").candles:
        if len(row) < 6:
            raise BadAnswer(f"a bar of {len(row)} values; six were expected")
        opened = epoch_ms(row[0])
        if interval is Interval.DAY:
            opened = _midnight(opened)
        if start <= opened <= end and opened + length <= now:
            prices = [price_of(value) for value in row[1:5]]
            bars[opened] = Candle(
                time=opened,
                open=prices[0],
                high=prices[1],
                low=prices[2],
                close=prices[3],
                volume=count_of(row[5]),
            )
    return [bars[opened] for opened in sorted(bars)]
