"""Both sockets: prices on the one, the orders of the whole account on the other. They live and die together.

The server pings every ten seconds; forty without anything mean a dead link. A connection that lives but brings no
prices (a stale token, no data plan) is seen by whoever counts the prices of a symbol.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from algo_brokers.dhan import rejections, stream, updates
from algo_brokers.dhan.limits import INSTRUMENTS_PER_CONNECTION
from algo_brokers.dhan.names import Words
from algo_brokers.dhan.reconnect import Reconnects
from algo_brokers.endpoints import Endpoints
from algo_brokers.errors import BadAnswer, TooManyRequests
from algo_brokers.port import Feed, FeedListener
from algo_brokers.session import Session
from algo_brokers.socket import Stream, StreamSpec
from algo_brokers.streams_feed import open_streams
from algo_brokers.subscriptions import Asked, without_prices

SILENCE_S: Final = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketParts:
    """What the sockets of one account need."""

    endpoints: Endpoints
    words: Words
    now: Callable[[], int]
    session_over: Callable[[], None]
    reconnects: Reconnects


class _Talk:
    """What is said and heard on one pair of sockets."""

    def __init__(self, parts: SocketParts, listener: FeedListener) -> None:
        self._parts = parts
        self._listener = listener
        self._asked = Asked(INSTRUMENTS_PER_CONNECTION)
        self._open: list[Stream] = []

    def hello(self, streams: Sequence[Stream], session: Session) -> None:
        self._open.extend(streams)
        streams[1].send_text(updates.login(session))

    def prices(self, payload: bytes) -> None:
        ticks, disconnect = stream.decode(payload, self._parts.words.tick_of)
        if ticks:
            self._listener.on_ticks(ticks)
        if disconnect:
            self._disconnected(disconnect)

    def _disconnected(self, code: int) -> None:
        text = str(code)
        if code == rejections.TOO_MANY_CONNECTIONS:
            self._parts.reconnects.too_many(_clock())
        if rejections.session_over(0, text, ""):
            self._parts.session_over()
        self._listener.on_trouble(f"the broker ends the market socket: {rejections.MEANING.get(text, 'code ' + text)}")
        for one in self._open:
            one.disconnect()

    def no_text(self, payload: bytes) -> None:
        raise BadAnswer(f"text of {len(payload)} bytes on the market socket")

    def order(self, payload: bytes) -> None:
        row = updates.read(payload, self._parts.words, read_at=self._parts.now())
        if row is not None:
            self._listener.on_row(row)

    def subscribe(self, socket: Stream, tokens: list[int]) -> None:
        fresh, refused = self._asked.add(tokens)
        for message in stream.subscribe(fresh):
            socket.send_text(message)
        if refused:
            self._listener.on_trouble(without_prices(len(refused), INSTRUMENTS_PER_CONNECTION))

    def unsubscribe(self, socket: Stream, tokens: list[int]) -> None:
        for message in stream.unsubscribe(self._asked.remove(tokens)):
            socket.send_text(message)


class _Watched:
    """The owner's listener, and what the account must remember of a connection's end."""

    def __init__(self, listener: FeedListener, reconnects: Reconnects) -> None:
        self._reconnects = reconnects
        self._listener = listener
        self.on_ticks = listener.on_ticks
        self.on_row = listener.on_row
        self.on_frame = listener.on_frame
        self.on_connection = listener.on_connection
        self.on_trouble = listener.on_trouble

    def on_closed(self, reason: str) -> None:
        self._reconnects.ended(_clock())
        self._listener.on_closed(reason)


def _clock() -> float:
    return asyncio.get_running_loop().time()


async def open_sockets(parts: SocketParts, session: Session, listener: FeedListener) -> Feed:
    """Connect to both sockets.

    Raises:
        SessionRefused: a handshake was refused with 401 or 403.
        TooManyRequests: the broker asked to wait, now or a while ago.
        BrokerUnavailable: no connection.
    """
    parts.reconnects.check(_clock())
    parts.reconnects.begun(_clock())
    talk = _Talk(parts, listener)
    specs = (
        StreamSpec(
            url=stream.url(session, parts.endpoints.market_socket),
            on_binary=talk.prices,
            on_text=talk.no_text,
            silence_s=SILENCE_S,
        ),
        StreamSpec(
            url=stream.rooted(parts.endpoints.order_socket), name="orders", on_binary=talk.order, on_text=talk.order
        ),
    )
    try:
        return await open_streams(
            specs,
            session,
            _Watched(listener, parts.reconnects),
            subscribe=talk.subscribe,
            unsubscribe=talk.unsubscribe,
            hello=lambda streams: talk.hello(streams, session),
        )
    except TooManyRequests:
        parts.reconnects.too_many(_clock())
        raise
