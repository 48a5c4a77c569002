"""For the tests of every package: Hypothesis judges what happens, never how long it takes on a busy machine; and what
reads recorded market data is left out, with one visible line, where there is none.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

DATA = Path(os.environ.get("ALGO_DATA_DIR") or Path(__file__).resolve().parent.parent / "shared" / "data")
_LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without recorded data its tests are left out; the synthetic session stands in where a test can do with it."""
    if (DATA / "ticks").is_dir():
        return
    reading = [item for item in items if item.get_closest_marker("data") is not None]
    config.stash[_LEFT_OUT] = len(reading)
    if reading:
        config.hook.pytest_deselected(items=reading)
        items[:] = [item for item in items if item not in reading]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says how many tests were left out."""
    if left_out := config.stash.get(_LEFT_OUT, 0):
        terminalreporter.write_line(
            f"NOTE: no recorded market data at {DATA}: {left_out} tests of recordings left out; set ALGO_DATA_DIR"
        )
