"""The two sockets as one feed: prices by HSM, order updates as JSON. Open only when both have said that they are.

The market socket is logged in by a frame, never by an `Authorization` header: with one it accepts the handshake and
then says nothing for ever. A login without an answer is therefore an error here, not an open feed.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from algo_crds.contracts.orders import OrderRow

from algo_brokers.endpoints import Endpoints
from algo_brokers.errors import BadAnswer, BrokerError, BrokerUnavailable, SessionRefused
from algo_brokers.fyers import hsm_frames, limits, order_stream, stream
from algo_brokers.fyers.market_state import TOLD, MarketState
from algo_brokers.port import Feed, FeedListener
from algo_brokers.records import FeedTick
from algo_brokers.session import Session
from algo_brokers.socket import Stream, StreamSpec
from algo_brokers.streams_feed import open_streams
from algo_brokers.subscriptions import without_prices

READY_S: Final = 5.0
"""For the answers to both logins."""
SILENCE_S: Final = 90.0
"""The market socket stalls without closing, and has no heartbeat of its own: after so long it is opened anew."""

TopicOf = Callable[[int], str]
"""The topic of a fyToken; `ValueError` for what is none."""


class _Desk:
    """What one connection has asked for and heard. Stands between the sockets and the owner's listener."""

    def __init__(self, listener: FeedListener, topic_of: TopicOf, now: Callable[[], int]) -> None:
        loop = asyncio.get_running_loop()
        self._listener = listener
        self._topic_of = topic_of
        self._now = now
        self._tokens: dict[str, int] = {}
        self._state = MarketState(self._tokens)
        self._ack_every = 0
        self._data_frames = 0
        self._open = False
        self._closed_early = ""
        self.market_ready: asyncio.Future[bool] = loop.create_future()
        self.orders_ready: asyncio.Future[bool] = loop.create_future()
        self.send: Callable[[bytes], None] = lambda _frame: None

    def on_ticks(self, ticks: list[FeedTick]) -> None:
        """Handed on."""
        self._listener.on_ticks(ticks)

    def on_row(self, row: OrderRow) -> None:
        """Handed on."""
        self._listener.on_row(row)

    def on_frame(self, frames: int, stream: str = "market") -> None:
        """Handed on."""
        self._listener.on_frame(frames, stream)

    def on_connection(self, ordinal: int, stream: str = "market") -> None:
        """Handed on."""
        self._listener.on_connection(ordinal, stream)

    def on_trouble(self, reason: str) -> None:
        """Handed on."""
        self._listener.on_trouble(reason)

    def on_closed(self, reason: str) -> None:
        """Handed on once the feed is open; before that it ends the waiting."""
        if self._open:
            self._listener.on_closed(reason)
            return
        self._closed_early = reason
        _settle(self.market_ready, False)
        _settle(self.orders_ready, False)

    async def ready(self) -> None:
        """Until both sockets have accepted the session.

        Raises:
            SessionRefused: one refused it.
            BrokerUnavailable: one went away, or says nothing.
        """
        try:
            async with asyncio.timeout(READY_S):
                accepted = await self.market_ready and await self.orders_ready
        except TimeoutError:
            answered = self.market_ready.done() and not self.market_ready.cancelled()
            silent = "order" if answered else "market"
            raise BrokerUnavailable(f"the {silent} socket did not answer the login within {READY_S:g} s") from None
        if self._closed_early:
            raise BrokerUnavailable(f"a socket closed during the login: {self._closed_early}")
        if not accepted:
            raise SessionRefused("a socket refused the session; log in again")
        self._open = True

    def market(self, payload: bytes) -> None:
        """One frame of the market socket. Raises `BadAnswer` for one that cannot be read."""
        try:
            message = stream.decode(payload, TOLD)
        except BadAnswer:
            self._state.doubt()
            raise
        if isinstance(message, stream.Data):
            self._acknowledge(message.message)
            ticks = self._state.apply(message)
            if ticks:
                self.on_ticks(ticks)
        elif isinstance(message, stream.AuthReply):
            self._ack_every = message.ack_every
            _settle(self.market_ready, message.accepted)
        elif isinstance(message, stream.Notice):
            self.on_trouble(f"market socket: {message.text} ({message.code})")
        elif isinstance(message, stream.Reply) and not message.accepted:
            self.on_trouble(f"the market socket refused a request of type {message.kind.name.lower()}")

    def orders(self, payload: bytes) -> None:
        """One text of the order socket. Raises `BadAnswer` for one that cannot be read."""
        message = order_stream.decode(payload, read_at=self._now())
        if isinstance(message, order_stream.OrderUpdate):
            if message.row is not None:
                self.on_row(message.row)
        elif isinstance(message, order_stream.Subscribed):
            _settle(self.orders_ready, True)
        elif isinstance(message, order_stream.ServerError):
            _settle(self.orders_ready, False)
            self.on_trouble(message.text)

    def _acknowledge(self, message: int) -> None:
        self._data_frames += 1
        if self._ack_every and self._data_frames % self._ack_every == 0:
            self.send(hsm_frames.acknowledge(message))

    def subscribe(self, socket: Stream, tokens: list[int]) -> None:
        """Ask for what was not asked for yet, up to the connection's limit."""
        fresh, refused = [], 0
        for token in tokens:
            try:
                topic = self._topic_of(token)
            except ValueError as error:
                self.on_trouble(f"no prices: {error}")
                continue
            if topic in self._tokens:
                continue
            if len(self._tokens) >= limits.TOKENS_PER_CONNECTION:
                refused += 1
                continue
            self._tokens[topic] = token
            fresh.append(topic)
        _spread(socket, hsm_frames.subscribe(fresh))
        if refused:
            self.on_trouble(without_prices(refused, limits.TOKENS_PER_CONNECTION))

    def unsubscribe(self, socket: Stream, tokens: list[int]) -> None:
        """No more of these."""
        gone = [topic for topic, token in self._tokens.items() if token in set(tokens)]
        for topic in gone:
            del self._tokens[topic]
        _spread(socket, hsm_frames.unsubscribe(gone))


def _settle(future: asyncio.Future[bool], good: bool) -> None:
    if not future.done():
        future.set_result(good)


def _spread(socket: Stream, frames: list[bytes]) -> None:
    """The first at once, the others with the broker's pause between."""
    loop = asyncio.get_running_loop()
    for place, frame in enumerate(frames):
        if place == 0:
            socket.send_binary(frame)
        else:
            loop.call_later(place * limits.MESSAGE_GAP_S, socket.send_binary, frame)


async def open_feed(
    session: Session, endpoints: Endpoints, listener: FeedListener, *, topic_of: TopicOf, now: Callable[[], int]
) -> Feed:
    """Open both sockets and wait until each has accepted the session.

    Raises:
        SessionRefused: a socket refused the session.
        BrokerUnavailable: no connection, or one that says nothing.
    """
    desk = _Desk(listener, topic_of, now)

    def hello(sockets: Sequence[Stream]) -> None:
        market, orders = sockets
        desk.send = market.send_binary
        market.send_binary(hsm_frames.auth(session.feed_token))
        market.send_binary(hsm_frames.mode())
        orders.send_text(order_stream.SUBSCRIBE)

    feed = await open_streams(
        _specs(session, endpoints, desk),
        session,
        desk,
        subscribe=desk.subscribe,
        unsubscribe=desk.unsubscribe,
        hello=hello,
    )
    try:
        await desk.ready()
    except BrokerError:
        await feed.close()
        raise
    return feed


def _specs(session: Session, endpoints: Endpoints, desk: _Desk) -> list[StreamSpec]:
    none: Mapping[str, str] = {}
    return [
        StreamSpec(
            url=endpoints.market_socket,
            headers=none,
            on_binary=desk.market,
            on_text=_unexpected,
            keep_alive=hsm_frames.PING,
            keep_alive_s=hsm_frames.PING_EVERY_S,
            keep_alive_binary=True,
            silence_s=SILENCE_S,
        ),
        StreamSpec(
            url=endpoints.order_socket,
            name="orders",
            headers=order_stream.headers(session),
            on_binary=_unexpected,
            on_text=desk.orders,
            keep_alive=order_stream.PING,
            keep_alive_s=order_stream.PING_EVERY_S,
            silence_s=order_stream.SILENCE_S,
        ),
    ]


def _unexpected(payload: bytes) -> None:
    """A frame of the other sort tells nothing."""
