"""An environment of its own for each official SDK, kept in a cache keyed by its pins, and a simulator for it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from algo_simulator.testing import Sim, simulator

sys.path.insert(0, str(Path(__file__).parent))

import sdk_environment

ENVIRONMENT = {**os.environ, "TZ": "Asia/Kolkata", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
SdkPython = Callable[[str], Path]
ScriptedDay = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="session")
def sdk_python() -> SdkPython:
    """Makes, or finds, the environment of a broker's SDK and returns its interpreter."""
    return sdk_environment.sdk_python


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
