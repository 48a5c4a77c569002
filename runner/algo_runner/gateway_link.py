"""The connection to the gateway: opened with the runner's token, opened again for as long as the process lives.

Frames are decoded and handed on in the callback in which they arrive: between a tick's bytes and the order's bytes
nothing is awaited.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec
from algo_crds.contracts import wire
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

log: Final = logging.getLogger("algo_runner.gateway")
FIRST_BACKOFF_S: Final = 0.05
LONGEST_BACKOFF_S: Final = 1.0
_BINARY, _CLOSE = WSMsgType.BINARY, WSMsgType.CLOSE
"""By name: a look into an enum's class runs its metaclass, which costs 7 us where caches are cold, as at an exit."""
PING_AFTER_S: Final = 5.0
PING_TIMEOUT_S: Final = 5.0
CONNECT_S: Final = 3.0
"""A first packet that a service's rules dropped while they changed is repeated for two minutes by the kernel; a new
connection gets through at once."""


class GatewayLink:
    """The connection. `send` writes at once; `run` keeps it up until cancelled or `stop`.

    Args:
        token: the one with which the process began. A newer one in the mounted secret belongs to the next pod: whoever
            showed it from here would take the strategy away from its new owner.
        on_message: every message, in order.
        on_lost: the connection is gone; comes once for each connection that was made.
    """

    def __init__(
        self,
        *,
        url: str,
        token: str,
        on_message: Callable[[wire.ToRunner], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._url = url
        self._token = token
        self._on_message = on_message
        self._on_lost = on_lost
        self._transport: WSTransport | None = None
        self._stopped = False

    @property
    def connected(self) -> bool:
        """Whether bytes may be written."""
        return self._transport is not None

    def send(self, message: bytes) -> bool:
        """Write a message now; False if there is no connection."""
        if self._transport is None:
            return False
        self._transport.send(_BINARY, message)
        return True

    def stop(self) -> None:
        """Close, and do not open again."""
        self._stopped = True
        if self._transport is not None:
            self._transport.disconnect()

    async def run(self) -> None:
        """Connect, and again whenever the connection ends, with growing pauses (wall time)."""
        pause = FIRST_BACKOFF_S
        while not self._stopped:
            started = asyncio.get_running_loop().time()
            try:
                headers = {"Authorization": f"Bearer {self._token}"}
                async with asyncio.timeout(CONNECT_S):
                    transport, _ = await ws_connect(
                        lambda: _Listener(self._opened, self._received, self._closed),
                        self._url,
                        extra_headers=headers,
                        enable_auto_ping=True,
                        auto_ping_idle_timeout=PING_AFTER_S,
                        auto_ping_reply_timeout=PING_TIMEOUT_S,
                    )
            except (OSError, WSError, TimeoutError) as error:
                log.warning("gateway %s: %s; trying again", self._url.split("?")[0], _cause(error))
            else:
                await transport.wait_disconnected()
                if asyncio.get_running_loop().time() - started > LONGEST_BACKOFF_S:
                    pause = FIRST_BACKOFF_S
            if not self._stopped:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_BACKOFF_S)

    def _opened(self, transport: WSTransport) -> None:
        self._transport = transport

    def _received(self, frame: WSFrame) -> None:
        try:
            message = wire.decode_to_runner(frame.get_payload_as_memoryview())
        except msgspec.DecodeError as error:
            # A message that we cannot read may have been a fill: the next connection reads the book.
            log.error("the gateway sent what is no message (%s); reconnecting", error)
            self._drop()
            return
        self._on_message(message)

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def _closed(self, transport: WSTransport) -> None:
        if transport is self._transport:
            self._transport = None
            self._on_lost("the connection to the gateway was lost")


class _Listener(WSListener):
    """picows asks for a class; it only hands on."""

    def __init__(
        self,
        opened: Callable[[WSTransport], None],
        received: Callable[[WSFrame], None],
        closed: Callable[[WSTransport], None],
    ) -> None:
        self._opened, self._received, self._closed = opened, received, closed

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._opened(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is _BINARY:
            self._received(frame)
        elif kind is _CLOSE:
            transport.send_close()
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._closed(transport)


def _cause(error: BaseException) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"{error} (HTTP {int(response.status)})"
    return str(error) or type(error).__name__
