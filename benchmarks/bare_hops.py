"""The floor of the order path: the same number of hops between as many processes, with nothing done in any of them.

A frame goes to one process over a WebSocket, from there to another and back, and leaves as the bytes of an HTTP request
on a kept connection. The libraries are those of the product (picows, uvloop); there is no decoding and no logic.

    python benchmarks/bare_hops.py outer <feed port> <HTTP port> <own port>
    python benchmarks/bare_hops.py inner <outer's port>
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect, ws_create_server

REQUEST = (
    b"PUT /orders/regular/251100000000000 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Kite-Version: 3\r\n"
    b"Authorization: token kkkkkkkkkkkkkkkk:tttttttttttttttttttttttttttttttt\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60\r\n\r\n"
    b"order_type=LIMIT&quantity=10&price=2015.95&validity=DAY&pad=1"[:60]
)


class Hop(WSListener):
    """Hands every binary frame on as it came."""

    def __init__(self, on: Callable[[bytes], None], connected: Callable[[WSTransport], None]) -> None:
        self._on = on
        self._connected = connected

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._connected(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.BINARY:
            self._on(frame.get_payload_as_bytes())
        elif frame.msg_type is WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())


async def outer(feed_port: int, http_port: int, own_port: int) -> None:
    """In the gateway's place."""
    out, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", http_port)
    connected: asyncio.Queue[WSTransport] = asyncio.Queue()
    back = Hop(lambda _data: out.write(REQUEST), connected.put_nowait)
    await ws_create_server(lambda _request: back, "127.0.0.1", own_port)
    inside = await connected.get()
    forward = Hop(lambda data: inside.send(WSMsgType.BINARY, data), lambda _transport: None)
    transport, _ = await ws_connect(lambda: forward, f"ws://127.0.0.1:{feed_port}/")
    await transport.wait_disconnected()


async def inner(outer_port: int) -> None:
    """In the runner's place."""
    held: list[WSTransport] = []
    back = Hop(lambda data: held[0].send(WSMsgType.BINARY, data), held.append)
    while True:
        try:
            transport, _ = await ws_connect(lambda: back, f"ws://127.0.0.1:{outer_port}/")
        except OSError:
            await asyncio.sleep(0.02)
            continue
        await transport.wait_disconnected()
        return


class _Sink(asyncio.Protocol):
    def __init__(self, hops: "BareHops") -> None:
        self._hops = hops

    def data_received(self, _data: bytes) -> None:
        self._hops.came_at = time.perf_counter_ns()
        self._hops.came.set()


def _launch(arguments: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, __file__, *arguments])


@dataclass
class BareHops:
    """The two processes, seen from the benchmark's own."""

    came_at: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)
    _processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    _servers: list[asyncio.AbstractServer] = field(default_factory=list)
    _feed: asyncio.Queue[WSTransport] = field(default_factory=asyncio.Queue)
    _socket: WSTransport | None = None

    async def start(self, own_port: int) -> None:
        """Start both and wait until they are connected."""
        loop = asyncio.get_running_loop()
        sink = await loop.create_server(lambda: _Sink(self), "127.0.0.1", 0)
        feed = await ws_create_server(lambda _request: Hop(lambda _data: None, self._feed.put_nowait), "127.0.0.1", 0)
        self._servers = [sink, feed]
        feed_port, http_port = (server.sockets[0].getsockname()[1] for server in (feed, sink))
        for arguments in (["outer", str(feed_port), str(http_port), str(own_port)], ["inner", str(own_port)]):
            self._processes.append(_launch(arguments))
        self._socket = await asyncio.wait_for(self._feed.get(), 20)

    async def sample(self, data: bytes) -> float:
        """Microseconds from the frame's sending to the request's first bytes."""
        assert self._socket is not None
        self.came.clear()
        sent = time.perf_counter_ns()
        self._socket.send(WSMsgType.BINARY, data)
        await asyncio.wait_for(self.came.wait(), 5)
        return (self.came_at - sent) / 1000

    def stop(self) -> None:
        """End both."""
        for process in self._processes:
            process.kill()
            process.wait()
        for server in self._servers:
            server.close()


if __name__ == "__main__":
    ports = [int(text) for text in sys.argv[2:]]
    uvloop.run(outer(*ports) if sys.argv[1] == "outer" else inner(*ports))
