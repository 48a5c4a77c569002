"""The simulator as a process of its own, its control port, and the floor: its part of the way from a fill to a stop."""

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from aiohttp import ClientConnectorError, ClientSession, ClientWebSocketResponse, WSMsgType
from algo_crds.contracts.world import Beat, Idle, Join, decode_to_participant, encode
from fleet import free_port

SECRET = "simsecret99"
DAY = "2021-04-12"


@dataclass
class Broker:
    """A running simulator."""

    http: ClientSession
    control: str
    kite: str
    token_file: Path

    @property
    def headers(self) -> dict[str, str]:
        """What the control port asks for."""
        return {"Authorization": f"Bearer {self.token_file.read_text()}"}

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """A call of the control port."""
        async with self.http.request(method, self.control + path, headers=self.headers, json=body) as answer:
            text = await answer.text()
            assert answer.status < 300, text
            return msgspec.json.decode(text) if text else None

    async def make_world(self, name: str, symbols: tuple[str, ...], speed: float, client_id: str) -> str:
        """A world with one account, not started; the access token of its login."""
        account = {
            "broker": "zerodha",
            "client_id": client_id,
            "api_key": f"key{name}",
            "api_secret": SECRET,
            "redirect_url": "http://127.0.0.1:1/callback",
            "cash": 100_000_000,
        }
        world = {
            "name": name,
            "date": DAY,
            "symbols": [f"NSE:{symbol}" for symbol in symbols],
            "speed": speed,
            "accounts": [account],
            "participants": 1,
            "start_time": "09:14:50",
        }
        await self.call("POST", "/worlds", world)
        login = f"{self.kite}/connect/login?v=3&api_key=key{name}&redirect_params=state%3Dx"
        async with self.http.get(login, allow_redirects=False) as page:
            token = parse_qs(urlsplit(page.headers["Location"]).query)["request_token"][0]
        checksum = hashlib.sha256(f"key{name}{token}{SECRET}".encode()).hexdigest()
        form = {"api_key": f"key{name}", "request_token": token, "checksum": checksum}
        async with self.http.post(f"{self.kite}/session/token", data=form) as answer:
            return str((await answer.json())["data"]["access_token"])


def _launch(directory: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    with (directory / "simulator.log").open("ab") as log:
        command = [sys.executable, "-m", "algo_simulator"]
        return subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)


@asynccontextmanager
async def simulated_broker(directory: Path) -> AsyncIterator[Broker]:
    """A simulator on free ports; ended afterwards."""
    token_file = directory / "control-token"
    token_file.write_text("control-token")
    control, kite = free_port(), free_port()
    environment = {
        "SIMULATOR_TOKEN_FILE": str(token_file),
        "SIMULATOR_HOST": "127.0.0.1",
        "CONTROL_PORT": str(control),
        "ZERODHA_PORT": str(kite),
    }
    process = _launch(directory, environment)
    try:
        async with ClientSession() as http:
            broker = Broker(http, f"http://127.0.0.1:{control}", f"http://127.0.0.1:{kite}", token_file)
            end = time.monotonic() + 20
            while True:
                try:
                    await broker.call("GET", "/worlds")
                    break
                except ClientConnectorError:
                    if time.monotonic() > end:
                        raise
                    await asyncio.sleep(0.05)
            yield broker
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class _Bare:
    """A client with nothing in it: at a beat it places a stop, and it looks at the clock when the row comes."""

    broker: Broker
    key: str
    token: str
    clock: ClientWebSocketResponse
    n: int
    seq: int = 0
    sent_at: int = 0
    waits: bool = False
    samples: list[float] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def idle(self, in_flight: int) -> None:
        await self.clock.send_str(encode(Idle(seq=self.seq, in_flight=in_flight)).decode())

    async def beats(self) -> None:
        """Answer the market; place a stop whenever none is under way."""
        due = 0
        async for frame in self.clock:
            message = decode_to_participant(frame.data)
            if not isinstance(message, Beat):
                continue
            due = due or message.now + 20_000  # the session opens in between
            self.seq = message.seq
            if self.waits or message.now < due or len(self.samples) >= self.n:
                await self.idle(0)
                continue
            self.waits, due = True, message.now + 1_000  # limits count by the market's second
            await self.idle(1)
            self.tasks.add(asyncio.create_task(self.place()))

    async def place(self) -> None:
        form = {
            "exchange": "NSE",
            "tradingsymbol": "RELIANCE",
            "transaction_type": "SELL",
            "quantity": "1",
            "product": "MIS",
            "order_type": "SL",
            "price": "1830",
            "trigger_price": "1835",
            "validity": "DAY",
        }
        headers = {"Authorization": f"token {self.key}:{self.token}", "X-Kite-Version": "3"}
        self.sent_at = time.perf_counter_ns()
        async with self.broker.http.post(f"{self.broker.kite}/orders/regular", data=form, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
        await self.idle(0)

    async def rows(self, socket: ClientWebSocketResponse) -> None:
        """Take the row of the stop."""
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT or '"order"' not in frame.data:
                continue
            row = msgspec.json.decode(frame.data)["data"]
            assert row["status"] == "TRIGGER PENDING", row
            self.samples.append((time.perf_counter_ns() - self.sent_at) / 1e6)
            self.waits = False
            if len(self.samples) >= self.n:
                self.done.set()
                return


async def round_trips(broker: Broker, n: int) -> list[float]:
    """Milliseconds from placing a stop to its row, in a world whose only participant is a bare client."""
    token = await broker.make_world("bare", ("RELIANCE",), 0, "SMBARE")
    ws = broker.kite.replace("http", "ws")
    clock_url = f"{broker.control.replace('http', 'ws')}/clock?account=SMBARE&broker=zerodha"
    async with (
        broker.http.ws_connect(f"{ws}/?api_key=keybare&access_token={token}") as socket,
        broker.http.ws_connect(clock_url, headers=broker.headers) as clock,
    ):
        await clock.send_str(encode(Join(name="bare", symbols=())).decode())
        bare = _Bare(broker, "keybare", token, clock, n)
        tasks = [asyncio.create_task(bare.beats()), asyncio.create_task(bare.rows(socket))]
        await broker.call("POST", "/worlds/bare/start")
        ended = asyncio.create_task(bare.done.wait())
        finished, _ = await asyncio.wait({ended, *tasks}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, ended):
            task.cancel()
        for task in finished:
            task.result()
        assert len(bare.samples) >= n, "the simulator did not answer in time"
    await broker.call("DELETE", "/worlds/bare")
    return bare.samples
