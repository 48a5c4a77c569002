"""A real simulator process, a gateway in this process, and a scripted runner between them."""

import asyncio
import contextlib
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import jwt
from algo_brokers.login import Credentials
from algo_brokers.registry import adapter_of
from algo_brokers.session import encode_session
from algo_brokers.transports import create_client, create_http_transport
from algo_crds.contracts import wire
from algo_crds.contracts.clock import session_date
from algo_crds.contracts.orders import Leg, OrderClass, OrderRow, OrderStatus, OrderType, Product, Side
from algo_crds.contracts.tags import make_tag, strategy_hash
from algo_crds.contracts.tokens import ALGORITHM, AUDIENCE_RUNNER, ISSUER
from algo_gateway.bootstrap import Gateway
from algo_gateway.settings import read_settings
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

STRATEGY = "str_01aaaaaaaaaaaaaaaaaaaaaaaa"
ACCOUNT = "brk_01aaaaaaaaaaaaaaaaaaaaaaaa"
KEY = Ed25519PrivateKey.generate()
API_KEY, API_SECRET, CLIENT = "simkey0001", "simsecret99", "SM0001"


PORTS = range(15_000, 32_000)
"""Below the ports that the kernel gives to clients: a client that tries such a port until somebody listens there may be
given that very port, and then it is connected to itself."""


def free_pair() -> int:
    """A port whose neighbour, the gateway's second one, is free too."""
    while True:
        port = secrets.choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_pair())
    return list(found)


@dataclass
class Simulator:
    """Where it listens."""

    control: str
    kite: str
    token_file: Path

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token_file.read_text()}"}


@contextlib.contextmanager
def running_simulator(directory: Path) -> Iterator[Simulator]:
    """A simulator process."""
    token_file = directory / "token"
    token_file.write_text("control-token")
    control, kite = free_ports(2)
    env = os.environ | {
        "SIMULATOR_TOKEN_FILE": str(token_file),
        "SIMULATOR_HOST": "127.0.0.1",
        "CONTROL_PORT": str(control),
        "ZERODHA_PORT": str(kite),
    }
    process = subprocess.Popen([sys.executable, "-m", "algo_simulator"], env=env)
    try:
        yield Simulator(f"http://127.0.0.1:{control}", f"127.0.0.1:{kite}", token_file)
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Script:
    """A runner that buys once, rests a stop just below, and writes down what it sees."""

    ws: aiohttp.ClientWebSocketResponse
    limit_steps: int
    beats: int = 0
    prices: list[tuple[int, int, int]] = field(default_factory=list)
    rows: list[OrderRow] = field(default_factory=list)
    heard: list[tuple[int, OrderRow]] = field(default_factory=list)
    """Rows with the instant at which they came."""
    entered_at: int = 0
    last_tag: str = ""
    waiting: set[int] = field(default_factory=set)
    refused: list[Any] = field(default_factory=list)
    gaps: int = 0
    books: int = 0
    armed: asyncio.Event = field(default_factory=asyncio.Event)
    held: int = 0
    entered: bool = False
    done: bool = False
    req: int = 0
    seq: int = 0
    now: int = 0

    async def say(self, message: wire.ToGateway) -> None:
        await self.ws.send_bytes(wire.encode(message))

    async def idle(self) -> None:
        await self.say(wire.Idle(seq=self.seq, in_flight=len(self.waiting)))

    async def order(self, leg: Leg, price: int, trigger: int = 0) -> None:
        self.req += 1
        self.waiting.add(self.req)
        self.last_tag = make_tag(strategy_hash(STRATEGY), session_date(self.now), leg, self.req)
        await self.say(
            wire.Place(
                req=self.req,
                tag=self.last_tag,
                leg=leg,
                order_class=OrderClass.ENTRY if leg is Leg.ENTRY else OrderClass.STOP,
                side=Side.BUY if leg is Leg.ENTRY else Side.SELL,
                type=OrderType.LIMIT if leg is Leg.ENTRY else OrderType.STOP_LIMIT,
                quantity=10,
                price=price,
                trigger=trigger,
                product=Product.INTRADAY,
                send_before=self.now + 2_000,
            )
        )

    async def run(self) -> None:
        async with asyncio.timeout(60):
            async for frame in self.ws:
                message = wire.decode_to_runner(frame.data)
                self.now = max(self.now, message.now)
                await self.on(message)
                if self.done or self.beats >= self.limit_steps:
                    return

    async def on(self, message: wire.ToRunner) -> None:
        if isinstance(message, wire.Welcome):
            self.welcome = message
            await self.say(wire.Armed())
            self.armed.set()
        elif isinstance(message, wire.Tick):
            self.prices.append((message.now, message.time, message.price))
            if not self.entered and message.now >= self.welcome.session.open:
                self.entered, self.entered_at = True, message.now
                await self.order(Leg.ENTRY, up(message.price, 20))
        elif isinstance(message, wire.Row):
            self.rows.append(message.row)
            self.heard.append((message.now, message.row))
            if message.row.status is OrderStatus.FILLED and message.row.side is Side.BUY and not self.held:
                self.held = message.row.filled
                trigger = down(message.row.average_price, 4)
                await self.order(Leg.STOP, down(trigger, 100), trigger)
            elif message.row.status is OrderStatus.FILLED and message.row.side is Side.SELL:
                self.held, self.done = 0, True
        elif isinstance(message, wire.Accepted | wire.Rejected | wire.NotSent | wire.Unknown):
            self.waiting.discard(message.req)
            if not isinstance(message, wire.Accepted):
                self.refused.append(message)
            await self.idle()
        elif isinstance(message, wire.UpdatesGap):
            self.gaps += 1
        elif isinstance(message, wire.Book):
            self.books += 1
        elif isinstance(message, wire.Beat):
            self.beats += 1
            self.seq = message.seq
            await self.idle()


def up(price: int, bp: int) -> int:
    return -(-price * (10_000 + bp) // 10_000 // 1_000) * 1_000


def down(price: int, bp: int) -> int:
    return price * (10_000 - bp) // 10_000 // 1_000 * 1_000


async def make_world(http: aiohttp.ClientSession, simulator: Simulator, name: str, client_id: str) -> None:
    account = {
        "broker": "zerodha",
        "client_id": client_id,
        "api_key": f"{API_KEY}{name}",
        "api_secret": API_SECRET,
        "redirect_url": "http://127.0.0.1:9/callback",
    }
    world = {
        "name": name,
        "date": "2021-04-12",
        "symbols": ["NSE:RELIANCE"],
        "speed": 0,
        "seed": 7,
        "accounts": [account],
        "participants": 1,
        "start_time": "09:14:55",
    }
    async with asyncio.timeout(20):
        while True:
            try:
                async with http.post(f"{simulator.control}/worlds", headers=simulator.headers, json=world) as answer:
                    assert answer.status == 201, await answer.text()
                    return
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)


async def log_in(http: aiohttp.ClientSession, simulator: Simulator, name: str) -> bytes:
    """The trader's way: the login page's redirect, then the token exchange through the adapter."""
    client = create_client()
    read = create_http_transport(client, base_url=f"http://{simulator.kite}")

    adapter = adapter_of("zerodha")
    login = adapter.create_login(lambda _base: read, adapter.simulated(f"http://{simulator.kite}"))
    assert login.begin is not None
    assert login.finish is not None
    keys = Credentials(client_id=f"{CLIENT}{name}", api_key=f"{API_KEY}{name}", api_secret=API_SECRET)
    async with http.get(await login.begin(credentials=keys, state="s1"), allow_redirects=False) as page:
        query = dict(parse_qsl(urlsplit(page.headers["Location"]).query))
    assert query["state"] == "s1"
    session = await login.finish(credentials=keys, callback=query, now=1_800_000_000_000)
    await client.aclose()
    return encode_session(session)


def gateway_env(directory: Path, simulator: Simulator, port: int, **env: str) -> dict[str, str]:
    """The environment of a gateway whose broker and clock are the simulator."""
    key = directory / "operator.pub"
    key.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    settings = {
        "ACCOUNT_ID": ACCOUNT,
        "ENVIRONMENT": "Simulator",
        "SESSION_FILE": str(directory / "session.json"),
        "TOKEN_PUBLIC_KEY_FILE": str(key),
        "SIMULATED_BROKER_URL": f"http://{simulator.kite}",
        "MARKET_SOCKET_URL": f"ws://{simulator.kite}",
        "WORLD_CLOCK_URL": f"{simulator.control.replace('http', 'ws')}/clock",
        "WORLD_TOKEN_FILE": str(simulator.token_file),
        "PORT": str(port),
        "HOST": "127.0.0.1",
    }
    return settings | env


@contextlib.asynccontextmanager
async def gateway(tmp_path: Path, simulator: Simulator, **env: str) -> AsyncIterator[int]:
    """A gateway in this process; its port."""
    port = free_pair()
    one = Gateway(read_settings(gateway_env(tmp_path, simulator, port, **env)))
    one.set_halts([])
    running = asyncio.create_task(one.run())
    try:
        yield port
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def connect(http: aiohttp.ClientSession, port: int) -> aiohttp.ClientWebSocketResponse:
    """A runner's connection, as soon as the gateway listens."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE_RUNNER,
        "sub": STRATEGY,
        "account": ACCOUNT,
        "epoch": 5,
        "exchange": "NSE",
        "symbol": "RELIANCE",
        "product": "Intraday",
    }
    headers = {"Authorization": f"Bearer {jwt.encode(claims, KEY, algorithm=ALGORITHM)}"}
    async with asyncio.timeout(10):
        while True:
            try:
                return await http.ws_connect(f"http://127.0.0.1:{port}{wire.RUNNER_PATH}", headers=headers)
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.02)


async def run_world(http: aiohttp.ClientSession, simulator: Simulator, name: str, script: Script) -> dict[str, Any]:
    async def start_when_armed() -> None:
        async with asyncio.timeout(10):
            await script.armed.wait()
        async with http.post(f"{simulator.control}/worlds/{name}/start", headers=simulator.headers) as answer:
            assert answer.status == 200, await answer.text()

    starter = asyncio.create_task(start_when_armed())
    await script.run()
    await starter
    async with http.get(f"{simulator.control}/worlds/{name}", headers=simulator.headers) as answer:
        seen: dict[str, Any] = await answer.json()
    return seen
