"""What comes on the market socket (HSM), decoded without a socket: replies, notices, and items of data frames.

Layout: `u16` length, `u8` type. A data frame (type 6) has `u32` message number, `u16` item count and the items: a
snapshot names its topic and gives its scale; an update carries the topic's number of this connection and the same
values in the same order. A frame that does not add up is an error as a whole. Source: official SDK's behaviour.
"""

import struct
from enum import IntEnum
from typing import Final

import msgspec

from algo_brokers.errors import BadAnswer

ABSENT: Final = -(2**31)
"""A value that did not change."""

_ITEM: Final = struct.Struct(">HB")  # topic number, field count
_LITE_ITEM: Final = struct.Struct(">Hi")
_SCALE: Final = struct.Struct(">2xHB")  # two unused bytes, multiplier, precision
_HEAD: Final = struct.Struct(">IH")  # message number, item count
_VALUES: Final = tuple(struct.Struct(f">{count}i") for count in range(256))
_MAX_PRECISION: Final = 9
_SNAPSHOT: Final = ord("S")
_DATA: Final = 6  # `Kind.DATA`; a plain number compares in a third of the time
_UPDATE: Final = ord("U")
_LITE: Final = ord("L")


class Kind(IntEnum):
    """Types of server frames."""

    AUTH = 1
    SUBSCRIBED = 4
    UNSUBSCRIBED = 5
    DATA = 6
    PAUSED = 7
    RESUMED = 8
    MODE = 12
    MASTER = 13
    NOTICE = 51


_REPLIES: Final = frozenset({Kind.SUBSCRIBED, Kind.UNSUBSCRIBED, Kind.PAUSED, Kind.RESUMED, Kind.MODE})


class AuthReply(msgspec.Struct, frozen=True):
    """The answer to the login. After every `ack_every` data frames we acknowledge; 0: never."""

    accepted: bool
    ack_every: int


class Reply(msgspec.Struct, frozen=True):
    """The answer to something else that we sent."""

    kind: Kind
    accepted: bool


class Notice(msgspec.Struct, frozen=True):
    """A message in words, such as that the plan's number of instruments is reached (51001)."""

    code: int
    text: str


class Skipped(msgspec.Struct, frozen=True):
    """A frame of a type that tells us nothing."""

    kind: int


class Snapshot(msgspec.Struct, frozen=True):
    """All values of a topic, and how its prices are scaled."""

    number: int
    topic: str
    values: tuple[int, ...]
    multiplier: int
    precision: int
    exchange: str
    exchange_token: str
    symbol: str


class Update(msgspec.Struct, frozen=True, gc=False):
    """Values of a topic since its snapshot, or the first of them; `ABSENT` ones stay as they were."""

    number: int
    values: tuple[int, ...]


class Lite(msgspec.Struct, frozen=True, gc=False):
    """The last price of a topic alone."""

    number: int
    price: int


class Data(msgspec.Struct, frozen=True, gc=False):
    """A data frame. Acyclic like its items, so that the collector need not look at them."""

    message: int
    items: tuple[Snapshot | Update | Lite, ...]


Message = AuthReply | Reply | Notice | Skipped | Data


class _Reader:
    """A place in a frame; whoever reads past its end gets a `struct.error` or `BadAnswer`."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        """The next values."""
        values = layout.unpack_from(self.data, self.at)
        self.at += layout.size
        return values

    def take(self, size: int) -> bytes:
        """The next bytes."""
        end = self.at + size
        if end > len(self.data):
            raise BadAnswer(f"market frame ends inside a field ({len(self.data)} bytes)")
        part = self.data[self.at : end]
        self.at = end
        return part

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def text(self) -> str:
        """A text after its length of one byte."""
        return self.take(self.byte()).decode()

    def numbers(self, count: int) -> tuple[int, ...]:
        """The next signed values of four bytes."""
        return self.unpack(_VALUES[count])


def decode(frame: bytes, first: int = 255) -> Message:
    """One message of the market socket.

    Args:
        first: how many values of an update are of interest; the others are stepped over, for speed.

    Raises:
        BadAnswer: it does not have the documented form; nothing of it may be used.
    """
    if len(frame) < 3:
        raise BadAnswer(f"market frame of {len(frame)} bytes")
    kind = frame[2]
    try:
        if kind == _DATA:
            return _data(frame, first)
        if kind == Kind.AUTH:
            return _auth(_fields(frame))
        if kind == Kind.NOTICE:
            return _notice(_fields(frame))
        if kind in _REPLIES:
            return Reply(Kind(kind), _fields(frame).get(1) == b"K")
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise BadAnswer(f"market frame of type {kind} cannot be read: {error}") from None
    return Skipped(kind)


def _fields(frame: bytes) -> dict[int, bytes]:
    reader = _Reader(frame, 3)
    fields = {}
    for _ in range(reader.byte()):
        number = reader.byte()
        (size,) = struct.unpack(">H", reader.take(2))
        fields[number] = reader.take(size)
    return fields


def _auth(fields: dict[int, bytes]) -> AuthReply:
    if 1 not in fields:
        raise BadAnswer("the market socket's answer to the login has no result")
    ack = fields.get(2, b"")
    return AuthReply(fields[1] == b"K", int.from_bytes(ack, "big"))


def _notice(fields: dict[int, bytes]) -> Notice:
    return Notice(int.from_bytes(fields.get(1, b""), "big", signed=True), fields.get(2, b"").decode())


def _data(frame: bytes, first: int) -> Data:
    message, count = _HEAD.unpack_from(frame, 3)
    items: list[Snapshot | Update | Lite] = []
    at = 9
    for _ in range(count):
        kind = frame[at]
        if kind == _UPDATE:  # nearly all items; read without a reader, for speed
            number, size = _ITEM.unpack_from(frame, at + 1)
            items.append(Update(number, _VALUES[size if size < first else first].unpack_from(frame, at + 4)))
            at += 4 + 4 * size
        elif kind == _SNAPSHOT:
            reader = _Reader(frame, at + 1)
            items.append(_snapshot(reader))
            at = reader.at
        elif kind == _LITE:
            items.append(Lite(*_LITE_ITEM.unpack_from(frame, at + 1)))
            at += 1 + _LITE_ITEM.size
        else:
            raise BadAnswer(f"market frame has an item of unknown kind {kind}")
    if at != len(frame):
        raise BadAnswer(f"market frame has {len(frame) - at} bytes too many")
    return Data(message, tuple(items))


def _snapshot(reader: _Reader) -> Snapshot:
    number, size = reader.unpack(_ITEM)
    topic = reader.take(size).decode()
    values = reader.numbers(reader.byte())
    multiplier, precision = reader.unpack(_SCALE)
    if not multiplier or precision > _MAX_PRECISION:
        raise BadAnswer(f"topic {topic!r} has multiplier {multiplier} and precision {precision}")
    return Snapshot(number, topic, values, multiplier, precision, reader.text(), reader.text(), reader.text())
