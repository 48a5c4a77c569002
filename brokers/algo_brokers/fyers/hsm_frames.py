"""What we send on the market socket (HSM): login, mode, subscriptions, acknowledgements, ping. Pure bytes, big endian.

A frame is `u16` length, `u8` type, `u8` field count, then fields of `u8` id, `u16` length and bytes. Source: official
SDK's behaviour on the wire.
"""

import struct
from typing import Final

from algo_brokers.fyers.limits import TOKENS_PER_MESSAGE

PING: Final = bytes.fromhex("00010b")
PING_EVERY_S: Final = 10.0
CHANNEL: Final = 11
_SOURCE: Final = b"AlgoTrading-1"

_AUTH: Final = 1
_ACK: Final = 3
_SUBSCRIBE: Final = 4
_UNSUBSCRIBE: Final = 5
_MODE: Final = 12

_FULL: Final = b"F"
_LITE: Final = b"L"


def _field(number: int, content: bytes) -> bytes:
    return struct.pack(">BH", number, len(content)) + content


def _frame(kind: int, *fields: bytes) -> bytes:
    body = struct.pack(">BB", kind, len(fields)) + b"".join(fields)
    return struct.pack(">H", len(body)) + body


def auth(hsm_key: str) -> bytes:
    """The login, by the key in the access token. Holds a secret."""
    return _frame(_AUTH, _field(1, hsm_key.encode()), _field(2, b"P"), _field(3, b"\x01"), _field(4, _SOURCE))


def mode(*, lite: bool = False, channel: int = CHANNEL) -> bytes:
    """Whole updates (only these have the exchange's time) or last prices alone, on one channel."""
    fields = (_field(1, struct.pack(">Q", 1 << channel)), _field(2, _LITE if lite else _FULL))
    return struct.pack(">H", 0) + _frame(_MODE, *fields)[2:]


def acknowledge(message: int) -> bytes:
    """That all data up to this message number was read."""
    return _frame(_ACK, _field(1, struct.pack(">I", message)))


def subscribe(topics: list[str], *, channel: int = CHANNEL) -> list[bytes]:
    """Ask for topics, as many frames as it takes."""
    return _topics(_SUBSCRIBE, topics, channel)


def unsubscribe(topics: list[str], *, channel: int = CHANNEL) -> list[bytes]:
    """No more of these topics."""
    return _topics(_UNSUBSCRIBE, topics, channel)


def _topics(kind: int, topics: list[str], channel: int) -> list[bytes]:
    frames = []
    for at in range(0, len(topics), TOKENS_PER_MESSAGE):
        part = [topic.encode() for topic in topics[at : at + TOKENS_PER_MESSAGE]]
        listed = struct.pack(">H", len(part)) + b"".join(bytes([len(topic)]) + topic for topic in part)
        frames.append(_frame(kind, _field(1, listed), _field(2, bytes([channel]))))
    return frames
