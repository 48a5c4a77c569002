"""The real processes of a benchmark: a private Redis, one account's gateway, and a runner for each strategy.

Where the market has no clock of its own, a benchmark at night would only meet a closed exchange. Then the processes are
started with `time.time` moved by a fixed offset into a session; monotonic time, which is what is measured, stays.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "runner" / "tests" / "shell"))

import jwt  # noqa: E402
from aiohttp import ClientError, ClientSession  # noqa: E402
from algo_brokers.session import Session, encode_session  # noqa: E402
from algo_crds.contracts import keys  # noqa: E402
from algo_crds.contracts.clock import IST, instant  # noqa: E402
from algo_crds.contracts.orders import Side  # noqa: E402
from algo_crds.contracts.runtime import (  # noqa: E402
    Desired,
    RuntimeSpec,
    StrategyEvent,
    StrategySpec,
    StrategyView,
    decode_event,
    decode_view,
    encode,
)
from algo_crds.contracts.tokens import ALGORITHM, AUDIENCE_ADMIN, AUDIENCE_RUNNER, ISSUER  # noqa: E402
from algo_market.sessions import InstrumentClass, session_for  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: E402
from shell_processes import ADMIN_PASSWORD, COMMANDS, PASSWORD, RedisServer  # noqa: E402

ACCOUNT = "brk_01h00000000000000000000000"
SHARES = ("RELIANCE", "TCS", "INFY", "HDFCBANK", "ICICIBANK", "SBIN")
EPOCH = 1_800_000_000
_SHIFTED = (
    "import runpy, sys, time\n"
    "real, shift = time.time, float(sys.argv.pop(1))\n"
    "time.time = lambda: real() + shift\n"
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)\n"
)


def free_port(run: int = 1) -> int:
    """A port that nobody listens on, and with `run` > 1 its followers neither."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        try:
            for offset in range(1, run):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        return port


def shift_into_session(at: clock_time = clock_time(10, 30)) -> float:
    """Seconds from now to a time of the newest trading day that is not after today."""
    now = time.time()
    day = datetime.fromtimestamp(now, IST).date()
    while session_for("NSE", InstrumentClass.AUCTION_SHARE, day) is None:
        day -= timedelta(days=1)
    return instant(day, at) / 1000 - now


@dataclass
class Strategy:
    """One strategy, and the runner's process that trades it."""

    id: str
    symbol: str
    generation: int = 0
    process: "subprocess.Popen[bytes] | None" = None


@dataclass
class Fleet:
    """All processes of one account; `shift_s` moves their wall clock."""

    directory: Path
    shift_s: float = 0.0
    gateway_port: int = field(default_factory=lambda: free_port(2))
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    strategies: list[Strategy] = field(default_factory=list)
    gateway: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        (self.directory / "redis").mkdir()
        self.redis = RedisServer(self.directory / "redis")

    def now(self) -> float:
        """The processes' wall clock, in seconds."""
        return time.time() + self.shift_s

    def launch(self, name: str, module: str, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        """Start a module as a process of its own; what it says goes to `<name>.log`."""
        command = [sys.executable, "-m", module]
        if self.shift_s:
            command = [sys.executable, "-c", _SHIFTED, str(self.shift_s), module]
        with (self.directory / f"{name}.log").open("ab") as log:
            return subprocess.Popen(command, env={"PATH": os.environ["PATH"]} | environment, stdout=log, stderr=log)

    def start_gateway(self, session: bytes, **environment: str) -> None:
        """Start the account's gateway with a login; `environment` says where the broker is."""
        public = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self.directory / "operator.pub").write_bytes(public)
        (self.directory / "session.json").write_bytes(session)
        (self.directory / "admin").write_text(ADMIN_PASSWORD)
        settings = {
            "ACCOUNT_ID": ACCOUNT,
            "BROKER": "zerodha",
            "SESSION_FILE": str(self.directory / "session.json"),
            "TOKEN_PUBLIC_KEY_FILE": str(self.directory / "operator.pub"),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis.port}/0",
            "REDIS_USERNAME": "admin",
            "REDIS_PASSWORD_FILE": str(self.directory / "admin"),
            "HOST": "127.0.0.1",
            "PORT": str(self.gateway_port),
        }
        self.gateway = self.launch("gateway", "algo_gateway", settings | environment)

    async def lift_halts(self, deadline_s: float = 20) -> None:
        """Tell the gateway that no halt is in force, as the operator does; until then its door takes no entry."""
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE_ADMIN,
            "sub": "operator",
            "exp": int(time.time()) + 600,
        }
        headers = {"Authorization": f"Bearer {jwt.encode(claims, self.key, algorithm=ALGORITHM)}"}
        end = time.monotonic() + deadline_s
        async with ClientSession() as http:
            while True:
                try:
                    url = f"http://127.0.0.1:{self.gateway_port + 1}/halt"
                    async with http.post(url, json={"halted": False}, headers=headers) as answer:
                        assert answer.status == 200, await answer.text()
                        return
                except ClientError:
                    if time.monotonic() > end:
                        raise
                    await asyncio.sleep(0.05)

    def add(self, symbol: str) -> Strategy:
        """A strategy with its Redis user and its token, not started yet."""
        strategy = Strategy(f"str_01h{len(self.strategies):023d}", symbol)
        self.strategies.append(strategy)
        patterns = (f"~{keys.strategy_prefix(strategy.id)}*", f"&{keys.notify(strategy.id)}")
        self.redis.call(
            "ACL", "SETUSER", f"run-{strategy.id}", "on", f">{PASSWORD}", *patterns, *COMMANDS.split()
        )  # fmt: skip
        return strategy

    def start_runner(self, strategy: Strategy, epoch: int = EPOCH) -> None:
        """Start (again) the strategy's runner."""
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE_RUNNER,
            "sub": strategy.id,
            "account": ACCOUNT,
            "epoch": epoch,
            "exchange": "NSE",
            "symbol": strategy.symbol,
            "product": "Intraday",
        }
        token = self.directory / f"{strategy.id}.token"
        token.write_text(jwt.encode(claims, self.key, algorithm=ALGORITHM))
        (self.directory / "password").write_text(PASSWORD)
        environment = {
            "STRATEGY_ID": strategy.id,
            "REDIS_URL": f"redis://127.0.0.1:{self.redis.port}/0",
            "REDIS_USERNAME": f"run-{strategy.id}",
            "REDIS_PASSWORD_FILE": str(self.directory / "password"),
            "GATEWAY_URL": f"ws://127.0.0.1:{self.gateway_port}",
            "RUNNER_TOKEN_FILE": str(token),
            "HEALTH_PORT": str(free_port()),
        }
        strategy.process = self.launch(strategy.id, "algo_runner", environment)

    def put_spec(self, strategy: Strategy, **fields: Any) -> None:
        """The operator's work: the spec of the strategy's next run."""
        strategy.generation += 1
        fixed: dict[str, Any] = {"exchange": "NSE", "symbol": strategy.symbol, "side": Side.BUY, "repeat_daily": False}
        spec = RuntimeSpec(
            strategy_id=strategy.id,
            tenant_id="tnt_01h00000000000000000000000",
            name=f"bench/{strategy.symbol.lower()}",
            generation=strategy.generation,
            spec=StrategySpec(**(fixed | fields)),
            desired=Desired.RUN,
        )
        self.redis.call("SET", keys.spec(strategy.id), encode(spec))
        if strategy.generation > 1:
            self.redis.call("XADD", keys.commands(strategy.id), "*", "command", "start", "actor", "usr_bench")
        self.redis.call("PUBLISH", keys.notify(strategy.id), "operator")

    def view(self, strategy: Strategy) -> StrategyView | None:
        """What people see of the strategy."""
        data = self.redis.call("HGET", keys.state(strategy.id), "view")
        return decode_view(data) if isinstance(data, bytes) else None

    def events(self, strategy: Strategy) -> list[StrategyEvent]:
        """Everything that the runner told of the strategy."""
        entries = self.redis.call("XRANGE", keys.events(strategy.id), "-", "+")
        assert isinstance(entries, list)
        return [decode_event(fields[1]) for _, fields in entries]

    def stop(self) -> None:
        """End every process."""
        processes = [one.process for one in self.strategies] + [self.gateway]
        for process in processes:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        self.redis.stop()


@contextmanager
def fleet(directory: Path, shift_s: float = 0.0) -> Iterator[Fleet]:
    """A fleet whose Redis runs; everything is ended afterwards."""
    one = Fleet(directory, shift_s)
    try:
        one.redis.start()
        yield one
    finally:
        one.stop()


def login(api_key: str, access_token: str, client_id: str = "SM0001") -> bytes:
    """The file of a login that does not end."""
    held = Session(
        broker="zerodha",
        client_id=client_id,
        api_key=api_key,
        access_token=access_token,
        login_time=0,
        valid_until=1 << 50,
    )
    return encode_session(held)


__all__ = ["ACCOUNT", "EPOCH", "SHARES", "Fleet", "Strategy", "fleet", "login", "shift_into_session"]
