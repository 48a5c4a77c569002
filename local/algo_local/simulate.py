"""`algo simulate`: one simulated broker by itself, in a process of its own; no cluster is needed."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn

BROKERS = ("zerodha", "dhan", "fyers", "angelone")
_MODULE = "algo_simulator.alone"
_MAX_PORT = 65_535
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")


class SimulateError(RuntimeError):
    """The simulator cannot be started with these arguments; the message says which and why."""


def command(
    broker: str,
    *,
    port: int | None = None,
    ticks: Path | None = None,
    symbols: Sequence[str] = (),
    speed: float = 1.0,
    day: str | None = None,
    seed: int = 1,
) -> list[str]:
    """The simulator's command line.

    Raises:
        SimulateError: an argument is wrong in itself; whether a recording can be used, the simulator says.
    """
    if broker not in BROKERS:
        raise SimulateError(f"--broker {broker}: it is one of {', '.join(BROKERS)}")
    if ticks is not None and not ticks.exists():
        raise SimulateError(f"--ticks {ticks}: no such file or folder; leave it out for a synthetic session")
    if day is not None and not _is_day(day):
        raise SimulateError(f"--date {day}: write it as YYYY-MM-DD")
    if port is not None and not 0 <= port <= _MAX_PORT:
        raise SimulateError(f"--port {port}: it is a number from 1 to {_MAX_PORT}, or 0 for a free one")
    words = [sys.executable, "-m", _MODULE, f"--broker={broker}", f"--speed={speed:g}", f"--seed={seed}"]
    words += [f"--symbol={symbol}" for symbol in symbols]
    given = {"port": port, "ticks": ticks, "date": day}
    return words + [f"--{name}={value}" for name, value in given.items() if value is not None]


def replace_process(words: Sequence[str]) -> NoReturn:
    """Become the simulator: terminal and signals are its own.

    Raises:
        SimulateError: the simulator is not installed beside this command.
    """
    if importlib.util.find_spec(_MODULE.partition(".")[0]) is None:
        raise SimulateError("the simulator is not installed here; run `uv sync --all-packages` in the repository")
    sys.stdout.flush()
    os.execv(words[0], list(words))  # noqa: S606 - this interpreter with arguments that were checked


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.match(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False
