"""The two sockets of an account: prices on one, order updates on the other."""

from collections.abc import Callable, Sequence
from typing import Final

from algo_brokers.angelone import order_stream, stream
from algo_brokers.angelone.names import NameOf
from algo_brokers.endpoints import Endpoints
from algo_brokers.port import Feed, FeedListener
from algo_brokers.session import Session
from algo_brokers.socket import OnPayload, Stream, StreamSpec
from algo_brokers.streams_feed import open_streams
from algo_brokers.subscriptions import without_prices

PING: Final = b"ping"
PING_S: Final = 10.0
"""The market server closes after 30 s without one."""
SILENCE_S: Final = 20.0
"""Two answers missed: the link is dead."""


def _headers(session: Session, authorization: str) -> dict[str, str]:
    return {
        "Authorization": authorization,
        "x-api-key": session.api_key,
        "x-client-code": session.client_id,
        "x-feed-token": session.feed_token,
    }


def _prices(listener: FeedListener) -> tuple[OnPayload, OnPayload]:
    prices = stream.Prices()

    def binary(payload: bytes) -> None:
        if payload == b"pong":
            return
        tick = prices.tick(payload)
        if tick is not None:
            listener.on_ticks([tick])

    def text(payload: bytes) -> None:
        refused = stream.server_error(payload)
        if refused is not None:
            listener.on_trouble(refused)

    return binary, text


def _orders(
    listener: FeedListener, now: Callable[[], int], name_of: NameOf, on_ids: Callable[[str, str], None]
) -> OnPayload:
    def message(payload: bytes) -> None:
        update = order_stream.read(payload, read_at=now(), name_of=name_of)
        if update is not None:
            on_ids(update.order_id, update.unique_id)
            if update.row is not None:
                listener.on_row(update.row)

    return message


async def open_feed(
    endpoints: Endpoints,
    session: Session,
    listener: FeedListener,
    *,
    now: Callable[[], int],
    name_of: NameOf,
    on_ids: Callable[[str, str], None],
) -> Feed:
    """Connect both sockets.

    Raises:
        SessionRefused: a handshake was refused with 401 or 403.
        TooManyRequests: the account's three connections are in use (429).
        BrokerUnavailable: no connection.
    """
    binary, text = _prices(listener)
    orders = _orders(listener, now, name_of, on_ids)
    subscriptions = stream.Subscriptions()
    specs: Sequence[StreamSpec] = (
        StreamSpec(
            url=endpoints.market_socket,
            headers=_headers(session, session.access_token),
            on_binary=binary,
            on_text=text,
            keep_alive=PING,
            keep_alive_s=PING_S,
            silence_s=SILENCE_S,
        ),
        StreamSpec(
            url=endpoints.order_socket,
            name="orders",
            headers=_headers(session, f"Bearer {session.access_token}"),
            on_binary=orders,
            on_text=orders,
            keep_alive=PING,
            keep_alive_s=PING_S,
            silence_s=SILENCE_S,
        ),
    )

    def subscribe(socket: Stream, tokens: list[int]) -> None:
        messages, refused = subscriptions.add(tokens)
        for message in messages:
            socket.send_text(message)
        if refused:
            listener.on_trouble(without_prices(len(refused), subscriptions.quota))

    def unsubscribe(socket: Stream, tokens: list[int]) -> None:
        for message in subscriptions.remove(tokens):
            socket.send_text(message)

    return await open_streams(specs, session, listener, subscribe=subscribe, unsubscribe=unsubscribe)
