"""What one demo run is asked to do, and the recorded files it may replay."""

import difflib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from algo_market.instruments import instruments_on

_SUFFIXES = (".csv.gz", ".csv")
BROKERS = ("zerodha", "dhan", "fyers", "angelone", "paper")
MAX_UPLOAD = 16 * 1024 * 1024
SYNTHETIC_DAY = "2025-08-01"


class DemoInputError(ValueError):
    """The demo cannot run with these arguments; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """Arguments of one run.

    Times are exchange time `HH:MM:SS`; `speed` bounds the session seconds per wall second, 0 is no bound.
    """

    broker: str = "zerodha"
    symbol: str
    quantity: int
    buy_time: str
    sell_time: str
    stop_percent: Decimal | None = None
    stop_points: Decimal | None = None
    stop_price: Decimal | None = None
    target_percent: Decimal | None = None
    repeat: str = "Once"
    speed: float = 0.0
    seed: int = 1
    ticks: Path | None = None
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recorded file to upload and the session date it belongs to."""

    path: Path
    day: str


def find_recording(ticks: Path, symbol: str) -> Recording:
    """The file of a symbol, from a file or a folder named by its date.

    Raises:
        DemoInputError: no such file, of another symbol, too large, or no date in the path.
    """
    if ticks.is_dir():
        candidates = [ticks / f"{symbol}{suffix}" for suffix in _SUFFIXES]
        path = next((candidate for candidate in candidates if candidate.is_file()), None)
        if path is None:
            known = ", ".join(sorted(p.name.split(".")[0] for p in ticks.iterdir() if p.name.endswith(_SUFFIXES)))
            raise DemoInputError(f"{ticks} has no file for {symbol}; it has: {known or 'nothing'}")
    elif ticks.is_file():
        path = ticks
    else:
        raise DemoInputError(f"--ticks {ticks}: no such file or folder; leave it out for a synthetic session")
    if path.stat().st_size > MAX_UPLOAD:
        raise DemoInputError(f"{path} is larger than 16 MiB, the most that a world takes")
    day = next((part for part in reversed(path.parts[:-1]) if _is_date(part)), None)
    if day is None:
        raise DemoInputError(f"the folder of {path} must be named by the session's date, like 2021-04-12")
    named = path.name.partition(".")[0]
    if named != symbol and any(one.symbol == named for one in instruments_on(date.fromisoformat(day))):
        raise DemoInputError(f"{path} holds the prices of {named}, not of {symbol}; say --symbol {named}")
    return Recording(path=path.resolve(), day=day)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def exchange_of(symbol: str, day: str) -> str:
    """Where a symbol trades on a day at the simulated exchange.

    Raises:
        DemoInputError: nowhere, or it is an index; the message says what may have been meant.
    """
    listed = {one.symbol: one for one in instruments_on(date.fromisoformat(day))}
    found = listed.get(symbol)
    if found is None:
        alike = difflib.get_close_matches(symbol.upper(), listed, n=3) or sorted(listed)
        raise DemoInputError(f"{symbol} does not trade on {day} at the simulated exchange; try {', '.join(alike)}")
    if found.kind == "INDEX":
        raise DemoInputError(f"{symbol} is an index and cannot be traded; trade one of its contracts")
    return found.exchange
