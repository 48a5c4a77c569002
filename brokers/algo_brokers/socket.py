"""One WebSocket of a broker: connects, counts frames, notices silence and hands payloads to a decoder.

Everything runs inside the receive callback: no queue, no task. Reconnecting is the owner's work (`gateway/feed.py`),
with a fresh subscription each time.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from algo_crds.contracts.world import CONNECTION_HEADER
from picows import WSError as PicowsError
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from algo_brokers.errors import BrokerError, BrokerUnavailable, SessionRefused, TooManyRequests
from algo_brokers.port import FeedListener
from algo_brokers.session import Session, hide

_BINARY, _TEXT = WSMsgType.BINARY, WSMsgType.TEXT
"""By name: a look into an enum's class runs its metaclass, which costs 5 us of a tick's way where caches are cold."""
CONNECT_S: Final = 5.0
"""For the connection and the handshake; the owner tries again."""


class OnPayload(Protocol):
    """Reads one data frame and tells the listener. A `BrokerError` that it raises is told as trouble: rows may have
    been missed, the connection goes on."""

    def __call__(self, payload: bytes) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpec:
    """What a socket is and how it is spoken to. Address and headers may hold secrets: the text form shows neither."""

    url: str = field(repr=False)
    name: str = "market"
    """`market` or `orders`: how frames are counted for a replayed market."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    on_binary: OnPayload
    on_text: OnPayload
    keep_alive: bytes = b""
    """A message sent every `keep_alive_s`; empty: none."""
    keep_alive_s: float = 0.0
    keep_alive_binary: bool = False
    """Whether that message is a binary one."""
    silence_s: float = 0.0
    """Without any frame for so long the link counts as dead; 0: never."""


class Stream:
    """An open socket. Implements the sending half of a feed."""

    def __init__(self, transport: WSTransport) -> None:
        self._transport = transport

    def send_text(self, message: bytes) -> None:
        """A text frame; dropped when the connection is gone."""
        self._transport.send(WSMsgType.TEXT, message)

    def send_binary(self, message: bytes) -> None:
        """A binary frame."""
        self._transport.send(WSMsgType.BINARY, message)

    def disconnect(self) -> None:
        """End the connection without waiting."""
        self._transport.disconnect()

    async def close(self) -> None:
        """End the connection."""
        self._transport.disconnect()
        await self._transport.wait_disconnected()


class _Ear(WSListener):
    def __init__(self, spec: StreamSpec, listener: FeedListener, on_closed: Callable[[str], None]) -> None:
        self._spec = spec
        self._listener = listener
        self._on_closed = on_closed
        self._frames = 0
        self._heard = True
        self._reason = "connection closed by the broker"
        self._timers: list[asyncio.TimerHandle] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        ordinal = transport.response.headers.get(CONNECTION_HEADER) or ""
        if ordinal.isdecimal():
            self._listener.on_connection(int(ordinal), self._spec.name)
        loop, spec = asyncio.get_running_loop(), self._spec
        if spec.keep_alive:
            kind = WSMsgType.BINARY if spec.keep_alive_binary else WSMsgType.TEXT
            self._repeat(loop, spec.keep_alive_s, lambda: transport.send(kind, spec.keep_alive))
        if spec.silence_s:
            self._repeat(loop, spec.silence_s, lambda: self._look(transport))

    def _repeat(self, loop: asyncio.AbstractEventLoop, every_s: float, act: Callable[[], None]) -> None:
        place = len(self._timers)

        def due() -> None:
            self._timers[place] = loop.call_later(every_s, due)
            act()

        self._timers.append(loop.call_later(every_s, due))

    def _look(self, transport: WSTransport) -> None:
        if not self._heard:
            self._reason = f"nothing heard for {self._spec.silence_s:g} s"
            transport.disconnect()
        self._heard = False

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._heard = True
        kind = frame.msg_type
        if kind is _BINARY or kind is _TEXT:
            self._frames += 1
            try:
                payload = frame.get_payload_as_bytes()
                (self._spec.on_binary if kind is _BINARY else self._spec.on_text)(payload)
            except BrokerError as error:
                self._listener.on_trouble(str(error))
            self._listener.on_frame(self._frames, self._spec.name)
        elif kind is WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind is WSMsgType.CLOSE:
            self._reason = f"closed by the broker with code {int(frame.get_close_code().value)}"
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - picows calls it so
        for timer in self._timers:
            timer.cancel()
        self._on_closed(self._reason)


async def open_stream(
    spec: StreamSpec, session: Session, listener: FeedListener, on_closed: Callable[[str], None]
) -> Stream:
    """Connect. `on_closed` is called once, when the connection is gone.

    Raises:
        SessionRefused: the handshake was refused with 401 or 403.
        TooManyRequests: the handshake was refused with 429.
        BrokerUnavailable: no connection.
    """
    try:
        async with asyncio.timeout(CONNECT_S):
            transport, _ = await ws_connect(
                lambda: _Ear(spec, listener, on_closed),
                spec.url,
                enable_auto_ping=False,
                enable_auto_pong=False,
                extra_headers=dict(spec.headers) or None,
                max_redirects=0,
            )
    except (PicowsError, OSError, TimeoutError) as error:
        status = getattr(getattr(error, "response", None), "status", None)
        if status is not None and int(status) in (401, 403):
            raise SessionRefused(f"the {spec.name} socket refused the session; log in again") from None
        if status is not None and int(status) == 429:
            raise TooManyRequests(f"the {spec.name} socket: too many connections; wait before the next") from None
        raise BrokerUnavailable(hide(f"{spec.name} socket: {type(error).__name__}", session)) from None
    return Stream(transport)
