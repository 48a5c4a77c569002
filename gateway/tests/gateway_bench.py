"""A gateway in this process, a stand-in broker behind it, runners in front of it, the operator beside it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from algo_brokers.session import Session, encode_session
from algo_crds.contracts import wire
from algo_crds.contracts.clock import session_date
from algo_crds.contracts.orders import Leg, OrderClass, OrderType, Product, Side
from algo_crds.contracts.tags import make_tag, strategy_hash
from algo_crds.contracts.tokens import ALGORITHM, AUDIENCE_ADMIN, AUDIENCE_RUNNER, ISSUER
from algo_gateway.bootstrap import Gateway
from algo_gateway.clock import SessionClock
from algo_gateway.settings import read_settings
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lockstep_stage import free_pair

ACCOUNT = "brk_01aaaaaaaaaaaaaaaaaaaaaaaa"
STRATEGY = "str_01aaaaaaaaaaaaaaaaaaaaaaaa"
TOKEN = 738561
FRAME = bytes.fromhex("00010008000b450100046334")
KEY = Ed25519PrivateKey.generate()
CSV = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange\n738561,2885,RELIANCE,RELIANCE,0,,0,0.05,1,EQ,NSE,NSE\n"
)


@dataclass
class StandIn:
    """A broker with just enough of a book."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    fail: str = ""
    address: str = "203.0.113.7"
    addresses_asked: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._feed(request)
        if request.path == "/address":
            self.addresses_asked += 1
            self.changed.set()
            return web.Response(text=f"{self.address}\n")
        self.calls.append(f"{request.method} {request.path}")
        self.changed.set()
        if self.fail == "session":
            return web.json_response({"status": "error", "error_type": "TokenException", "message": "x"}, status=403)
        if self.fail == "orders" and request.method == "POST":
            return web.Response(status=502, text="bad gateway")
        if self.fail == "address" and request.method == "POST":
            refused = {"status": "error", "error_type": "PermissionException", "message": "No IPs configured"}
            return web.json_response(refused, status=403)
        if request.path.startswith("/instruments/"):
            return web.Response(text=CSV, content_type="text/csv")
        if request.path == "/quote":
            quote: dict[str, Any] = {"last_price": 2875.4, "lower_circuit_limit": 2574.7, "upper_circuit_limit": 3146.8}
            quote |= {"timestamp": time.strftime("%Y-%m-%d %H:%M:%S"), "ohlc": {"close": 2860.75}}
            return self._ok({"NSE:RELIANCE": quote})
        if request.path == "/portfolio/positions":
            return self._ok({"net": [], "day": []})
        if request.method == "POST":
            return await self._place(request)
        return self._ok(self.orders)

    async def _place(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        order_id = str(len(self.orders) + 1)
        self.orders.append(
            {
                "order_id": order_id,
                "exchange_order_id": f"X{order_id}",
                "status": "OPEN",
                "exchange": "NSE",
                "tradingsymbol": "RELIANCE",
                "product": "MIS",
                "transaction_type": form["transaction_type"],
                "order_type": form["order_type"],
                "quantity": int(str(form["quantity"])),
                "price": float(str(form["price"])),
                "tag": form["tag"],
            }
        )
        return self._ok({"order_id": order_id})

    async def _feed(self, request: web.Request) -> web.WebSocketResponse:
        feed = web.WebSocketResponse()
        await feed.prepare(request)
        self.sockets.append(feed)
        self.changed.set()
        async for message in feed:
            self.said.append(str(message.data))
            self.changed.set()
        return feed

    def _ok(self, data: Any) -> web.Response:
        return web.json_response({"status": "success", "data": data})

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


@dataclass
class Bench:
    """Everything that a test needs."""

    broker: StandIn
    gateway: Gateway
    port: int
    http: aiohttp.ClientSession
    session_file: Path

    def token(self, **claims: Any) -> str:
        body = {
            "iss": ISSUER,
            "aud": AUDIENCE_RUNNER,
            "sub": STRATEGY,
            "account": ACCOUNT,
            "epoch": 5,
            "exchange": "NSE",
            "symbol": "RELIANCE",
            "product": "Intraday",
        }
        return jwt.encode(body | claims, KEY, algorithm=ALGORITHM)

    async def runner(self, **claims: Any) -> "Runner":
        headers = {"Authorization": f"Bearer {self.token(**claims)}"}
        url = f"http://127.0.0.1:{self.port}{wire.RUNNER_PATH}?exchange=NSE&symbol=RELIANCE&product=Intraday"
        return Runner(await self.http.ws_connect(url, headers=headers))

    async def halt(self, *reasons: str, port: int = 0) -> int:
        claims = {"iss": ISSUER, "aud": AUDIENCE_ADMIN, "sub": "operator", "exp": int(time.time()) + 60}
        headers = {"Authorization": f"Bearer {jwt.encode(claims, KEY, algorithm=ALGORITHM)}"}
        url = f"http://127.0.0.1:{port or self.port}/halt"
        async with self.http.post(url, headers=headers, json={"reasons": list(reasons)}) as answer:
            return answer.status


class Runner:
    """A runner's end of the connection."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def say(self, message: wire.ToGateway) -> None:
        await self.ws.send_bytes(wire.encode(message))

    async def hear(self, *kinds: type) -> Any:
        """The next message of these kinds."""
        async with asyncio.timeout(5):
            while True:
                frame = await self.ws.receive()
                if frame.type is not aiohttp.WSMsgType.BINARY:
                    raise ConnectionError(f"closed: {frame.type.name}")
                message = wire.decode_to_runner(frame.data)
                if not kinds or isinstance(message, kinds):
                    return message


@contextlib.asynccontextmanager
async def open_bench(tmp_path: Path, **env: str) -> AsyncIterator[Bench]:
    """A running gateway; `env` is added to its environment, `{broker}` in it is the stand-in's host and port."""
    broker = StandIn()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", broker.serve)
    stand = web.AppRunner(app)
    await stand.setup()
    await web.TCPSite(stand, "127.0.0.1", 0).start()
    address = f"127.0.0.1:{stand.addresses[0][1]}"
    key = tmp_path / "operator.pub"
    key.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    session_file = tmp_path / "session.json"
    now = int(time.time() * 1000)
    session = Session(
        broker="zerodha",
        client_id="SM0001",
        api_key="k",
        access_token="secret-token",
        login_time=now,
        valid_until=now + 3_600_000,
    )
    session_file.write_bytes(encode_session(session))
    port = free_pair()
    gateway = Gateway(
        read_settings(
            {
                "ACCOUNT_ID": ACCOUNT,
                "BROKER": "zerodha",
                "CLIENT_ID": "SM0001",
                "ENVIRONMENT": "Simulator",
                "SESSION_FILE": str(session_file),
                "TOKEN_PUBLIC_KEY_FILE": str(key),
                "SIMULATED_BROKER_URL": f"http://{address}",
                "MARKET_SOCKET_URL": f"ws://{address}",
                "PORT": str(port),
                "HOST": "127.0.0.1",
            }
            | {name: value.replace("{broker}", address) for name, value in env.items()}
        )
    )
    running = asyncio.create_task(gateway.run())
    # One connection a call: its first bytes decide who serves it.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        bench = Bench(broker, gateway, port, http, session_file)
        await broker.until(lambda: bool(broker.sockets))
        yield bench
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    for feed in broker.sockets:
        await feed.close()
    await stand.cleanup()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with open_bench(tmp_path) as one:
        yield one


def place(req: int, order_class: OrderClass = OrderClass.STOP) -> wire.Place:
    leg = Leg.ENTRY if order_class is OrderClass.ENTRY else Leg.STOP
    now = SessionClock(own=False).now()
    return wire.Place(
        req=req,
        tag=make_tag(strategy_hash(STRATEGY), session_date(now), leg, req),
        leg=leg,
        order_class=order_class,
        side=Side.BUY if leg is Leg.ENTRY else Side.SELL,
        type=OrderType.LIMIT,
        quantity=10,
        price=28700000,
        product=Product.INTRADAY,
        send_before=now + 2_000,
    )
