"""Where recorded market data is found; tests that need it say so when it is absent."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The data folder (`ALGO_DATA_DIR`, default beside the repository)."""
    root = Path(__file__).resolve().parents[2]
    path = Path(os.environ.get("ALGO_DATA_DIR") or root.parent / "shared" / "data")
    if not (path / "ticks").is_dir():
        pytest.skip(f"no recorded market data at {path}; set ALGO_DATA_DIR")
    return path
