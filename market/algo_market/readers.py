"""Recorded market data, read as it was recorded: two tick layouts and two bar layouts, plain or gzip.

The layout is told by the header line. A recording keeps every row in file order (the feed replays it so); `cleaned`
gives what a market really traded: in session, sorted, no repeats. Columns and quirks: the data folder's README.
"""

import gzip
import re
import zlib
from array import array
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
from algo_crds.contracts.clock import session_date

from algo_market.row_parsers import PARSERS, BadRowError, RowParser, Trade

MAX_BYTES: Final = 64 * 1024 * 1024
"""Largest recording after decompression."""
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ISO_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAMED: Final = 12
"""How many names of what a folder has instead are told."""


class BadRecordingError(ValueError):
    """The file is no recording: unknown header, broken gzip, too large or without a row."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one symbol, in file order. Columns: time (instant, ms), price (`Price`), volume (day's total)."""

    name: str
    day: date
    """The session's date: the folder's name, else that of the first row."""
    layout: str
    times: "array[int]"
    prices: "array[int]"
    volumes: "array[int]"

    def rows(self) -> Iterator[Trade]:
        """Every row as recorded."""
        return map(Trade, self.times, self.prices, self.volumes)

    def __len__(self) -> int:
        return len(self.times)


def unpack(raw: bytes, limit: int = MAX_BYTES) -> bytes:
    """Plain bytes of a plain or gzip file.

    Raises:
        BadRecordingError: broken gzip, or larger than `limit`.
    """
    if not raw.startswith(_GZIP_MAGIC):
        if len(raw) > limit:
            raise BadRecordingError(f"the recording is larger than {limit} bytes")
        return raw
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = stream.decompress(raw, limit + 1)
    except zlib.error as error:
        raise BadRecordingError(f"the gzip file is broken: {error}") from error
    if len(plain) > limit:
        raise BadRecordingError(f"the recording is larger than {limit} bytes once unpacked")
    if not stream.eof:
        raise BadRecordingError("the gzip file is cut off")
    if stream.unused_data:
        try:
            plain = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise BadRecordingError(f"the gzip file is broken: {error}") from error
        if len(plain) > limit:
            raise BadRecordingError(f"the recording is larger than {limit} bytes once unpacked")
    return plain


def parse_recording(raw: bytes, *, name: str, day: date | None = None) -> Recording:
    """Read a recording of any known layout.

    Args:
        name: what errors call it.
        day: the session's date; default: that of the first row.

    Raises:
        BadRecordingError: not a recording.
        BadRowError: a row cannot be read; names its line.
    """
    try:
        lines = unpack(raw).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadRecordingError(f"{name}: not a text file (byte {error.start})") from error
    header = lines[0].strip() if lines else ""
    make = PARSERS.get(header)
    if make is None:
        known = "; ".join(PARSERS)
        raise BadRecordingError(f"{name}: unknown header {header[:80]!r}; known layouts: {known}")
    parser = make()
    times, prices, volumes = _columns(lines, name, parser)
    if not times:
        raise BadRecordingError(f"{name}: no row after the header")
    return Recording(
        name=name,
        day=day or session_date(times[0]),
        layout=parser.layout,
        times=times,
        prices=prices,
        volumes=volumes,
    )


def _columns(lines: list[str], name: str, parser: RowParser) -> tuple["array[int]", "array[int]", "array[int]"]:
    times, prices, volumes = array("q"), array("q"), array("q")
    parse: Callable[[str], tuple[Trade, ...]] = parser.parse
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        try:
            trades = parse(line)
            for at, price, volume in trades:
                times.append(at)
                prices.append(price)
                volumes.append(volume)
        except (ValueError, IndexError, OverflowError) as error:
            raise BadRowError(name, number, line, str(error)) from error
    return times, prices, volumes


def read_recording(path: Path, symbol: str | None = None, *, max_bytes: int = MAX_BYTES) -> Recording:
    """Read a file, or `<folder>/<symbol>.csv[.gz]`; a folder named by a date gives the session's date.

    Raises:
        FileNotFoundError: no such file, or the folder has none of that symbol.
        BadRecordingError, BadRowError: as `parse_recording`.
    """
    file = find_recording(path, symbol)
    if file.stat().st_size > max_bytes:
        raise BadRecordingError(f"{file.name}: larger than {max_bytes} bytes")
    try:
        day = date.fromisoformat(file.parent.name)
    except ValueError:
        day = None
    return parse_recording(file.read_bytes(), name=file.name, day=day)


def find_recording(path: Path, symbol: str | None = None) -> Path:
    """The file of a symbol: the path itself when it is a file.

    Raises:
        FileNotFoundError: there is none.
    """
    if path.is_file():
        return path
    candidates = [path / f"{symbol}.csv.gz", path / f"{symbol}.csv"] if symbol else sorted(path.glob("*.csv*"))
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        raise FileNotFoundError(
            f"no recording of {symbol or 'any symbol'} in {path}; expected {symbol or '*'}.csv[.gz]{_there_is(path)}"
        )
    return found


def _there_is(folder: Path) -> str:
    """What a folder has instead: recordings, or folders of days."""
    if not folder.is_dir():
        return ""
    names = sorted({one.name.partition(".")[0] for one in folder.glob("*.csv*")} or _days(folder))
    return f"; there is {', '.join(names[:_NAMED])}{' ...' if len(names) > _NAMED else ''}" if names else ""


def _days(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir() if one.is_dir() and _ISO_DAY.fullmatch(one.name)}


def cleaned(recording: Recording, *, opens: int, closes: int) -> list[Trade]:
    """What the market traded: rows of the session `opens <= time < closes` with a price, by time, without repeats.

    Rows of one second keep their order of arrival; a repeat is the same second, price and day volume.
    """
    rows = [row for row in recording.rows() if opens <= row.time < closes and row.price > 0]
    rows.sort(key=_time_of)
    seen: set[Trade] = set()
    kept: list[Trade] = []
    second = -1
    for row in rows:
        if row.time != second:
            second = row.time
            seen.clear()
        if row not in seen:
            seen.add(row)
            kept.append(row)
    return kept


def _time_of(row: Trade) -> int:
    return row.time
