"""A small stand-in server that answers, hangs, or hangs up, and the adapter that points at it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.order_line import OrderLine, create_order_line
from algo_brokers.port import Broker, FeedTick, NewOrder
from algo_brokers.session import Session
from algo_brokers.transports import create_client, create_http_transport
from algo_brokers.zerodha import Endpoints, create_zerodha_broker
from algo_crds.contracts.orders import OrderRow, OrderType, Product, Side

CANARY = "canarytoken42"
SECRET = "canarysecret43"
HELD = Session(
    broker="zerodha", client_id="SM0001", api_key="canarykey41", access_token=CANARY, login_time=0, valid_until=1
)
ORDER = NewOrder(
    tag="a12345678abce001",
    exchange="NSE",
    symbol="RELIANCE",
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=10,
    price=28700000,
    product=Product.INTRADAY,
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Stand:
    """The server and the adapter that points at it."""

    broker: Broker
    line: OrderLine
    seen: list[str] = field(default_factory=list)
    handler: Handler | None = None
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    session: Session | None = HELD
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def see(self, what: str) -> None:
        self.seen.append(what)
        self.more.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.seen) < count:
                self.more.clear()
                await self.more.wait()


def ok(data: Any) -> web.Response:
    return web.json_response({"status": "success", "data": data})


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    holder: list[Stand] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        here = holder[0]
        here.see(f"{request.method} {request.path}")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
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
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}"
    client = create_client()
    line = create_order_line(url)
    broker = create_zerodha_broker(
        read=create_http_transport(client, base_url=url),
        write=line.send,
        current=lambda: holder[0].session,
        now=lambda: 77,
        endpoints=Endpoints(rest=url, ws=f"ws://127.0.0.1:{port}"),
    )
    holder.append(Stand(broker, line))
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

    def on_frame(self, frames: int) -> None:
        self._hear(frames)

    def on_connection(self, ordinal: int) -> None:
        self._hear(f"connection {ordinal}")

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
