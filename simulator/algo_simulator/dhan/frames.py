"""Binary market packets of the live feed v2: little endian, an 8-byte header, prices as 32-bit floats in rupees.

Layouts: "Live Market Feed" of the DhanHQ v2 documentation. The time of a trade is the Indian wall clock written as if
it were UTC. One packet is one WebSocket message: the official client decodes only the first packet of a message.
"""

import struct
from datetime import UTC, datetime
from typing import Final

from algo_crds.contracts.clock import IST
from algo_market.row_parsers import Trade

from algo_simulator.depth import LEVELS, levels, offers
from algo_simulator.dhan.names import SEGMENT_CODES, security_id, segment_of
from algo_simulator.market import Market

TICKER: Final = 2
QUOTE: Final = 4
OPEN_INTEREST: Final = 5
PREVIOUS_CLOSE: Final = 6
MARKET_STATUS: Final = 7
FULL: Final = 8
DISCONNECT: Final = 50

_HEADER: Final = struct.Struct("<BHBI")
_TICKER: Final = struct.Struct("<BHBIfI")
_QUOTE: Final = struct.Struct("<BHBIfHIfIIIffff")
_OI: Final = struct.Struct("<BHBII")
_FULL: Final = struct.Struct("<BHBIfHIfIIIIIIffff")
_LEVEL: Final = struct.Struct("<IIHHff")
_DISCONNECT: Final = struct.Struct("<BHBIH")
_MAX: Final = 0xFFFFFFFF
IST_AHEAD_S: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp() - datetime(2000, 1, 1, tzinfo=IST).timestamp())
"""Seconds that the Indian wall clock is ahead of UTC."""


def wall_seconds(at: int) -> int:
    """An instant (ms) as Dhan's packets write it."""
    return max(at // 1000 + IST_AHEAD_S, 0) & _MAX


def ticker(market: Market, row: Trade) -> bytes:
    """Packet 2: last price and its time."""
    head = _head(market, TICKER, _TICKER.size)
    return _TICKER.pack(*head, _rupees(row.price), wall_seconds(row.time))


def previous_close(market: Market) -> bytes:
    """Packet 6: yesterday's close and open interest."""
    return _TICKER.pack(*_head(market, PREVIOUS_CLOSE, _TICKER.size), _rupees(market.previous_close), 0)


def open_interest(market: Market) -> bytes:
    """Packet 5; the record has no open interest."""
    return _OI.pack(*_head(market, OPEN_INTEREST, _OI.size), 0)


def market_status(market: Market) -> bytes:
    """Packet 7: a header and nothing more."""
    return _HEADER.pack(*_head(market, MARKET_STATUS, _HEADER.size))


def quote(market: Market, row: Trade) -> bytes:
    """Packet 4: price, quantities and the day's figures. Day figures come from what traded so far."""
    head = _head(market, QUOTE, _QUOTE.size)
    return _QUOTE.pack(*head, *_trade_figures(market, row), *_day_prices(market, row))


def full(market: Market, row: Trade) -> bytes:
    """Packet 8: the quote, open interest and five levels of the book."""
    head = _head(market, FULL, _FULL.size + LEVELS * _LEVEL.size)
    body = _FULL.pack(*head, *_trade_figures(market, row), 0, 0, 0, *_day_prices(market, row))
    return body + b"".join(_depth_rows(market, row.price))


def disconnect(reason: int) -> bytes:
    """Packet 50: why the server ends the connection (codes 800-814)."""
    return _DISCONNECT.pack(DISCONNECT, _DISCONNECT.size, 0, 0, reason)


def _head(market: Market, code: int, length: int) -> tuple[int, int, int, int]:
    instrument = market.instrument
    return code, length, SEGMENT_CODES[segment_of(instrument)], security_id(instrument)


def _trade_figures(market: Market, row: Trade) -> tuple[float, int, int, float, int, int, int]:
    """LTP, LTQ, LTT, average, volume, total sell, total buy; an index has a price and a time only."""
    price, at, stats = _rupees(row.price), wall_seconds(row.time), market.stats
    if market.instrument.kind == "INDEX":
        return price, 0, at, 0.0, 0, 0, 0
    volume = min(row.volume, _MAX)
    buy, sell = offers(volume)
    # The field of the last quantity is 16 bits wide and wraps.
    return price, stats.last_quantity & 0xFFFF, at, _rupees(stats.average or row.price), volume, sell, buy


def _day_prices(market: Market, row: Trade) -> tuple[float, float, float, float]:
    """Open, close, high, low; `close` is the previous day's while the session runs."""
    stats = market.stats
    opened, high, low = (_rupees(price or row.price) for price in (stats.open, stats.high, stats.low))
    return opened, _rupees(market.previous_close), high, low


def _depth_rows(market: Market, last: int) -> list[bytes]:
    if market.instrument.kind == "INDEX":
        return [_LEVEL.pack(0, 0, 0, 0, 0.0, 0.0)] * LEVELS
    bids, asks = levels(market, last)
    return [
        _LEVEL.pack(bid[0], ask[0], bid[2], ask[2], _rupees(bid[1]), _rupees(ask[1]))
        for bid, ask in zip(bids, asks, strict=True)
    ]


def _rupees(price: int) -> float:
    return max(price, 0) / 10_000
