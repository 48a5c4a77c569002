"""Order books of the market socket: the best five of a SnapQuote packet, the best twenty of a Depth20 packet. Pure.

Source: docs, WebSocket Streaming 2.0; checked with the official SDK. Sides are told by the entry's flag (1 buy, 0 sell)
where there is one, never by its place.
"""

import struct
from typing import Final, NamedTuple

from algo_brokers.angelone import stream
from algo_brokers.errors import BadAnswer

_FIVE: Final = struct.Struct("<HqqH")
_TWENTY: Final = struct.Struct("<iih")
_AT_FIVE: Final = 147
_AT_TWENTY: Final = 43
_LEVELS: Final = 20


class Level(NamedTuple):
    """One price of a book; `price` in 1/10 000 rupee."""

    price: int
    quantity: int
    orders: int


class Depth(NamedTuple):
    """The best prices of both sides, best first. Levels that nobody offers are left out."""

    token: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


def decode(packet: bytes) -> Depth:
    """The book in a packet.

    Raises:
        BadAnswer: the packet is broken, or its mode has no book.
    """
    mode, token = stream.token_of(packet)
    if mode == stream.SNAP_QUOTE:
        sides: tuple[list[Level], list[Level]] = ([], [])
        for index in range(10):
            flag, quantity, raw, orders = _FIVE.unpack_from(packet, _AT_FIVE + index * _FIVE.size)
            if flag not in (0, 1):
                raise BadAnswer(f"depth entry with the flag {flag}")
            sides[1 - flag].append(_level(raw, quantity, orders, packet[1]))
        return _depth(token, *sides)
    if mode != stream.DEPTH:
        raise BadAnswer(f"market packet of mode {mode} has no book")
    levels = []
    for index in range(2 * _LEVELS):
        quantity, raw, orders = _TWENTY.unpack_from(packet, _AT_TWENTY + index * _TWENTY.size)
        levels.append(_level(raw, quantity, orders, packet[1]))
    return _depth(token, levels[:_LEVELS], levels[_LEVELS:])


def _level(raw: int, quantity: int, orders: int, exchange_type: int) -> Level:
    if quantity < 0 or orders < 0:
        raise BadAnswer(f"depth entry with quantity {quantity} of {orders} orders")
    return Level(stream.scaled(raw, exchange_type), quantity, orders)


def _depth(token: int, bids: list[Level], asks: list[Level]) -> Depth:
    return Depth(
        token,
        tuple(sorted((level for level in bids if level.quantity), key=lambda level: -level.price)),
        tuple(sorted((level for level in asks if level.quantity), key=lambda level: level.price)),
    )
