"""The socket of `stream.py`: connects, counts frames, hands on."""

from collections.abc import Callable
from typing import Final

from algo_brokers._template import stream
from algo_brokers._template.limits import TOKENS_PER_CONNECTION
from algo_brokers.port import Feed, FeedListener
from algo_brokers.session import Session
from algo_brokers.socket import Stream, StreamSpec
from algo_brokers.streams_feed import open_streams
from algo_brokers.subscriptions import Asked, without_prices

SILENCE_S: Final = 5.0
"""Without anything for so long the link is dead; take it from the broker's heartbeat."""


async def open_socket(url: str, session: Session, listener: FeedListener, now: Callable[[], int]) -> Feed:
    """Connect.

    Raises:
        SessionRefused: the handshake was refused.
        BrokerUnavailable: no connection.
    """
    asked = Asked(TOKENS_PER_CONNECTION)

    def binary(payload: bytes) -> None:
        if ticks := stream.decode(payload):
            listener.on_ticks(ticks)

    def text(payload: bytes) -> None:
        if (row := stream.order_update(payload, read_at=now())) is not None:
            listener.on_row(row)

    def subscribe(socket: Stream, tokens: list[int]) -> None:
        fresh, refused = asked.add(tokens)
        for message in stream.subscribe(fresh):
            socket.send_text(message)
        if refused:
            listener.on_trouble(without_prices(len(refused), TOKENS_PER_CONNECTION))

    def unsubscribe(socket: Stream, tokens: list[int]) -> None:
        for message in stream.unsubscribe(asked.remove(tokens)):
            socket.send_text(message)

    spec = StreamSpec(url=url, headers={}, on_binary=binary, on_text=text, silence_s=SILENCE_S)
    return await open_streams([spec], session, listener, subscribe=subscribe, unsubscribe=unsubscribe)
