"""Binary market packets of the streaming socket: little endian, one packet a message, the size says the mode.

Prices travel in paise, in the currency segment in 1/10 000 000 rupee.
"""

import struct
from collections.abc import Sequence
from typing import Final

import msgspec

from algo_simulator.angelone.names import CURRENCY
from algo_simulator.depth import Level

LTP: Final = 1
QUOTE: Final = 2
SNAP_QUOTE: Final = 3
DEPTH: Final = 4
MODES: Final = (LTP, QUOTE, SNAP_QUOTE, DEPTH)
_HEAD: Final = struct.Struct("<BB25s")
_LTP: Final = struct.Struct("<qqq")
_QUOTE: Final = struct.Struct("<qqqddqqqq")
_TRADED: Final = struct.Struct("<qqd")
_BEST: Final = struct.Struct("<HqqH")
_YEAR: Final = struct.Struct("<qqqq")
_TIMES: Final = struct.Struct("<qq")
_DEEP: Final = struct.Struct("<iih")
_BUY: Final = 1
_SELL: Final = 0
BEST: Final = 5
DEEP: Final = 20
_MAX: Final = (1 << 63) - 1
_MAX_DEEP: Final = (1 << 31) - 1


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """What a packet tells of a symbol; prices are `Price` (1/10 000 rupee), times ms."""

    exchange_type: int
    token: str
    sequence: int
    time: int
    """Of the exchange."""
    received: int = 0
    """When the broker had it (mode 4)."""
    last: int = 0
    last_quantity: int = 0
    average: int = 0
    volume: int = 0
    total_buy: float = 0.0
    total_sell: float = 0.0
    open: int = 0
    high: int = 0
    low: int = 0
    close: int = 0
    last_trade: int = 0
    open_interest: int = 0
    bids: Sequence[Level] = ()
    asks: Sequence[Level] = ()
    upper_circuit: int = 0
    lower_circuit: int = 0
    year_high: int = 0
    year_low: int = 0


def packet(mode: int, tick: Tick) -> bytes:
    """The packet of a mode: 51, 123, 379 or 443 bytes."""
    head = _HEAD.pack(mode, tick.exchange_type, tick.token.encode("ascii", "replace")[:25])
    if mode == DEPTH:
        return head + _TIMES.pack(tick.time, tick.received) + _deep(tick, tick.bids) + _deep(tick, tick.asks)
    parts = [head, _LTP.pack(tick.sequence, tick.time, _price(tick, tick.last))]
    if mode in (QUOTE, SNAP_QUOTE):
        parts.append(_quote(tick))
    if mode == SNAP_QUOTE:
        parts += [_TRADED.pack(tick.last_trade // 1000, tick.open_interest, 0.0), _best(tick, _BUY, tick.bids)]
        parts += [_best(tick, _SELL, tick.asks), _year(tick)]
    return b"".join(parts)


def _quote(tick: Tick) -> bytes:
    return _QUOTE.pack(
        tick.last_quantity,
        _price(tick, tick.average),
        min(tick.volume, _MAX),
        tick.total_buy,
        tick.total_sell,
        *(_price(tick, price) for price in (tick.open, tick.high, tick.low, tick.close)),
    )


def _year(tick: Tick) -> bytes:
    prices = (tick.upper_circuit, tick.lower_circuit, tick.year_high, tick.year_low)
    return _YEAR.pack(*(_price(tick, price) for price in prices))


def _best(tick: Tick, flag: int, side: Sequence[Level]) -> bytes:
    rows = [*side, *([(0, 0, 0)] * BEST)][:BEST]
    return b"".join(_BEST.pack(flag, quantity, _price(tick, price), orders) for quantity, price, orders in rows)


def _deep(tick: Tick, side: Sequence[Level]) -> bytes:
    rows = [*side, *([(0, 0, 0)] * DEEP)][:DEEP]
    return b"".join(
        _DEEP.pack(min(quantity, _MAX_DEEP), min(_price(tick, price), _MAX_DEEP), orders)
        for quantity, price, orders in rows
    )


def _price(tick: Tick, price: int) -> int:
    scaled = price * 1_000 if tick.exchange_type == CURRENCY else price // 100
    return min(max(scaled, 0), _MAX)
