"""The market-data socket: binary frames, text frames, and what we send. Pure.

Layout (Kite Connect docs, WebSocket): `uint16` packet count, then per packet `uint16` length and body, big endian and
unsigned. A packet's kind is told by its length, its price scale by the segment in the token's lowest byte. A frame that
does not add up is an error as a whole: no price of it is used.
"""

import struct
from typing import Final

import msgspec
from algo_crds.contracts.orders import OrderRow

from algo_brokers.errors import BadAnswer
from algo_brokers.records import FeedTick
from algo_brokers.session import Session
from algo_brokers.zerodha.limits import TOKENS_PER_MESSAGE
from algo_brokers.zerodha.responses import socket_row

WS_BASE: Final = "wss://ws.kite.trade"

_COUNT: Final = struct.Struct(">H")
_LTP: Final = struct.Struct(">II")
_QUOTE: Final = struct.Struct(">II8xI")  # token, last price, (last quantity, average), volume
_FULL: Final = struct.Struct(">II8xI24xI12xI")  # ..., last trade time, (open interest), exchange time
_INDEX_FULL: Final = struct.Struct(">II20xI")

_SIZE_LTP: Final = 8
_SIZE_INDEX_QUOTE: Final = 28
_SIZE_INDEX_FULL: Final = 32
_SIZE_QUOTE: Final = 44
_SIZE_FULL: Final = 184

_DIVISOR: Final = {
    1: 100,
    2: 100,
    3: 10_000_000,
    4: 100,
    5: 100,
    6: 10_000,
    7: 100,
    8: 100,
    9: 100,
    12: 10_000,
}
"""What a raw price is divided by to give rupees, by segment."""


class OrderUpdate(msgspec.Struct, frozen=True):
    """An order of the account changed. `row` is None for a kind of order that is never ours."""

    row: OrderRow | None


class ServerError(msgspec.Struct, frozen=True):
    """The server refused something that we sent."""

    text: str


class Ignored(msgspec.Struct, frozen=True):
    """A broker notice or an undocumented message."""

    kind: str


class _Text(msgspec.Struct, frozen=True):
    type: str
    data: msgspec.Raw = msgspec.Raw(b"null")


def _scale(raw: int, segment: int) -> int | None:
    """The price in 1/10 000 rupee, or None for a segment whose scale is unknown."""
    divisor = _DIVISOR.get(segment)
    if divisor is None:
        return None
    if divisor <= 10_000:
        return raw * (10_000 // divisor)
    step = divisor // 10_000
    return (raw + step // 2) // step


def _packet(data: bytes, at: int, size: int) -> FeedTick | None:
    volume = seconds = 0
    if size == _SIZE_FULL:
        token, raw, volume, traded, seconds = _FULL.unpack_from(data, at)
        seconds = seconds or traded
    elif size == _SIZE_QUOTE:
        token, raw, volume = _QUOTE.unpack_from(data, at)
    elif size == _SIZE_INDEX_FULL:
        token, raw, seconds = _INDEX_FULL.unpack_from(data, at)
    elif size in (_SIZE_LTP, _SIZE_INDEX_QUOTE):
        token, raw = _LTP.unpack_from(data, at)
    else:
        return None
    # Before the day's first trade there is no price.
    price = _scale(raw, token & 0xFF) if raw else None
    return None if price is None else FeedTick(token, price, seconds * 1000, volume)


def decode_binary(data: bytes) -> list[FeedTick]:
    """The prices of a binary frame; a heartbeat has none, packets of unknown length or segment are skipped.

    Raises:
        BadAnswer: the frame's lengths do not add up.
    """
    total = len(data)
    if total == 1:
        return []
    if total < 2:
        raise BadAnswer("empty market frame")
    (count,) = _COUNT.unpack_from(data)
    ticks: list[FeedTick] = []
    at = 2
    for _ in range(count):
        if at + 2 > total:
            raise BadAnswer(f"market frame ends inside a packet ({total} bytes)")
        (size,) = _COUNT.unpack_from(data, at)
        at += 2
        if at + size > total:
            raise BadAnswer(f"market frame ends inside a packet ({total} bytes)")
        tick = _packet(data, at, size)
        if tick is not None:
            ticks.append(tick)
        at += size
    if at != total:
        raise BadAnswer(f"market frame has {total - at} bytes too many")
    return ticks


def decode_text(data: bytes, *, read_at: int) -> OrderUpdate | ServerError | Ignored:
    """A text frame.

    Raises:
        BadAnswer: no JSON of the documented form, or an order that cannot be read.
    """
    try:
        message = msgspec.json.decode(data, type=_Text)
        if message.type == "error":
            return ServerError(msgspec.json.decode(message.data, type=str))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"market socket text cannot be read: {error}") from None
    if message.type == "order":
        return OrderUpdate(socket_row(message.data, read_at=read_at))
    return Ignored(message.type)


def url(session: Session, base: str = WS_BASE) -> str:
    """Where to connect. Holds secrets: never log it."""
    return f"{base.rstrip('/')}/?api_key={session.api_key}&access_token={session.access_token}"


def _messages(tokens: list[int]) -> list[list[int]]:
    return [tokens[at : at + TOKENS_PER_MESSAGE] for at in range(0, len(tokens), TOKENS_PER_MESSAGE)]


def subscribe(tokens: list[int]) -> list[bytes]:
    """Subscribe in full mode, the only one that carries the exchange's time."""
    messages = []
    for part in _messages(tokens):
        messages.append(msgspec.json.encode({"a": "subscribe", "v": part}))
        messages.append(msgspec.json.encode({"a": "mode", "v": ["full", part]}))
    return messages


def unsubscribe(tokens: list[int]) -> list[bytes]:
    """No more prices of these."""
    return [msgspec.json.encode({"a": "unsubscribe", "v": part}) for part in _messages(tokens)]
