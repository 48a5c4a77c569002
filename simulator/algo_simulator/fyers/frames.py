"""What the server says on the market socket: big endian, one frame a message, `u16 length` without itself first.

A price goes out as a whole number of `10 ** precision * multiplier`; `ABSENT` stands for a field that is not there or
has not changed.
"""

import struct
from collections.abc import Sequence
from typing import Final

AUTHED: Final = 1
DATA: Final = 6
MASTER: Final = 13
CUSTOM: Final = 51
SNAPSHOT: Final = 0x53
UPDATE: Final = 0x55
LITE_UPDATE: Final = 0x4C
ABSENT: Final = -(1 << 31)
MULTIPLIER: Final = 1
PRECISION: Final = 2
SYMBOL_LIMIT: Final = 51001
_MOST: Final = (1 << 31) - 1
_U32: Final = struct.Struct(">I")
_U16: Final = struct.Struct(">H")


def _frame(kind: int, body: bytes) -> bytes:
    """A frame; a length that has no room in its word is cut, as clients do not read it."""
    return _U16.pack((len(body) + 1) & 0xFFFF) + bytes([kind]) + body


def _field(name: int, value: bytes) -> bytes:
    return bytes([name]) + _U16.pack(len(value)) + value


def auth_reply(*, accepted: bool, ack_every: int) -> bytes:
    """The answer to an authentication; `ack_every` data frames want an acknowledgement, 0: none does."""
    return _frame(AUTHED, b"\x02" + _field(1, _word(accepted)) + _field(2, _U32.pack(ack_every)))


def reply(kind: int, *, accepted: bool) -> bytes:
    """The answer to a subscription, mode, pause or resume: the client's own type."""
    return _frame(kind, b"\x01" + _field(1, _word(accepted)))


def _word(accepted: bool) -> bytes:
    return b"K" if accepted else b"N"


def master_data() -> bytes:
    """The frame of type 13 that follows an authentication; clients skip it."""
    return _frame(MASTER, b"\x00")


def custom_message(code: int, text: str, refers_to: int) -> bytes:
    """A message for people (type 51); `refers_to` is the type of the frame that caused it."""
    fields = _field(1, struct.pack(">i", code)) + _field(2, text.encode()) + _field(3, bytes([refers_to]))
    return _frame(CUSTOM, b"\x03" + fields)


def data_frame(number: int, items: Sequence[bytes]) -> bytes:
    """A message of items; `number` is what an acknowledgement names."""
    return _frame(DATA, _U32.pack(number & 0xFFFFFFFF) + _U16.pack(len(items)) + b"".join(items))


def snapshot(topic_id: int, topic: str, values: Sequence[int], names: tuple[str, str, str]) -> bytes:
    """Everything that is known of a topic; `names` are exchange, exchange token and symbol."""
    name = topic.encode("ascii", "replace")
    head = struct.pack(">BHB", SNAPSHOT, topic_id, len(name)) + name
    numbers = struct.pack(f">B{len(values)}i", len(values), *values)
    scale = struct.pack(">2xHB", MULTIPLIER, PRECISION)
    texts = b"".join(bytes([len(raw)]) + raw for raw in (text.encode()[:255] for text in names))
    return head + numbers + scale + texts


def update(topic_id: int, values: Sequence[int]) -> bytes:
    """What changed of a topic (full mode); the rest is `ABSENT`."""
    return struct.pack(f">BHB{len(values)}i", UPDATE, topic_id, len(values), *values)


def lite_update(topic_id: int, last: int) -> bytes:
    """The new last price of a topic (lite mode)."""
    return struct.pack(">BHi", LITE_UPDATE, topic_id, last)


def changes(before: Sequence[int], after: Sequence[int]) -> list[int] | None:
    """The values of an update; None where nothing changed."""
    if before == after:
        return None
    return [ABSENT if new == old else new for old, new in zip(before, after, strict=True)]


def raw(price: int) -> int:
    """A `Price` as the integer of the wire (paise)."""
    return bounded(price // 100)


def bounded(number: int) -> int:
    """A number that fits the wire and is not taken for `ABSENT`."""
    return min(max(number, -_MOST), _MOST)
