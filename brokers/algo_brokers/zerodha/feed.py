"""The socket of `stream.py`: prices and order rows come on one connection."""

from collections.abc import Callable
from typing import Final

from algo_brokers.port import Feed, FeedListener
from algo_brokers.session import Session
from algo_brokers.socket import OnPayload, Stream, StreamSpec
from algo_brokers.streams_feed import open_streams
from algo_brokers.subscriptions import Asked, without_prices
from algo_brokers.zerodha import stream
from algo_brokers.zerodha.limits import TOKENS_PER_CONNECTION

SILENCE_S: Final = 5.0
"""The server sends at least a heartbeat every couple of seconds; five without anything mean a dead link."""


def _reader(listener: FeedListener, now: Callable[[], int]) -> tuple[OnPayload, OnPayload]:
    def binary(payload: bytes) -> None:
        ticks = stream.decode_binary(payload)
        if ticks:
            listener.on_ticks(ticks)

    def text(payload: bytes) -> None:
        message = stream.decode_text(payload, read_at=now())
        if isinstance(message, stream.OrderUpdate):
            if message.row is not None:
                listener.on_row(message.row)
        elif isinstance(message, stream.ServerError):
            listener.on_trouble(message.text)

    return binary, text


async def open_socket(url: str, session: Session, listener: FeedListener, now: Callable[[], int]) -> Feed:
    """Connect to the market-data socket.

    Raises:
        SessionRefused: the handshake was refused with 403.
        BrokerUnavailable: no connection.
    """
    binary, text = _reader(listener, now)
    spec = StreamSpec(url=url, headers={"X-Kite-Version": "3"}, on_binary=binary, on_text=text, silence_s=SILENCE_S)
    asked = Asked(TOKENS_PER_CONNECTION)

    def subscribe(socket: Stream, tokens: list[int]) -> None:
        fresh, refused = asked.add(tokens)
        for message in stream.subscribe(fresh):
            socket.send_text(message)
        if refused:
            listener.on_trouble(without_prices(len(refused), TOKENS_PER_CONNECTION))

    def unsubscribe(socket: Stream, tokens: list[int]) -> None:
        for message in stream.unsubscribe(asked.remove(tokens)):
            socket.send_text(message)

    return await open_streams([spec], session, listener, subscribe=subscribe, unsubscribe=unsubscribe)
