"""The socket of `stream.py`: connects, counts frames, hands prices and rows on. Reconnecting is its owner's work."""

import asyncio
from collections.abc import Callable
from typing import Final

from picows import WSError as PicowsError
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from algo_brokers.errors import BadAnswer, BrokerError, BrokerUnavailable, SessionRefused
from algo_brokers.port import Feed, FeedListener
from algo_brokers.session import Session, hide
from algo_brokers.zerodha import stream

SILENCE_S: Final = 5.0
"""The server sends at least a heartbeat every couple of seconds; five without anything mean a dead link."""


CONNECT_S: Final = 5.0
"""For the connection and the handshake; the owner tries again."""


class _Socket(WSListener):
    """Frames in, calls of the listener out. Everything runs inside the receive callback: no queue, no task."""

    def __init__(self, listener: FeedListener, now: Callable[[], int]) -> None:
        self._listener = listener
        self._now = now
        self._frames = 0
        self._reason = "connection closed by the broker"

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is WSMsgType.BINARY:
            self._frames += 1
            try:
                ticks = stream.decode_binary(frame.get_payload_as_bytes())
            except BadAnswer as error:
                self._listener.on_trouble(str(error))
            else:
                if ticks:
                    self._listener.on_ticks(ticks)
        elif kind is WSMsgType.TEXT:
            self._text(frame.get_payload_as_bytes())
        elif kind is WSMsgType.CLOSE:
            self._reason = f"closed by the broker with code {int(frame.get_close_code().value)}"
            transport.disconnect()
            return
        else:
            return
        self._listener.on_frame(self._frames)

    def _text(self, payload: bytes) -> None:
        self._frames += 1
        try:
            message = stream.decode_text(payload, read_at=self._now())
        except BrokerError as error:
            self._listener.on_trouble(str(error))
            return
        if isinstance(message, stream.Connection):
            self._listener.on_connection(message.ordinal)
        elif isinstance(message, stream.OrderUpdate):
            if message.row is not None:
                self._listener.on_row(message.row)
        elif isinstance(message, stream.ServerError):
            self._listener.on_trouble(message.text)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - picows calls it so
        self._listener.on_closed(self._reason)


class _Feed:
    def __init__(self, transport: WSTransport) -> None:
        self._transport = transport

    def subscribe(self, tokens: list[int]) -> None:
        for message in stream.subscribe(tokens):
            self._transport.send(WSMsgType.TEXT, message)

    def unsubscribe(self, tokens: list[int]) -> None:
        for message in stream.unsubscribe(tokens):
            self._transport.send(WSMsgType.TEXT, message)

    async def close(self) -> None:
        self._transport.disconnect()
        await self._transport.wait_disconnected()


async def open_socket(url: str, session: Session, listener: FeedListener, now: Callable[[], int]) -> Feed:
    """Connect to the market-data socket.

    Raises:
        SessionRefused: the handshake was refused with 403.
        BrokerUnavailable: no connection.
    """
    try:
        async with asyncio.timeout(CONNECT_S):
            transport, _ = await ws_connect(
                lambda: _Socket(listener, now),
                url,
                enable_auto_ping=False,
                extra_headers={"X-Kite-Version": "3"},
                max_redirects=0,
            )
    except (PicowsError, OSError, TimeoutError) as error:
        response = getattr(error, "response", None)
        status = getattr(response, "status", None)
        if status is not None and int(status) == 403:
            raise SessionRefused("the market socket refused the session; log in again") from None
        raise BrokerUnavailable(hide(f"market socket: {type(error).__name__}", session)) from None
    return _Feed(transport)
