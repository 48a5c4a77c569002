"""Binary market-data packets: big endian, unsigned; layouts in Kite's WebSocket documentation."""

import struct
from typing import Final

from algo_market.row_parsers import Trade

from algo_simulator.depth import levels, offers
from algo_simulator.market import Market
from algo_simulator.zerodha.names import SEGMENT_INDICES, kite_token

HEARTBEAT: Final = b"\x00"
_LTP: Final = struct.Struct(">II")
_QUOTE: Final = struct.Struct(">11I")
_FULL: Final = struct.Struct(">16I")
_INDEX_QUOTE: Final = struct.Struct(">7I")
_INDEX_FULL: Final = struct.Struct(">8I")
_LEVEL: Final = struct.Struct(">IIHxx")
_MAX: Final = 0xFFFFFFFF


def frame(packets: list[bytes]) -> bytes:
    """One WebSocket message of packets."""
    parts = [struct.pack(">H", len(packets))]
    for packet in packets:
        parts += (struct.pack(">H", len(packet)), packet)
    return b"".join(parts)


def packet(mode: str, market: Market, row: Trade) -> bytes:
    """The packet of a recorded row in a mode (`ltp`, `quote`, `full`).

    Day figures come from what traded so far; price, time and volume are the row's own, dirt included.
    """
    token = kite_token(market.instrument)
    last = _paise(row.price)
    if mode == "ltp":
        return _LTP.pack(token, last)
    stats = market.stats
    opened, high, low = (_paise(price or row.price) for price in (stats.open, stats.high, stats.low))
    close = _paise(market.previous_close)
    seconds = max(row.time // 1000, 0) & _MAX
    if token & 0xFF == SEGMENT_INDICES:
        body = (token, last, high, low, opened, close, (last - close) & _MAX)
        return _INDEX_QUOTE.pack(*body) if mode == "quote" else _INDEX_FULL.pack(*body, seconds)
    volume = min(row.volume, _MAX)
    quote = (token, last, min(stats.last_quantity, _MAX), _paise(stats.average or row.price), volume, *offers(volume))
    ohlc = (opened, high, low, close)
    if mode == "quote":
        return _QUOTE.pack(*quote, *ohlc)
    return _FULL.pack(*quote, *ohlc, seconds, 0, 0, 0, seconds) + _depth(market, row.price)


def _depth(market: Market, last: int) -> bytes:
    bids, asks = levels(market, last)
    return b"".join(_LEVEL.pack(quantity, _paise(price), orders) for quantity, price, orders in (*bids, *asks))


def _paise(price: int) -> int:
    return min(max(price, 0) // 100, _MAX)
