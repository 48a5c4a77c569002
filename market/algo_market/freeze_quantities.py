"""The largest quantity of one order in a derivative, by underlying: NSE's monthly file, which few brokers pass on.

The file is CSV with a serial number, the symbol and the quantity, each padded with blanks. Source: recorded file.
"""

import csv
import io
from typing import Final

_COLUMNS: Final = ("SYMBOL", "VOL_FRZ_QTY")


class FreezeFileError(ValueError):
    """The file is not what it was; the message names the line."""


def parse_freeze_quantities(text: bytes) -> dict[str, int]:
    """Freeze quantities by underlying.

    Raises:
        FreezeFileError: a column is missing, a line cannot be read, or an underlying stands there twice with two
            quantities; then the whole file is refused, because a limit that is too high is worse than none.
    """
    try:
        rows = csv.reader(io.StringIO(text.decode("utf-8-sig")), strict=True)
        header = [name.strip() for name in next(rows, [])]
        missing = [name for name in _COLUMNS if name not in header]
        if missing:
            raise FreezeFileError(f"the freeze quantities lack {', '.join(missing)}")
        places = [header.index(name) for name in _COLUMNS]
        found: dict[str, int] = {}
        for number, row in enumerate(rows, start=2):
            if any(cell.strip() for cell in row):
                symbol, quantity = _line(row, places, number)
                if found.setdefault(symbol, quantity) != quantity:
                    raise FreezeFileError(f"line {number}: {symbol} has two freeze quantities")
    except (csv.Error, UnicodeDecodeError) as error:
        raise FreezeFileError(f"the freeze quantities cannot be read: {error}") from None
    return found


def _line(row: list[str], places: list[int], number: int) -> tuple[str, int]:
    if len(row) <= max(places):
        raise FreezeFileError(f"line {number} has {len(row)} columns")
    symbol, text = (row[place].strip() for place in places)
    if not symbol or not (text.isascii() and text.isdecimal()) or int(text) <= 0:
        raise FreezeFileError(f"line {number}: {symbol!r} has no freeze quantity but {text!r}")
    return symbol, int(text)
