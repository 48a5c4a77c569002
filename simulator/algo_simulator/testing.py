"""For tests of any component: a running simulator on free ports, and a participant that speaks the clock protocol."""

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from algo_crds.contracts.world import (
    Beat,
    Idle,
    Join,
    Joined,
    WorldState,
    WorldTick,
    decode_to_participant,
    encode,
)

from algo_simulator.servers import Servers, start_servers
from algo_simulator.settings import DEFAULT_PORTS, Settings

TOKEN = "control-token"  # noqa: S105 - of a server that lives for one test
ACCOUNT = {
    "broker": "zerodha",
    "client_id": "SM0001",
    "api_key": "simkey0001",
    "api_secret": "simsecret99",
    "redirect_url": "http://127.0.0.1:1/callback?x=1",
}
DAY = "2021-04-12"
ToParticipant = Joined | WorldState | WorldTick | Beat


def ticks(rows: list[tuple[str, str]], day: str = DAY) -> bytes:
    """A recording of (time, price) rows."""
    lines = [f"{day} {at},{price},{100 * (n + 1)}" for n, (at, price) in enumerate(rows)]
    return gzip.compress(("timestamp,ltp,volume\n" + "\n".join(lines) + "\n").encode())


class Sim:
    """Client of one simulator."""

    def __init__(self, servers: Servers, http: aiohttp.ClientSession) -> None:
        self.servers = servers
        self.http = http
        self.control = f"http://127.0.0.1:{servers.control_port}"
        self.kite = f"http://127.0.0.1:{servers.zerodha_port}"
        self.auth = {"Authorization": f"Bearer {TOKEN}"}
        self.token = ""

    def address(self, broker: str) -> str:
        """Where a broker's front end listens: `http://host:port`."""
        return f"http://127.0.0.1:{self.servers.ports[broker]}"

    async def call(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """A control call; returns the JSON answer (None without one)."""
        data = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with self.http.request(method, self.control + path, headers=self.auth, **data) as response:
            expected = status or (response.status if response.status < 300 else 200)
            text = await response.text()
            assert response.status == expected, text
            return await response.json() if text else None

    async def world(self, rows: dict[str, bytes] | None = None, **fields: Any) -> None:
        """Make world `w`, upload recordings, and log its first account in."""
        spec = {"name": "w", "date": DAY, "symbols": ["NSE:RELIANCE"], "speed": 0, "accounts": [ACCOUNT], **fields}
        await self.call("POST", "/worlds", spec, status=201)
        for key, raw in (rows or {}).items():
            exchange, _, symbol = key.partition(":")
            await self.call("PUT", f"/worlds/w/ticks/{exchange}/{symbol}", raw)
        if spec["accounts"]:
            await self.login()

    async def login(self) -> None:
        """Follow the login flow and keep the access token."""
        url = f"{self.kite}/connect/login?v=3&api_key=simkey0001&redirect_params=state%3Dabc"
        async with self.http.get(url, allow_redirects=False) as response:
            query = parse_qs(urlsplit(response.headers["Location"]).query)
        assert query["state"] == ["abc"]
        assert query["status"] == ["success"]
        token = query["request_token"][0]
        checksum = hashlib.sha256(f"simkey0001{token}simsecret99".encode()).hexdigest()
        form = {"api_key": "simkey0001", "request_token": token, "checksum": checksum}
        async with self.http.post(f"{self.kite}/session/token", data=form) as response:
            self.token = (await response.json())["data"]["access_token"]

    async def kite_call(self, method: str, path: str, form: dict[str, Any] | None = None) -> tuple[int, Any]:
        """An authorised Kite call; returns (status, JSON envelope)."""
        headers = {"Authorization": f"token simkey0001:{self.token}", "X-Kite-Version": "3"}
        async with self.http.request(method, self.kite + path, data=form, headers=headers) as response:
            return response.status, await response.json()

    async def place(self, **fields: Any) -> str:
        """Place a limit order and return its id."""
        form = {
            "exchange": "NSE",
            "tradingsymbol": "RELIANCE",
            "transaction_type": "BUY",
            "quantity": "10",
            "product": "MIS",
            "order_type": "LIMIT",
            **{name: str(value) for name, value in fields.items()},
        }
        status, answer = await self.kite_call("POST", "/orders/regular", form)
        assert status == 200, answer
        return str(answer["data"]["order_id"])

    async def ended(self, stands_s: float = 30) -> Any:
        """Wait until the world has ended, for as long as it moves: how fast it does is the machine's affair."""
        moved: tuple[int, int] | None = None
        while True:
            before = moved

            def ended_or_moved(view: Any) -> bool:
                nonlocal moved
                moved = (view["now"], view["seq"])
                return view["state"] == "ended" or moved != before  # noqa: B023 - awaited at once

            view = await self.until(ended_or_moved, stands_s)
            if view["state"] == "ended":
                return view

    async def until(self, done: Callable[[Any], bool], seconds: float = 30) -> Any:
        """Poll the world's view until a condition holds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            view = await self.call("GET", "/worlds/w")
            if done(view):
                return view
            assert asyncio.get_running_loop().time() < deadline, view
            await asyncio.sleep(0.02)


@asynccontextmanager
async def simulator() -> AsyncIterator[Sim]:
    """A simulator in this process."""
    servers = await start_servers(
        Settings(token=TOKEN, host="127.0.0.1", control_port=0, ports=dict.fromkeys(DEFAULT_PORTS, 0))
    )
    async with aiohttp.ClientSession() as http:
        try:
            yield Sim(servers, http)
        finally:
            await servers.stop()


OnMessage = Callable[["Player", ToParticipant], Awaitable[None]]


class Player:
    """A participant: hands every message to a callback and answers each beat once that has returned."""

    def __init__(
        self, sim: Sim, query: str, symbols: tuple[str, ...] = (), on_message: OnMessage | None = None
    ) -> None:
        self.sim = sim
        self.query = query
        self.symbols = symbols
        self.on_message = on_message
        self.seen: list[ToParticipant] = []
        self.now = 0
        self.wake_at: int | None = None
        self.answering = True
        self.seq = 0
        self.in_flight = 0
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self.task: asyncio.Task[None] | None = None
        self.joined = asyncio.Event()
        self.beaten = asyncio.Event()

    async def __aenter__(self) -> "Player":
        url = f"{self.sim.control}/clock?{self.query}"
        self.socket = await self.sim.http.ws_connect(url, headers=self.sim.auth)
        await self.socket.send_str(encode(Join(name="test", symbols=self.symbols)).decode())
        self.task = asyncio.create_task(self._read())
        await asyncio.wait_for(self.joined.wait(), 5)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.socket is not None
        assert self.task is not None
        await self.socket.close()
        self.task.cancel()
        results = await asyncio.gather(self.task, return_exceptions=True)
        failure = results[0]
        if isinstance(failure, Exception):
            raise failure

    async def idle(self) -> None:
        """Answer the newest round."""
        assert self.socket is not None
        await self.socket.send_str(encode(Idle(seq=self.seq, in_flight=self.in_flight, wake_at=self.wake_at)).decode())

    async def _read(self) -> None:
        assert self.socket is not None
        async for frame in self.socket:
            message = decode_to_participant(frame.data)
            self.seen.append(message)
            self.now = message.now
            self.joined.set()
            if self.on_message is not None:
                await self.on_message(self, message)
            if isinstance(message, Beat):
                self.seq = message.seq
                self.beaten.set()
                if self.answering:
                    await self.idle()
