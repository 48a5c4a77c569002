"""Parsers of polled prices: quotes, last prices, bars. Pure."""

from datetime import datetime

import msgspec

from algo_brokers.errors import BadAnswer
from algo_brokers.records import Candle, Quote
from algo_brokers.zerodha.responses import decode, instant_of, price


class _Ohlc(msgspec.Struct, frozen=True):
    close: float = 0


class _Quote(msgspec.Struct, frozen=True):
    last_price: float
    timestamp: str | None = None
    volume: int | None = 0
    lower_circuit_limit: float | None = 0
    upper_circuit_limit: float | None = 0
    ohlc: _Ohlc = _Ohlc()


class _Ltp(msgspec.Struct, frozen=True):
    last_price: float


class _Candles(msgspec.Struct, frozen=True):
    candles: list[tuple[str, float, float, float, float, int]]


def quotes(data: bytes) -> tuple[Quote, ...]:
    """Quotes by instrument; silent or unknown ones are missing. Raises `BadAnswer`."""
    found = []
    for key, quote in decode(data, dict[str, _Quote], "quotes").items():
        exchange, _, symbol = key.partition(":")
        found.append(
            Quote(
                exchange=exchange,
                symbol=symbol,
                price=price(quote.last_price),
                time=instant_of(quote.timestamp),
                volume=quote.volume or 0,
                band_low=price(quote.lower_circuit_limit),
                band_high=price(quote.upper_circuit_limit),
                previous_close=price(quote.ohlc.close),
            )
        )
    return tuple(found)


def last_prices(data: bytes) -> dict[tuple[str, str], int]:
    """Last prices by (exchange, symbol). Raises `BadAnswer`."""
    prices = {}
    for key, quote in decode(data, dict[str, _Ltp], "prices").items():
        exchange, _, symbol = key.partition(":")
        prices[exchange, symbol] = price(quote.last_price)
    return prices


def candles(data: bytes) -> tuple[Candle, ...]:
    """Bars, oldest first. Raises `BadAnswer`."""
    bars = []
    for stamp, opened, high, low, close, volume in decode(data, _Candles, "candles").candles:
        try:
            time = int(datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S%z").timestamp() * 1000)
        except ValueError:
            raise BadAnswer(f"candle time {stamp!r}") from None
        prices = [price(value) for value in (opened, high, low, close)]
        bars.append(Candle(time=time, open=prices[0], high=prices[1], low=prices[2], close=prices[3], volume=volume))
    return tuple(bars)
