"""An environment of its own for each official SDK, kept in a cache keyed by its pins, and a simulator for it."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from algo_simulator.testing import Sim, simulator

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "TZ": "Asia/Kolkata", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
SdkPython = Callable[[str], Path]
ScriptedDay = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="session")
def sdk_python() -> SdkPython:
    """Makes, or finds, the environment of a broker's folder (`requirements.txt`) and returns its interpreter.

    It holds the unmodified SDK and nothing of ours.
    """

    def make(broker: str) -> Path:
        pins = HERE / broker / "requirements.txt"
        key = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:16]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "algo-trading" / "sdk"
        home = cache / f"{broker}-{key}"
        python = home / "bin" / "python"
        if not (home / ".complete").exists():
            uv = shutil.which("uv")
            assert uv is not None, "uv is needed to make the SDK's environment; install it with `pip install uv`"
            shutil.rmtree(home, ignore_errors=True)
            for command in (
                [uv, "venv", "--quiet", "--python", sys.executable, str(home)],
                [uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(pins)],
            ):
                made = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
                assert made.returncode == 0, f"{' '.join(command)} failed:\n{made.stderr}"
            (home / ".complete").touch()
        return python

    return make


@pytest.fixture(scope="session")
def kite_python(sdk_python: SdkPython) -> Path:
    """The interpreter that has the Zerodha SDK."""
    return sdk_python("zerodha")


@pytest.fixture
async def sim() -> AsyncIterator[Sim]:
    """A simulator in this process, on free ports."""
    async with simulator() as running:
        yield running


@pytest.fixture
def scripted_day(sim: Sim) -> ScriptedDay:
    """Runs a driver that plays a whole day with its SDK: `await scripted_day(python, script, *arguments)`.

    The driver prints JSON lines. `{"until": <instant in ms>}` asks that the market (world `w`) moves on to then and
    stands still again; it then reads a line. The last line is its result, which is returned.
    """

    async def play(python: Path, script: Path, *arguments: str, cwd: Path | None = None) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            str(python),
            str(script),
            *arguments,
            env=ENVIRONMENT,
            cwd=cwd,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        errors = asyncio.create_task(process.stderr.read())
        result: dict[str, Any] = {}
        try:
            while line := await asyncio.wait_for(process.stdout.readline(), 90):
                result = json.loads(line)
                if "until" in result:
                    await _move(sim, int(result["until"]))
                    process.stdin.write(b"\n")
                    await process.stdin.drain()
            code = await asyncio.wait_for(process.wait(), 10)
            assert code == 0, (result, (await errors).decode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await errors
        return result

    return play


async def _move(sim: Sim, until: int) -> None:
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= until or view["state"] == "ended")
    await sim.call("POST", "/worlds/w/pause")
