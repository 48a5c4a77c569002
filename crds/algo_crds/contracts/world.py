"""The simulator's clock socket: how a replayed market waits for its participants.

`GET /clock?account=<client id>&broker=<broker>` (a simulated broker account) or `GET /clock?world=<name>` (a
market-data source for a paper account) on the simulator's control port, bearer token, JSON text frames tagged by `t`.

The market never runs ahead. One round: the simulator sends `Beat(seq, now, connection, frames_sent)`; a participant
reads that many frames of that market connection, hands them on, and answers `Idle(seq, in_flight, wake_at)`. While any
participant is not idle, or an answer or frame has left the simulator since the beat, the next round has the same `now`.
Otherwise time moves to the earliest of: next market event, earliest `wake_at`, one second later. A participant may send
`Idle` for the same `seq` again. Calls that the simulator itself holds back (injected latency) count as its own.
"""

from typing import Final

import msgspec


class _Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="t"):
    pass


class Join(_Message, frozen=True, kw_only=True, tag="join"):
    """First message of a participant. `symbols` (`EXCHANGE:SYMBOL`) only for a source socket, which carries ticks."""

    name: str
    symbols: tuple[str, ...] = ()


class Watch(_Message, frozen=True, kw_only=True, tag="watch"):
    """Replace the symbols of a source socket."""

    symbols: tuple[str, ...]


class Idle(_Message, frozen=True, kw_only=True, tag="idle"):
    """All of round `seq` is handled."""

    seq: int
    in_flight: int = 0
    wake_at: int | None = None


class Joined(_Message, frozen=True, kw_only=True, tag="joined"):
    """The world that this participant is part of."""

    world: str
    now: int
    day: str
    speed: float
    running: bool


class WorldState(_Message, frozen=True, kw_only=True, tag="state"):
    """The world was started, paused or has ended."""

    now: int
    state: str
    """`paused`, `running` or `ended`."""


class WorldTick(_Message, frozen=True, kw_only=True, tag="tick"):
    """A tick as recorded (source sockets only)."""

    now: int
    exchange: str
    symbol: str
    price: int
    time: int
    volume: int = 0


class StreamCount(msgspec.Struct, frozen=True, kw_only=True):
    """How far one of the account's sockets must be read: `market` (prices), `orders` (where a broker has a second)."""

    name: str
    connection: int
    """Ordinal of the newest connection of this name; 0 when there is none."""
    frames: int
    """Data messages sent on it."""


class Beat(_Message, frozen=True, kw_only=True, tag="beat"):
    """End of a round. `connection` and `frames_sent` tell how far the broker's market socket must be read."""

    seq: int
    now: int
    connection: int = 0
    """Ordinal of the account's newest market connection; 0 when it has none."""
    frames_sent: int = 0
    streams: tuple[StreamCount, ...] = ()
    """The account's other sockets, by name."""


FromParticipant = Join | Watch | Idle
ToParticipant = Joined | WorldState | WorldTick | Beat

encode: Final = msgspec.json.Encoder().encode
decode_from_participant: Final = msgspec.json.Decoder(FromParticipant).decode
decode_to_participant: Final = msgspec.json.Decoder(ToParticipant).decode

CONNECTION_HEADER: Final = "X-World-Connection"
"""Header of the handshake's answer by which a simulated broker numbers a connection; official SDKs never see it."""
