"""The market socket (live feed v2): binary packets in, JSON texts out. Pure.

Little endian. Header of eight bytes: code `u8`, length of the whole packet `u16`, segment `u8`, security id `u32`;
several packets may lie in one message, walked by their lengths. Prices are 32-bit floats in rupees. Source: DhanHQ v2
docs, live market feed and annexure. A message that does not add up is an error as a whole: no price of it is used.
"""

import math
import struct
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

import msgspec

from algo_brokers.dhan import names
from algo_brokers.dhan.limits import INSTRUMENTS_PER_MESSAGE
from algo_brokers.errors import BadAnswer
from algo_brokers.records import FeedTick
from algo_brokers.session import Session

_HEADER: Final = struct.Struct("<BHBI")
_TICKER: Final = struct.Struct("<BHBIfI")  # header, last price, time
_QUOTE: Final = struct.Struct("<BHBIfHIfI")  # header, last price, last quantity, time, average, volume
_PRICE: Final = struct.Struct("<f")
_REASON: Final = struct.Struct("<H")

TICKER: Final = 2
DEPTH: Final = 3
QUOTE: Final = 4
OPEN_INTEREST: Final = 5
PREVIOUS_CLOSE: Final = 6
MARKET_STATUS: Final = 7
FULL: Final = 8
DISCONNECT: Final = 50
_SIZES: Final = {
    TICKER: 16,
    DEPTH: 112,
    QUOTE: 50,
    OPEN_INTEREST: 12,
    PREVIOUS_CLOSE: 16,
    MARKET_STATUS: 8,
    FULL: 162,
    DISCONNECT: 10,
}
_QUOTE_BYTES: Final = _SIZES[QUOTE]
_QUOTES: Final = frozenset({QUOTE, FULL})
_alone: Final = struct.Struct("<IIf2xI4xI24x").unpack
"""A message of one quote packet: code, length and segment as one number, id, last price, time, volume."""
_HEADS: Final = {
    QUOTE | _SIZES[QUOTE] << 8 | segment << 24: segment << 32
    for segment in frozenset(names.SEGMENT_OF_CODE) - names.CURRENCY_CODES
}
"""The first four bytes of a quote packet, by the segments whose prices are whole paise; and the token's upper half."""
_SUBSCRIBE: Final = 17
"""Quote mode: the smallest that carries the day's volume with the time of the last trade."""
_UNSUBSCRIBE: Final = 18
_IST_SECONDS: Final = 19_800
"""The last trade's time is India's wall clock written as if it were UTC."""
_IST_MS: Final = _IST_SECONDS * 1000
_EXACT_RUPEES: Final = 131_072
"""Up to here a 32-bit float tells every paisa apart."""
_MAX_RUPEES: Final = 10_000_000
_PAISA: Final = 100
_MANTISSA_BITS: Final = 24

TickOf = Callable[[int], int]
"""Tick size of a token in 1/10 000 rupee, 0 if not known."""


Decoded = tuple[list[FeedTick], int]
"""Prices, and the reason that the broker gives for ending the connection (0: it does not end). A plain tuple: one is
made for every message."""


def _price(value: float, segment: int, security_id: int, tick_of: TickOf) -> int:
    """The exact price behind a 32-bit float: the nearest paisa, or the nearest tick where a float is coarser than a
    paisa. 0 where it is coarser than the tick too: the price cannot be known.

    Raises:
        BadAnswer: no price has that value.
    """
    if 0 <= value < _EXACT_RUPEES:
        return round(value * 10_000) if segment in names.CURRENCY_CODES else round(value * 100) * _PAISA
    if not 0 <= value < _MAX_RUPEES:  # true for NaN
        raise BadAnswer(f"market frame with price {value!r}")
    tick = tick_of(segment << 32 | security_id)
    coarseness = 10_000 * 2.0 ** (math.frexp(value)[1] - _MANTISSA_BITS)
    return round(value * 10_000 / tick) * tick if tick > coarseness else 0


def decode(data: bytes, tick_of: TickOf) -> Decoded:
    """The prices of a message; packets of unknown code or segment are passed over by their length.

    Raises:
        BadAnswer: the lengths do not add up, a packet has not its code's length, or a price is none.
    """
    total = len(data)
    if total == _QUOTE_BYTES:
        # One packet of the mode that we ask for: nearly every message, so it is read at once, header and all.
        head, security_id, raw, seconds, volume = _alone(data)
        segment = _HEADS.get(head)
        if segment is not None and 0 < raw < _EXACT_RUPEES and seconds > _IST_SECONDS:
            time = seconds * 1000 - _IST_MS
            return [FeedTick(segment | security_id, int(raw * 100 + 0.5) * _PAISA, time, volume)], 0
    if not total:
        raise BadAnswer("empty market frame")
    return _walk(data, total, tick_of)


def _walk(data: bytes, total: int, tick_of: TickOf) -> Decoded:
    at = disconnect = 0
    ticks: list[FeedTick] = []
    while at < total:
        code, rest = data[at], total - at
        seconds = volume = 0
        raw = 0.0
        if code in _QUOTES and rest >= _SIZES[QUOTE]:
            _, size, segment, security_id, raw, _, seconds, _, volume = _QUOTE.unpack_from(data, at)
        elif code == TICKER and rest >= _SIZES[TICKER]:
            _, size, segment, security_id, raw, seconds = _TICKER.unpack_from(data, at)
        elif rest >= _HEADER.size:
            _, size, segment, security_id = _HEADER.unpack_from(data, at)
        else:
            raise BadAnswer(f"market frame ends inside a header ({total} bytes)")
        if size > rest or size != _SIZES.get(code, max(size, _HEADER.size)):
            raise BadAnswer(f"market frame with packet {code} of {size} bytes ({total} bytes in all)")
        if code == DEPTH:
            (raw,) = _PRICE.unpack_from(data, at + _HEADER.size)
        elif code == DISCONNECT:
            (disconnect,) = _REASON.unpack_from(data, at + _HEADER.size)
        if raw and segment in names.SEGMENT_OF_CODE:  # 0: not traded yet
            price = _price(raw, segment, security_id, tick_of)
            if price:
                time = seconds * 1000 - _IST_MS if seconds > _IST_SECONDS else 0
                ticks.append(FeedTick(segment << 32 | security_id, price, time, volume))
        at += size
    return ticks, disconnect


def url(session: Session, base: str) -> str:
    """Where to connect. Holds secrets: never log it."""
    query = {"version": "2", "token": session.access_token, "clientId": session.client_id, "authType": "2"}
    return f"{rooted(base)}?{urlencode(query)}"


def rooted(base: str) -> str:
    """The address with a path: the real hosts are spoken to at their root."""
    return base if base.count("/") > 2 else f"{base}/"


def _messages(code: int, tokens: list[int]) -> list[bytes]:
    messages = []
    for at in range(0, len(tokens), INSTRUMENTS_PER_MESSAGE):
        part = [names.unpack(token) for token in tokens[at : at + INSTRUMENTS_PER_MESSAGE]]
        wanted = [{"ExchangeSegment": one.segment, "SecurityId": str(one.id)} for one in part]
        messages.append(
            msgspec.json.encode({"RequestCode": code, "InstrumentCount": len(wanted), "InstrumentList": wanted})
        )
    return messages


def subscribe(tokens: list[int]) -> list[bytes]:
    """Subscribe in quote mode, 100 instruments a message; nothing is acknowledged."""
    return _messages(_SUBSCRIBE, tokens)


def unsubscribe(tokens: list[int]) -> list[bytes]:
    """No more prices of these."""
    return _messages(_UNSUBSCRIBE, tokens)
