"""One port for two kinds of callers: runners' WebSockets (picows) and everything else (aiohttp: halt, health, metrics).

picows serves no POST, and aiohttp's WebSocket costs the hot path a task switch a message. So the first bytes of a
connection decide who gets it: `GET /runner` goes to picows, the rest to aiohttp. Both then own the transport alone.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from aiohttp import web
from algo_crds.contracts.wire import RUNNER_PATH
from picows import WSAutoPingStrategy
from picows.api import WSServerListenerFactory
from picows.picows import WSProtocol  # type: ignore[attr-defined] # its stub leaves it out; the pin is exact

_RUNNER: Final = f"GET {RUNNER_PATH}".encode()
_MAX_MESSAGE: Final = 64 * 1024
_PING_S: Final = 5.0
_FIRST_BYTES_S: Final = 5.0


class _Front(asyncio.Protocol):
    """Waits for the first bytes, then hands the transport over with them."""

    def __init__(self, runner: Callable[[], asyncio.BufferedProtocol], other: Callable[[], asyncio.Protocol]) -> None:
        self._runner = runner
        self._other = other
        self._transport: asyncio.Transport | None = None
        self._first = b""
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # uvloop's transports are no subclasses
        self._deadline = asyncio.get_running_loop().call_later(_FIRST_BYTES_S, transport.close)

    def data_received(self, data: bytes) -> None:
        self._first += data
        if len(self._first) < len(_RUNNER) and _RUNNER.startswith(self._first):
            return
        transport = self._transport
        assert transport is not None
        self._stop_waiting()
        if self._first.startswith(_RUNNER):
            self._hand_to_runner(transport)
        else:
            protocol = self._other()
            transport.set_protocol(protocol)
            protocol.connection_made(transport)
            protocol.data_received(self._first)

    def _hand_to_runner(self, transport: asyncio.Transport) -> None:
        protocol = self._runner()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        rest = memoryview(self._first)
        while rest:
            room = protocol.get_buffer(len(rest))
            size = min(len(room), len(rest))  # type: ignore[arg-type] # a buffer has a length
            room[:size] = rest[:size]  # type: ignore[index]
            protocol.buffer_updated(size)
            rest = rest[size:]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio calls it so
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


async def serve(
    accept: WSServerListenerFactory, app: web.Application, *, host: str, port: int
) -> tuple[asyncio.Server, web.AppRunner]:
    """Listen; both results must be closed by the caller, the server first.

    Args:
        accept: who listens to a runner's WebSocket, as picows wants it.
        app: answers all other requests.
    """
    pages = web.AppRunner(app, access_log=None)
    await pages.setup()
    other = pages.server
    assert other is not None, "setup made it"
    log = logging.getLogger("picows.server")

    def runner() -> asyncio.BufferedProtocol:
        protocol: asyncio.BufferedProtocol = WSProtocol(
            None,
            None,
            False,
            accept,
            log,
            True,
            _FIRST_BYTES_S,
            True,
            _PING_S,
            _PING_S,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            True,
            _MAX_MESSAGE,
            None,
            16 * 1024,
        )
        return protocol

    server = await asyncio.get_running_loop().create_server(lambda: _Front(runner, other), host, port)
    return server, pages
