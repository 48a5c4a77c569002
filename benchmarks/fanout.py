"""From the broker's frame to whoever wants its prices, through a real gateway: thousands of instruments at once.

Twenty runners' connections of one symbol hear its ticks; one reader of every tick hears them on the channel of Redis
that charts and recorders have. Each packet's volume is its frame's number, so that every tick is accounted for: what
did not come is dropped, and what came has the price that was sent. Generator, gateway and Redis are processes of their
own; the readers are in the benchmark's. Afterwards the same frames go through a bare relay.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import jwt
from algo_crds.contracts import keys, wire
from algo_crds.contracts.copies import decode_batch
from algo_crds.contracts.tokens import ALGORITHM, AUDIENCE_RUNNER, ISSUER
from bare_hops import Hop
from feed_generator import instruments_of, names, paise_of
from fleet import ACCOUNT, EPOCH, Fleet, fleet, free_port, login, shift_into_session
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from redis.asyncio import Redis
from report import quantile
from shell_processes import ADMIN_PASSWORD

INSTRUMENTS, TICKS_A_SECOND, SUBSCRIBERS = 3_000, 5, 20
WINDOWS = 3
WATCHED = 7
"""The number of the symbol that the twenty trade."""
_HERE = Path(__file__).resolve().parent
_TICK_UNITS = 100
_DEADLINE_S = 60
_SETTLE_S = 2.0


@dataclass
class Generator:
    """The market's process."""

    process: asyncio.subprocess.Process
    rest: int = 0
    feed: int = 0

    async def line(self) -> dict[str, Any]:
        """What it says next."""
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(await asyncio.wait_for(self.process.stdout.readline(), _DEADLINE_S))
        return found

    async def run(self, seconds: int) -> dict[int, int]:
        """Send for so many seconds; when each frame went out (ns), by its number."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n".encode())
        said = await self.line()
        return {said["first"] + place: at for place, at in enumerate(said["sent"])}


@asynccontextmanager
async def generator(shift_s: float) -> AsyncIterator[Generator]:
    """A running market."""
    arguments = [str(_HERE / "feed_generator.py"), str(INSTRUMENTS), str(TICKS_A_SECOND), str(shift_s)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 24
    )
    try:
        found = Generator(process)
        ports = await found.line()
        found.rest, found.feed = ports["rest"], ports["feed"]
        yield found
    finally:
        process.kill()
        await process.wait()


@dataclass
class Receipts:
    """What one reader got: when, and the bytes; read only when all is over."""

    got: list[tuple[int, bytes]] = field(default_factory=list)
    welcomed: asyncio.Event = field(default_factory=asyncio.Event)


class _Reader(WSListener):
    """One runner's connection, without a runner."""

    def __init__(self, receipts: Receipts) -> None:
        self._receipts = receipts

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        at = time.perf_counter_ns()
        if frame.msg_type is WSMsgType.BINARY:
            self._receipts.got.append((at, frame.get_payload_as_bytes()))
            self._receipts.welcomed.set()
        elif frame.msg_type is WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())


async def _runner(one: Fleet, number: int) -> tuple[WSTransport, Receipts]:
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE_RUNNER,
        "sub": f"str_01h{number:023d}",
        "account": ACCOUNT,
        "epoch": EPOCH,
        "exchange": "NSE",
        "symbol": names(INSTRUMENTS)[WATCHED],
        "product": "Intraday",
    }
    token = jwt.encode(claims, one.key, algorithm=ALGORITHM)
    receipts, url = Receipts(), f"ws://127.0.0.1:{one.gateway_port}{wire.RUNNER_PATH}"
    transport, _ = await ws_connect(lambda: _Reader(receipts), url, extra_headers={"Authorization": f"Bearer {token}"})
    return transport, receipts


async def _read_all(one: Fleet, got: list[tuple[int, bytes]], ready: asyncio.Event) -> None:
    """Keep every message of the channel of all ticks."""
    redis: Redis = Redis(port=one.redis.port, username="admin", password=ADMIN_PASSWORD)
    async with redis.pubsub() as listener:
        await listener.subscribe(keys.ticks(ACCOUNT))
        async for message in listener.listen():
            if message["type"] == "message":
                got.append((time.perf_counter_ns(), message["data"]))
            else:
                ready.set()


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Heard:
    """Milliseconds of every receipt, and what is wrong: ticks that did not come, and ones that came twice or wrong."""

    late_ms: list[float] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    """The frame of each receipt."""
    dropped: int = 0
    wrong: int = 0

    def account(self, expected: dict[tuple[int, int], int], came: list[tuple[int, int, int, int]]) -> None:
        """`expected`: when it went out, by (instrument, frame). `came`: (when, instrument, frame, price)."""
        open_ones = dict(expected)
        for at, instrument, number, price in came:
            sent = open_ones.pop((instrument, number), None)
            if sent is None or price != paise_of(instrument, number) * _TICK_UNITS:
                self.wrong += 1
            else:
                self.late_ms.append((at - sent) / 1e6)
                self.frames.append(number)
        self.dropped += len(open_ones)

    def p99_of(self, frames: range) -> float:
        """Of the receipts of some frames."""
        return quantile([late for late, n in zip(self.late_ms, self.frames, strict=True) if n in frames], 0.99)


def _of_runners(sent: dict[int, int], readers: list[Receipts]) -> Heard:
    heard = Heard()
    ours = {n: at for n, at in sent.items() if WATCHED in instruments_of(n, INSTRUMENTS, TICKS_A_SECOND)}
    for reader in readers:
        came = []
        for at, data in reader.got:
            message = wire.decode_to_runner(data)
            if isinstance(message, wire.Tick) and not message.polled:  # polled ones are not of the feed
                came.append((at, WATCHED, message.volume, message.price))
        heard.account({(WATCHED, number): at for number, at in ours.items()}, came)
    return heard


def _of_all(sent: dict[int, int], got: list[tuple[int, bytes]]) -> Heard:
    heard, number_of = Heard(), {name: number for number, name in enumerate(names(INSTRUMENTS))}
    expected = {
        (instrument, number): at
        for number, at in sent.items()
        for instrument in instruments_of(number, INSTRUMENTS, TICKS_A_SECOND)
    }
    came = [
        (at, number_of[tick.symbol], tick.volume, tick.price) for at, data in got for tick in decode_batch(data).ticks
    ]
    heard.account(expected, came)
    return heard


@dataclass
class Fanout:
    """What was found."""

    runners: Heard
    all: Heard
    gateway_cores: float
    redis_cores: float
    seconds: float
    windows: list["Window"]


@dataclass
class Window:
    """Some seconds of market without a pause."""

    sent: dict[int, int]
    load: float
    """Of the machine in the minute before its end."""

    @property
    def frames(self) -> range:
        """Their numbers."""
        return range(min(self.sent), max(self.sent) + 1)

    @property
    def worst_gap_ms(self) -> float:
        """The longest pause between two frames of the generator: what the machine itself did to it."""
        return max(later - earlier for earlier, later in pairwise(self.sent.values())) / 1e6


async def through_gateway(market: Generator, one: Fleet, seconds: int) -> Fanout:
    """Twenty of one symbol and one of all, for so many seconds in windows of equal length."""
    watched = one.directory / "watched"
    watched.write_text("\n".join(f"NSE:{name}" for name in names(INSTRUMENTS)))
    one.start_gateway(
        login("k" * 16, "t" * 32),
        SIMULATED_BROKER_URL=f"http://127.0.0.1:{market.rest}",
        MARKET_SOCKET_URL=f"ws://127.0.0.1:{market.feed}",
        WATCHED_FILE=str(watched),
    )
    assert one.gateway is not None
    assert one.redis.process is not None
    await one.lift_halts()
    assert (await market.line())["subscribed"] == INSTRUMENTS
    everything: list[tuple[int, bytes]] = []
    listening = asyncio.Event()
    reading = asyncio.create_task(_read_all(one, everything, listening))
    try:
        await asyncio.wait_for(listening.wait(), _DEADLINE_S)
        connections = [await _runner(one, number) for number in range(SUBSCRIBERS)]
        readers = [receipts for _, receipts in connections]
        await asyncio.wait_for(asyncio.gather(*(reader.welcomed.wait() for reader in readers)), _DEADLINE_S)
        pids = (one.gateway.pid, one.redis.process.pid)
        begun, before, windows = time.monotonic(), [cpu_s(pid) for pid in pids], list[Window]()
        for _ in range(WINDOWS):
            windows.append(Window(await market.run(seconds // WINDOWS), os.getloadavg()[0]))
        wall, after = time.monotonic() - begun, [cpu_s(pid) for pid in pids]
        await asyncio.sleep(_SETTLE_S)
    finally:
        reading.cancel()
    for transport, _ in connections:
        transport.disconnect()
    gateway, redis = ((late - early) / wall for early, late in zip(before, after, strict=True))
    sent = {number: at for window in windows for number, at in window.sent.items()}
    return Fanout(_of_runners(sent, readers), _of_all(sent, everything), gateway, redis, wall, windows)


async def through_relay(market: Generator, seconds: int) -> tuple[list[float], float]:
    """The same frames through a process that does nothing to them: milliseconds of each, and its cores."""
    port, got = free_port(), list[tuple[int, int]]()
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(_HERE / "bare_relay.py"), str(market.feed), str(port)
    )

    def take(data: bytes) -> None:
        if len(data) > 1:
            got.append((time.perf_counter_ns(), int.from_bytes(data[20:24], "big")))  # the first packet's volume

    try:
        for _ in range(200):
            try:
                transport, _ = await ws_connect(lambda: Hop(take, lambda _transport: None), f"ws://127.0.0.1:{port}/")
                break
            except OSError:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        begun, before = time.monotonic(), cpu_s(process.pid)
        sent = await market.run(seconds)
        cores = (cpu_s(process.pid) - before) / (time.monotonic() - begun)
        await asyncio.sleep(0.5)
        transport.disconnect()
    finally:
        process.kill()
        await process.wait()
    assert len(got) == len(sent), f"the relay handed on {len(got)} of {len(sent)} frames"
    return [(at - sent[number]) / 1e6 for at, number in got], cores


async def measure(seconds: int, directory: Path) -> tuple[Fanout, list[float], float]:
    """The whole measurement: through the gateway, and through the relay."""
    shift = shift_into_session()
    async with generator(shift) as market:
        with fleet(directory, shift) as one:
            found = await through_gateway(market, one, seconds)
        bare, cores = await through_relay(market, max(5, seconds // 4))
    return found, bare, cores


def figures(found: Fanout, bare: list[float], relay_cores: float) -> tuple[dict[str, float], dict[str, float]]:
    """Metrics and floor, for the report."""
    runners, everyone = found.runners, found.all
    metrics = {
        "fanout_p50_ms": max(quantile(one.late_ms, 0.5) for one in (runners, everyone)),
        "fanout_p99_ms": max(quantile(one.late_ms, 0.99) for one in (runners, everyone)),
        "runners_p50_ms": quantile(runners.late_ms, 0.5),
        "runners_p99_ms": quantile(runners.late_ms, 0.99),
        "all_p50_ms": quantile(everyone.late_ms, 0.5),
        "all_p99_ms": quantile(everyone.late_ms, 0.99),
        "drop": float(runners.dropped + everyone.dropped),
        "wrong": float(runners.wrong + everyone.wrong),
        "gateway_cores": found.gateway_cores,
        "redis_cores": found.redis_cores,
        "receipts": float(len(runners.late_ms) + len(everyone.late_ms)),
        "ticks_a_second": len(everyone.late_ms) / found.seconds,
    }
    floor = {
        "fanout_p50_ms": quantile(bare, 0.5),
        "fanout_p99_ms": quantile(bare, 0.99),
        "gateway_cores": relay_cores,
    }
    return metrics, floor


def window_figures(found: Fanout) -> list[dict[str, float]]:
    """Each window by itself: on a machine shared with others they differ."""
    return [
        {
            "runners_p99_ms": round(found.runners.p99_of(one.frames), 3),
            "all_p99_ms": round(found.all.p99_of(one.frames), 3),
            "generator_worst_gap_ms": round(one.worst_gap_ms, 3),
            "load_1m": round(one.load, 2),
        }
        for one in found.windows
    ]


__all__ = ["figures", "measure", "window_figures"]
