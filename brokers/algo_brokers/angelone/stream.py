"""The market socket (SmartWebSocketV2): binary packets, text frames, and what we send. Pure.

Layout (docs, WebSocket Streaming 2.0; checked with the official SDK): little endian, one packet a message, its size
told by the mode in the first byte. A packet that does not add up is an error as a whole: no price of it is used.
"""

import struct
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from algo_brokers.angelone import names
from algo_brokers.angelone.limits import DEPTH_TOKENS, TOKENS_PER_SESSION
from algo_brokers.errors import BadAnswer
from algo_brokers.records import FeedTick
from algo_brokers.subscriptions import Asked

LTP, QUOTE, SNAP_QUOTE, DEPTH = 1, 2, 3, 4
SIZES: Final = {LTP: 51, QUOTE: 123, SNAP_QUOTE: 379, DEPTH: 443}
"""Bytes of a packet, by mode."""

_SHORT: Final = struct.Struct("<qqq")  # sequence number, exchange time (ms), last price
_LONG: Final = struct.Struct("<qqq16xq")  # ..., (last quantity, average), the day's volume
_AT_BODY: Final = 27
_quote: Final = struct.Struct("<27sqqq16xq48x").unpack
"""A whole packet of the mode that we ask for: mode, exchange and token as they come, and the same numbers."""
_QUOTE_BYTES: Final = SIZES[QUOTE]
_NAMES_KEPT: Final = 8_192
"""More than the tokens and modes of all connections of an account."""

_NSE_CASH: Final = 1
"""The only segment with the depth mode."""
_CURRENCY: Final = 13
_CURRENCY_STEP: Final = 1_000
"""A raw currency price is 1/10 000 000 rupee, every other one a paisa."""
_PAISA: Final = 100
_MAX_PRICE: Final = 10_000_000 * 10_000
"""Ten million rupees: no instrument costs more, so a packet that says so is broken."""
_MAX_PAISE: Final = _MAX_PRICE // _PAISA
_MAX_TIME: Final = 4_102_444_800_000
"""The year 2100."""


class Packet(NamedTuple):
    """One packet. `tick` is None for the depth mode, and before the day's first trade."""

    token: int
    mode: int
    sequence: int
    time: int
    """Exchange time (ms)."""
    tick: FeedTick | None


class _Error(msgspec.Struct, frozen=True):
    code: str = msgspec.field(name="errorCode")
    message: str = msgspec.field(default="", name="errorMessage")


def scaled(raw: int, exchange_type: int) -> int:
    """A raw price in 1/10 000 rupee, for any field of a packet.

    Raises:
        BadAnswer: no instrument has such a price.
    """
    price = (raw + _CURRENCY_STEP // 2) // _CURRENCY_STEP if exchange_type == _CURRENCY else raw * _PAISA
    if not 0 <= price <= _MAX_PRICE:
        raise BadAnswer(f"market packet with the price {raw}")
    return price


@lru_cache(maxsize=_NAMES_KEPT)
def _named(head: bytes) -> tuple[int, int]:
    """Mode and packed token of a packet's first 27 bytes. Raises `BadAnswer`."""
    mode, exchange_type = head[0], head[1]
    digits = head[2:].rstrip(b"\0")
    if mode not in SIZES:
        raise BadAnswer(f"market packet of the unknown mode {mode}")
    if exchange_type not in names.EXCHANGE_OF_TYPE or not digits.isdigit() or len(digits) > 9:
        raise BadAnswer(f"market packet of exchange type {exchange_type} with a token that is none")
    return mode, names.pack(exchange_type, int(digits))


def token_of(packet: bytes) -> tuple[int, int]:
    """Mode and packed token of a packet, after its size has been checked.

    Raises:
        BadAnswer: the size is not the mode's, or exchange or token are none.
    """
    size = len(packet)
    if size < _AT_BODY:
        raise BadAnswer(f"market packet of {size} bytes")
    mode, token = _named(packet[:_AT_BODY])
    if SIZES[mode] != size:
        raise BadAnswer(f"market packet of mode {mode} with {size} bytes")
    return mode, token


def decode(packet: bytes) -> Packet:
    """A packet of any mode.

    Raises:
        BadAnswer: it is cut off, too long, or holds what cannot be.
    """
    mode, token = token_of(packet)
    if mode == LTP:
        sequence, time, raw = _SHORT.unpack_from(packet, _AT_BODY)
        volume = 0
    elif mode == DEPTH:
        return Packet(token, mode, 0, 0, None)
    else:
        sequence, time, raw, volume = _LONG.unpack_from(packet, _AT_BODY)
    price = scaled(raw, packet[1])
    if not 0 <= time < _MAX_TIME or volume < 0:
        raise BadAnswer(f"market packet with the time {time} and the volume {volume}")
    # Ours are whole seconds, as the exchange's own are.
    tick = FeedTick(token, price, time - time % 1000, volume) if price else None
    return Packet(token, mode, sequence, time, tick)


class Sequences:
    """Tells repeats and late packets, by token and mode. Numbers of indices mean nothing; gaps are normal."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, int], list[int]] = {}

    def fresh(self, packet: Packet) -> bool:
        """Whether the packet is newer than what came before it.

        A number that fell while the exchange's time rose is a server that has begun to count anew.
        """
        if packet.sequence <= 0 or names.is_index(packet.token):
            return True
        last = self.newest(packet)
        if packet.sequence <= last[0] and packet.time <= last[1]:
            return False
        last[0], last[1] = packet.sequence, packet.time
        return True

    def newest(self, packet: Packet) -> list[int]:
        """Number and time of the newest packet of the same token and mode: what is written there counts."""
        return self._last.setdefault((packet.token, packet.mode), [0, -1])


class Prices:
    """The prices of one connection: of each packet its tick, unless it is a repeat or late."""

    def __init__(self) -> None:
        self._sequences = Sequences()
        self._met: dict[bytes, tuple[int, list[int]]] = {}
        """Instruments priced in paise and met in a good packet, by the packet's first bytes: token, newest packet."""

    def tick(self, packet: bytes) -> FeedTick | None:
        """The tick of a packet of any mode.

        Raises:
            BadAnswer: it is cut off, too long, or holds what cannot be.
        """
        if len(packet) == _QUOTE_BYTES:
            # The mode that we ask for, of an instrument that is known: nearly every packet, so it is read at once.
            head, sequence, time, raw, volume = _quote(packet)
            met = self._met.get(head)
            if met is not None and sequence > 0 and 0 < raw <= _MAX_PAISE and 0 <= time < _MAX_TIME and volume >= 0:
                token, last = met
                if sequence <= last[0] and time <= last[1]:
                    return None
                last[0], last[1] = sequence, time
                return FeedTick(token, raw * _PAISA, time - time % 1000, volume)
        return self._first(packet)

    def _first(self, packet: bytes) -> FeedTick | None:
        read = decode(packet)
        if read.tick is None or not self._sequences.fresh(read):
            return None
        if read.mode == QUOTE and packet[1] != _CURRENCY and not names.is_index(read.token):
            self._met[packet[:_AT_BODY]] = read.token, self._sequences.newest(read)
        return read.tick


def server_error(text: bytes) -> str | None:
    """What the server refused of ours; None for the answer to a heartbeat.

    Raises:
        BadAnswer: the text is neither.
    """
    if text.strip() in (b"pong", b"ping", b""):
        return None
    try:
        error = msgspec.json.decode(text, type=_Error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise BadAnswer(f"market socket text cannot be read: {problem}") from None
    return f"the market socket refused a request: {error.code} {error.message}".rstrip()


def _message(action: int, mode: int, tokens: list[int]) -> bytes:
    by_exchange: dict[int, list[str]] = {}
    for token in tokens:
        name = names.unpack(token)
        by_exchange.setdefault(name.exchange_type, []).append(str(name.token))
    groups = [{"exchangeType": kind, "tokens": found} for kind, found in by_exchange.items()]
    return msgspec.json.encode({"action": action, "params": {"mode": mode, "tokenList": groups}})


class Subscriptions:
    """What one connection is subscribed to: the server takes 1,000 tokens a session and has no success reply."""

    def __init__(self, mode: int = QUOTE) -> None:
        """`QUOTE` is the smallest mode with volume and the exchange's time."""
        self._mode = mode
        self.quota = DEPTH_TOKENS if mode == DEPTH else TOKENS_PER_SESSION
        self._exchanges = frozenset({_NSE_CASH}) if mode == DEPTH else frozenset(names.EXCHANGE_OF_TYPE)
        self._asked = Asked(self.quota)

    def add(self, tokens: list[int]) -> tuple[list[bytes], list[int]]:
        """What to send, and the tokens that are refused: over the quota, or of an exchange without the mode."""
        offered = {token: names.unpack(token).exchange_type in self._exchanges for token in tokens}
        fresh, beyond = self._asked.add(token for token, there in offered.items() if there)
        messages = [_message(1, self._mode, fresh)] if fresh else []
        return messages, [token for token, there in offered.items() if not there or token in beyond]

    def remove(self, tokens: list[int]) -> list[bytes]:
        """What to send; tokens that are not subscribed are left out."""
        gone = self._asked.remove(tokens)
        return [_message(0, self._mode, gone)] if gone else []
