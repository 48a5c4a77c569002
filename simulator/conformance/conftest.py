"""An environment of its own for each official SDK, kept in a cache keyed by its pins, and a simulator for it."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
from algo_simulator.testing import Sim, simulator


def sdk_python(name: str, folder: str) -> Path:
    """The interpreter of an environment that holds one unmodified SDK and nothing of ours."""
    pins = HERE / folder / "requirements.txt"
    key = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "algo-trading" / "sdk"
    home = cache / f"{name}-{key}"
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


@pytest.fixture(scope="session")
def kite_python() -> Path:
    """The interpreter of `kiteconnect`."""
    return sdk_python("kiteconnect", "zerodha")


@pytest.fixture(scope="session")
def fyers_python() -> Path:
    """The interpreter of `fyers-apiv3`."""
    return sdk_python("fyers-apiv3", "fyers")


@pytest.fixture
async def sim() -> AsyncIterator[Sim]:
    """A simulator in this process, on free ports."""
    async with simulator() as running:
        yield running
