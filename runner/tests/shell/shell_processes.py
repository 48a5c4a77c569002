"""Real processes of the shell's tests: a private Redis with the runner's own user, and the runner itself."""

import asyncio
import base64
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import hiredis
from algo_crds.contracts import keys
from algo_crds.contracts.orders import Product, Side
from algo_crds.contracts.runtime import Desired, Level, RuntimeSpec, StrategySpec, StrategyView, decode_view, encode
from algo_crds.contracts.tokens import AUDIENCE_RUNNER, ISSUER, RunnerClaims

STRATEGY = "str_01hzzzzzzzzzzzzzzzzzzzzzzz"
PASSWORD = "runner-test"
ADMIN_PASSWORD = "admin-test"
DEADLINE_S = 20.0
_pack: Callable[[tuple[str | bytes | int, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]
COMMANDS = (
    "-@all +@string +@hash +@list +@set +@sortedset +@stream +@transaction +@connection -@dangerous "
    "+publish +subscribe +unsubscribe +del +unlink +exists +type +expire +pexpire +persist +ttl +pttl "
    "+eval +evalsha +script|load +script|exists"
)
"""As the operator makes the runner's user."""


PORTS = range(15_000, 32_000)
"""Below the ports that the kernel gives to clients: a client that tries such a port until somebody listens there may be
given that very port, and then it is connected to itself."""


def free_port() -> int:
    """A port that nobody listens on."""
    while True:
        port = secrets.choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


async def until(condition: Callable[[], object], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Poll until a condition holds.

    Raises:
        AssertionError: it did not in time.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    while not condition():
        assert loop.time() < end, f"not in time: {what}"
        await asyncio.sleep(0.01)


@dataclass
class RedisServer:
    """A private server with an append-only file, fsynced always."""

    directory: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start (again, with the data that is on disk)."""
        for _ in range(3):
            if self._started():
                return
            self.port = free_port()  # somebody was faster; only at the first start, nobody knows the port yet
        raise AssertionError("redis-server does not start")

    def _started(self) -> bool:
        acl = self.directory / "users.acl"
        patterns = f"~{keys.strategy_prefix(STRATEGY)}* &{keys.notify(STRATEGY)}"
        acl.write_text(
            f"user default off\n"
            f"user admin on >{ADMIN_PASSWORD} ~* &* +@all\n"
            f"user run-{STRATEGY} on >{PASSWORD} {patterns} {COMMANDS}\n"
        )
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--aclfile", str(acl)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(500):
            try:
                self.call("PING")
            except (OSError, hiredis.ReplyError):
                if self.process.poll() is not None:
                    return False
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(timeout=0.02)
                continue
            return True
        raise AssertionError("redis-server does not answer")

    def pause(self) -> None:
        """Let it hang: connections stay, answers do not come."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the server."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def call(self, *parts: str | bytes | int) -> object:
        """One command as administrator."""
        reader = hiredis.Reader()
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(_pack(("AUTH", "admin", ADMIN_PASSWORD)) + _pack(parts))
            replies: list[object] = []
            while len(replies) < 2:
                data = connection.recv(65_536)
                if not data:
                    raise ConnectionResetError
                reader.feed(data)
                while (reply := reader.gets()) is not False:
                    replies.append(reply)
        if isinstance(replies[1], hiredis.ReplyError):
            raise replies[1]
        return replies[1]

    def view(self) -> StrategyView | None:
        """What people see."""
        data = self.call("HGET", keys.state(STRATEGY), "view")
        return decode_view(data) if isinstance(data, bytes) else None

    def put_spec(self, spec: RuntimeSpec) -> None:
        """As the operator does it."""
        self.call("SET", keys.spec(STRATEGY), encode(spec))
        self.call("PUBLISH", keys.notify(STRATEGY), "operator")


def make_spec(**changes: object) -> RuntimeSpec:
    """Ten shares of RELIANCE from 09:20:00 to 09:40:00, stop 1 %."""
    values: dict[str, object] = {
        "exchange": "NSE",
        "symbol": "RELIANCE",
        "side": Side.BUY,
        "quantity": 10,
        "buy_time": 9 * 3600 + 20 * 60,
        "sell_time": 9 * 3600 + 40 * 60,
        "stop_loss": Level(bp=100),
        "product": Product.INTRADAY,
        "repeat_daily": False,
    }
    desired = changes.pop("desired", Desired.RUN)
    generation = changes.pop("generation", 1)
    assert isinstance(desired, Desired)
    assert isinstance(generation, int)
    return RuntimeSpec(
        strategy_id=STRATEGY,
        tenant_id="tnt_01hzzzzzzzzzzzzzzzzzzzzzzz",
        name="algo-tnt/reliance",
        generation=generation,
        spec=StrategySpec(**(values | changes)),  # type: ignore[arg-type]
        desired=desired,
    )


def make_token(epoch: int) -> str:
    """A token as the operator's, with a signature that nobody checks here."""
    claims = RunnerClaims(
        iss=ISSUER,
        aud=AUDIENCE_RUNNER,
        sub=STRATEGY,
        account="brk_00000000000000000000000000",
        epoch=epoch,
        exchange="NSE",
        symbol="RELIANCE",
        product="Intraday",
    )
    parts = [json.dumps({"alg": "EdDSA"}).encode(), encode(claims), b"signature"]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@dataclass
class RunnerProcess:
    """`python -m algo_runner` in a process of its own."""

    directory: Path
    redis_port: int
    gateway_port: int
    epoch: int = 1_800_000_000
    health_port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def crash_dir(self) -> Path:
        """Where tests ask for a crash."""
        return self.directory / "crash"

    @property
    def log(self) -> str:
        """What it said."""
        return (self.directory / "runner.log").read_text()

    def start(self) -> None:
        """Start it."""
        self.crash_dir.mkdir(exist_ok=True)
        (self.directory / "password").write_text(PASSWORD)
        (self.directory / "token").write_text(make_token(self.epoch))
        environment = {
            "PATH": os.environ["PATH"],
            "STRATEGY_ID": STRATEGY,
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "REDIS_USERNAME": f"run-{STRATEGY}",
            "REDIS_PASSWORD_FILE": str(self.directory / "password"),
            "GATEWAY_URL": f"ws://127.0.0.1:{self.gateway_port}",
            "RUNNER_TOKEN_FILE": str(self.directory / "token"),
            "HEALTH_PORT": str(self.health_port),
            "ALGO_CRASH_DIR": str(self.crash_dir),
        }
        with (self.directory / "runner.log").open("ab") as log:
            command = [sys.executable, "-m", "algo_runner"]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def kill(self) -> None:
        """SIGKILL, as a lost node does it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def terminate(self) -> None:
        """SIGTERM, as the kubelet does it."""
        assert self.process is not None
        self.process.terminate()

    async def ended(self, deadline_s: float = DEADLINE_S) -> int:
        """The exit code, once there is one."""
        process = self.process
        assert process is not None
        await until(lambda: process.poll() is not None, "the runner ends", deadline_s)
        assert process.returncode is not None
        return process.returncode

    async def get(self, path: str) -> int:
        """The status of a health check; 0 without an answer."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.health_port)
        except OSError:
            return 0
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return int(answer.split(b" ")[1])
