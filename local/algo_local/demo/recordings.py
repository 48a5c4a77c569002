"""The recorded file that a demo replays: found, of the right symbol, readable; all before anything is made."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from algo_market.instruments import instruments_on
from algo_market.readers import BadRecordingError, parse_recording, unpack
from algo_market.row_parsers import BadRowError
from algo_market.sessions import day_start

_SUFFIXES = (".csv.gz", ".csv")
_NAMED_ROWS = "symbol,"
"""How the header begins of a layout whose rows name their symbol, in the way of Fyers: `NSE:TCS-EQ`."""
_INDEX_NAMES = {"NIFTY50": "NIFTY", "NIFTYBANK": "BANKNIFTY"}
_DAY_MS = 86_400_000
MAX_UPLOAD = 16 * 1024 * 1024


class DemoInputError(ValueError):
    """The demo cannot run with these arguments; the message says which and why."""


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
    path = _file_of(ticks, symbol)
    if path.stat().st_size > MAX_UPLOAD:
        raise DemoInputError(f"{path} is larger than 16 MiB, the most that a world takes")
    day = next((part for part in reversed(path.resolve().parts[:-1]) if _is_date(part)), None)
    if day is None:
        raise DemoInputError(f"the folder of {path} must be named by the session's date, like 2021-04-12")
    named = path.name.partition(".")[0]
    if named != symbol and any(one.symbol == named for one in instruments_on(date.fromisoformat(day))):
        raise DemoInputError(f"{path} holds the prices of {named}, not of {symbol}; say --symbol {named}")
    return Recording(path=path.resolve(), day=day)


def _file_of(ticks: Path, symbol: str) -> Path:
    if ticks.is_file():
        return ticks
    if not ticks.is_dir():
        raise DemoInputError(f"--ticks {ticks}: no such file or folder; leave it out for a synthetic session")
    candidates = [ticks / f"{symbol}{suffix}" for suffix in _SUFFIXES]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        known = ", ".join(sorted(one.name.split(".")[0] for one in ticks.iterdir() if one.name.endswith(_SUFFIXES)))
        days = ", ".join(sorted(one.name for one in ticks.iterdir() if one.is_dir() and _is_date(one.name)))
        hint = f"; it has the days {days}: name one of them" if days else ""
        raise DemoInputError(f"{ticks} has no file for {symbol}; it has: {known or 'nothing'}{hint}")
    return path


def check_recording(recording: Recording, symbol: str) -> None:
    """Read the file as the simulated exchange will.

    Raises:
        DemoInputError: it cannot be read, its rows are of another symbol, or none is of the session's day.
    """
    path = recording.path
    try:
        raw = unpack(path.read_bytes())
        rows = parse_recording(raw, name=path.name, day=date.fromisoformat(recording.day))
    except OSError as error:
        raise DemoInputError(f"{path} cannot be read: {error.strerror}") from error
    except BadRowError as error:
        raise DemoInputError(str(error)) from error
    except BadRecordingError as error:
        raise DemoInputError(f"{path} is no recording: {error}") from error
    others = sorted(_symbols_in(raw) - {symbol})
    if others:
        hint = f"; say --symbol {others[0]}" if len(others) == 1 else ""
        raise DemoInputError(f"the rows of {path} are of {', '.join(others[:3])}, not of {symbol}{hint}")
    start = day_start(rows.day)
    if not any(start <= at < start + _DAY_MS for at in rows.times):
        raise DemoInputError(f"{path} has no row of {recording.day}, the day that its folder is named by")


def _symbols_in(raw: bytes) -> set[str]:
    """The symbols that the rows name, in our spelling; empty for a layout without one."""
    lines = raw.decode("utf-8-sig").splitlines()
    if not lines[0].startswith(_NAMED_ROWS):
        return set()
    return {_plain(cell) for cell in {line.partition(",")[0] for line in lines[1:] if line}}


def _plain(named: str) -> str:
    symbol = named.rpartition(":")[2].removesuffix("-EQ").removesuffix("-INDEX")
    return _INDEX_NAMES.get(symbol, symbol)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
