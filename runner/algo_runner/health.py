"""`/healthz` and `/readyz` for the kubelet: two answers, so no framework."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

_BOUND: Final = 8_192


class _Request(asyncio.Protocol):
    def __init__(self, alive: Callable[[], str], ready: Callable[[], str]) -> None:
        self._alive, self._ready = alive, ready
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is not derived from it

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._received += data
        if b"\r\n\r\n" in self._received or len(self._received) > _BOUND:
            self._transport.write(_answer(self._received, self._alive, self._ready))
            self._transport.close()


def _answer(request: bytes, alive: Callable[[], str], ready: Callable[[], str]) -> bytes:
    line = request.split(b"\r\n", 1)[0].split(b" ")
    path = line[1] if len(line) == 3 and line[0] == b"GET" else b""
    checks = {b"/healthz": alive, b"/readyz": ready}
    if path not in checks:
        return _response("404 Not Found", "ask for /healthz or /readyz")
    reason = checks[path]()
    return _response("503 Service Unavailable", reason) if reason else _response("200 OK", "ok")


def _response(status: str, text: str) -> bytes:
    body = f"{text}\n"
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body.encode())}\r\nConnection: close\r\n\r\n{body}"
    ).encode()


async def serve_health(port: int, *, alive: Callable[[], str], ready: Callable[[], str]) -> asyncio.Server:
    """Answer the kubelet on all addresses of the pod.

    Args:
        alive, ready: empty, or the reason why not.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Request(alive, ready), None, port)
