"""Fixtures of the simulator's tests."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from algo_simulator.testing import Sim, simulator


@pytest.fixture
async def sim() -> AsyncIterator[Sim]:
    """A simulator in this process, on free ports."""
    async with simulator() as running:
        yield running


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The data folder (`ALGO_DATA_DIR`, default beside the repository)."""
    root = Path(__file__).resolve().parents[2]
    path = Path(os.environ.get("ALGO_DATA_DIR") or root.parent / "shared" / "data")
    if not (path / "ticks").is_dir():
        pytest.skip(f"no recorded market data at {path}; set ALGO_DATA_DIR")
    return path
