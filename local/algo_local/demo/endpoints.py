"""How a command on a workstation reaches the services of a cluster: kubectl port-forward, so that it works on any.

The simulator's control token is read from its Secret with the caller's own rights.
"""

import asyncio
import base64
import contextlib
import json
import os
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

BROKER_PORTS = {"zerodha": 9010, "dhan": 9011, "fyers": 9012, "angelone": 9013}
"""As the chart sets them unless told otherwise."""
SYSTEM_NAMESPACE = "algo-system"
_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)")
_START_SECONDS = 20.0


class UnreachableError(RuntimeError):
    """A service of the cluster cannot be reached; the message says what to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """The kubectl binary and the kubeconfig of one cluster."""

    binary: Path
    kubeconfig: Path

    def command(self, *arguments: str) -> list[str]:
        """The argument vector of a call."""
        return [str(self.binary), f"--kubeconfig={self.kubeconfig}", *arguments]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the services answer on this machine, while the forwards are open."""

    api: str
    control: str
    brokers: dict[str, str]
    """The simulated brokers, by name."""
    control_token: str


async def run(kubectl: Kubectl, *arguments: str, stdin: str | None = None) -> str:
    """Output of one kubectl call.

    Raises:
        UnreachableError: kubectl failed; carries its words.
    """
    process = await asyncio.create_subprocess_exec(
        *kubectl.command(*arguments),
        stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    out, err = await process.communicate(stdin.encode() if stdin is not None else None)
    if process.returncode != 0:
        raise UnreachableError(f"kubectl {' '.join(arguments)}: {err.decode(errors='replace').strip()}")
    return out.decode()


async def secret(kubectl: Kubectl, name: str, key: str, namespace: str = SYSTEM_NAMESPACE) -> str:
    """One value of a Secret."""
    data = json.loads(await run(kubectl, "get", "secret", name, "-n", namespace, "-o", "json"))["data"]
    return base64.b64decode(data[key]).decode()


async def _ports(process: asyncio.subprocess.Process, count: int) -> dict[int, int]:
    """Local port by remote port, as kubectl announces them."""
    assert process.stdout is not None
    ports: dict[int, int] = {}
    while len(ports) < count:
        line = (await process.stdout.readline()).decode()
        if not line:
            assert process.stderr is not None
            words = (await process.stderr.read()).decode(errors="replace").strip()
            raise UnreachableError(f"port-forward ended: {words or 'no reason given'}")
        if match := _FORWARDING.search(line):
            ports[int(match[2])] = int(match[1])
    return ports


@contextlib.asynccontextmanager
async def forward(kubectl: Kubectl, service: str, remote: Sequence[int]) -> AsyncIterator[dict[int, int]]:
    """Local ports of a service while the context is open.

    Raises:
        UnreachableError: the forward did not start within 20 s.
    """
    process = await asyncio.create_subprocess_exec(
        *kubectl.command(
            "port-forward", "-n", SYSTEM_NAMESPACE, f"service/{service}", *(f":{port}" for port in remote)
        ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_PROXY": "127.0.0.1,localhost"},
        # Ctrl-C of a terminal goes to a whole group: the way to the services must outlive it, to clean up.
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            ports = await _ports(process, len(remote))
        yield ports
    except TimeoutError as error:
        raise UnreachableError(f"no port-forward to {service}; see: algo status, algo logs {service}") from error
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


@contextlib.asynccontextmanager
async def reach(kubectl: Kubectl) -> AsyncIterator[Endpoints]:
    """Forwards to the API and the simulator of the installed release."""
    token = await secret(kubectl, "algo-simulator", "token")
    async with (
        forward(kubectl, "algo-api", [8000]) as api,
        forward(kubectl, "algo-simulator", [9000, *BROKER_PORTS.values()]) as simulator,
    ):
        yield Endpoints(
            api=f"http://127.0.0.1:{api[8000]}",
            control=f"http://127.0.0.1:{simulator[9000]}",
            brokers={name: f"http://127.0.0.1:{simulator[port]}" for name, port in BROKER_PORTS.items()},
            control_token=token,
        )
