"""A private Redis and a gateway as a process of its own, to be killed and started again."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import jwt
from algo_crds.contracts.tokens import ALGORITHM, AUDIENCE_ADMIN, ISSUER
from lockstep_stage import KEY, Simulator, free_pair, free_ports, gateway_env


class RedisServer:
    """A server on a free port; nothing is kept on disk."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Listen; returns when it answers."""
        command = ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        command += ["--bind", "127.0.0.1", "--dir", str(self._directory)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as one:
                    one.sendall(b"PING\r\n")
                    if one.recv(7).startswith(b"+PONG"):
                        return
            except OSError:
                assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """Gone, with all that it held."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class GatewayProcess:
    """`python -m algo_gateway` between the simulator and a runner."""

    def __init__(self, directory: Path, simulator: Simulator, **env: str) -> None:
        self.port = free_pair()
        self.crash = directory / "crash"
        self.crash.mkdir()
        password = directory / "password"
        password.write_text("")
        self._log = directory / "gateway.log"
        self._env = gateway_env(directory, simulator, self.port, **env)
        self._env |= {"ALGO_CRASH_DIR": str(self.crash), "REDIS_PASSWORD_FILE": str(password)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to run."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "algo_gateway"]
            self._process = subprocess.Popen(command, env=os.environ | self._env, stderr=log)

    def kill(self) -> None:
        """No farewell."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def log(self) -> str:
        """What it wrote so far."""
        return self._log.read_text()

    async def tell_halts(self, http: aiohttp.ClientSession, *reasons: str) -> None:
        """What the operator says, as soon as the gateway listens."""
        claims = {"iss": ISSUER, "aud": AUDIENCE_ADMIN, "sub": "operator", "exp": int(time.time()) + 60}
        headers = {"Authorization": f"Bearer {jwt.encode(claims, KEY, algorithm=ALGORITHM)}"}
        url = f"http://127.0.0.1:{self.port + 1}/halt"
        deadline = time.monotonic() + 15
        while True:
            try:
                async with http.post(url, headers=headers, json={"reasons": list(reasons)}) as answer:
                    assert answer.status == 200, await answer.text()
                    return
            except aiohttp.ClientConnectorError:
                assert time.monotonic() < deadline, f"the gateway did not start: {self.log()}"
                await asyncio.sleep(0.05)
