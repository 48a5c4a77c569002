"""Frames of the market and order socket, both ways, pure. Unreadable bytes are an error, never a wrong price."""

from algo_crds.contracts.orders import OrderRow

from algo_brokers.records import FeedTick


def decode(payload: bytes) -> list[FeedTick]:
    """Prices of a binary frame.

    Raises:
        BadAnswer: no frame of the broker's.
    """
    raise NotImplementedError


def order_update(payload: bytes, *, read_at: int) -> OrderRow | None:
    """An order's row of a text message; None for a message of another kind."""
    raise NotImplementedError


def subscribe(tokens: list[int]) -> list[bytes]:
    """The messages that ask for these tokens."""
    raise NotImplementedError


def unsubscribe(tokens: list[int]) -> list[bytes]:
    """The messages that end these tokens."""
    raise NotImplementedError
