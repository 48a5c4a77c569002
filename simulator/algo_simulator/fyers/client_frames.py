"""What a client says on the market socket, read by its fields: its length words are not to be relied on.

`u16 length, u8 type, u8 field count`, then fields of `u8 id, u16 length, bytes`; a ping is three bytes. Big endian.
"""

import struct
from typing import Final, NamedTuple

PING: Final = 11
AUTH: Final = 1
ACK: Final = 3
SUBSCRIBE: Final = 4
UNSUBSCRIBE: Final = 5
PAUSE: Final = 7
RESUME: Final = 8
MODE: Final = 12
FULL: Final = "F"
LITE: Final = "L"
CHANNELS: Final = 64
_FIELD: Final = struct.Struct(">BH")


class NotAFrameError(ValueError):
    """The bytes are no frame of the protocol."""


class ClientFrame(NamedTuple):
    """A frame: its type, and its fields by id."""

    type: int
    fields: dict[int, bytes]


def read_frame(data: bytes) -> ClientFrame:
    """A client's frame.

    Raises:
        NotAFrameError: it is truncated.
    """
    if len(data) < 3:
        raise NotAFrameError("shorter than a header")
    kind, fields = data[2], dict[int, bytes]()
    if kind == PING:
        return ClientFrame(kind, fields)
    if len(data) < 4:
        raise NotAFrameError("without a field count")
    at = 4
    for _ in range(data[3]):
        if at + 3 > len(data):
            raise NotAFrameError("a field's header is cut off")
        name, length = _FIELD.unpack_from(data, at)
        at += 3
        if at + length > len(data):
            raise NotAFrameError("a field is cut off")
        fields[name] = data[at : at + length]
        at += length
    return ClientFrame(kind, fields)


def topics_in(field: bytes) -> list[str]:
    """The topics of a (un)subscription: `u16 count`, then `u8 length, ascii` each.

    Raises:
        NotAFrameError: it is truncated.
    """
    if len(field) < 2:
        raise NotAFrameError("no topic count")
    count, at, found = int.from_bytes(field[:2]), 2, list[str]()
    for _ in range(count):
        if at >= len(field) or at + 1 + field[at] > len(field):
            raise NotAFrameError("a topic is cut off")
        found.append(field[at + 1 : at + 1 + field[at]].decode("ascii", "replace"))
        at += 1 + field[at]
    return found


def channels_in(field: bytes) -> list[int]:
    """The channels of a bitmap (bit n is channel n).

    Raises:
        NotAFrameError: it has not eight bytes.
    """
    if len(field) != 8:
        raise NotAFrameError("a bitmap of channels has eight bytes")
    bits = int.from_bytes(field)
    return [channel for channel in range(CHANNELS) if bits >> channel & 1]
