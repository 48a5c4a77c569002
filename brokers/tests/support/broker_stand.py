"""A small stand-in server that answers, hangs, or hangs up, and an adapter that points at it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from algo_brokers.adapter_parts import AdapterParts
from algo_brokers.order_line import OrderLine, create_order_line
from algo_brokers.port import Broker
from algo_brokers.records import FeedTick
from algo_brokers.registry import Adapter
from algo_brokers.session import Session
from algo_brokers.transports import create_client, create_http_transport
from algo_crds.contracts.orders import OrderRow

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Stand:
    """The server and the adapter that points at it."""

    broker: Broker
    line: OrderLine
    parts: AdapterParts
    session: Session | None
    seen: list[str] = field(default_factory=list)
    handler: Handler | None = None
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    handshakes: list[dict[str, str]] = field(default_factory=list)
    """Headers of each socket's handshake, names in lower case."""
    over: list[int] = field(default_factory=list)
    """One entry for each time that the adapter said the session is dead."""
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def see(self, what: str) -> None:
        self.seen.append(what)
        self.more.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.seen) < count:
                self.more.clear()
                await self.more.wait()


@asynccontextmanager
async def open_stand(adapter: Adapter, held: Session) -> AsyncIterator[Stand]:
    """A server on a free port and the broker's adapter at it, with this session."""
    holder: list[Stand] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        here = holder[0]
        here.see(f"{request.method} {request.path}")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            here.handshakes.append({name.lower(): value for name, value in request.headers.items()})
            here.sockets.append(socket)
            async for message in socket:
                here.see(str(message.data))
            return socket
        assert here.handler is not None
        return await here.handler(request)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    client = create_client()
    line = create_order_line(url)
    parts = AdapterParts(
        transport=lambda base: create_http_transport(client, base_url=base),
        write=line.send,
        current=lambda: holder[0].session,
        now=lambda: 77,
        endpoints=adapter.simulated(url),
        session_over=lambda: holder[0].over.append(1),
    )
    holder.append(Stand(adapter.create_broker(parts), line, parts, held))
    yield holder[0]
    await line.close()
    await client.aclose()
    for socket in holder[0].sockets:
        await socket.close()
    await runner.cleanup()


class Ear:
    """Writes down what a feed says."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.something = asyncio.Event()

    def _hear(self, what: Any) -> None:
        self.heard.append(what)
        self.something.set()

    def on_ticks(self, ticks: list[FeedTick]) -> None:
        self._hear(ticks)

    def on_row(self, row: OrderRow) -> None:
        self._hear(row)

    def on_frame(self, frames: int, stream: str = "market") -> None:
        self._hear(frames if stream == "market" else f"{stream} {frames}")

    def on_connection(self, ordinal: int, stream: str = "market") -> None:
        self._hear(f"connection {ordinal}" if stream == "market" else f"{stream} connection {ordinal}")

    def on_trouble(self, reason: str) -> None:
        self._hear(f"trouble: {reason}")

    def on_closed(self, reason: str) -> None:
        self._hear(f"closed: {reason}")

    async def until(self, count: int) -> list[Any]:
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                self.something.clear()
                await self.something.wait()
        return self.heard
