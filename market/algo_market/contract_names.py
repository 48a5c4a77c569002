"""The platform's one name of an instrument, whatever its broker calls it.

Shares are named as at the exchange: the symbol alone in the normal series, `SYMBOL-SERIES` otherwise. Derivatives carry
underlying, expiry, strike and kind in the form that the exchange's members display: monthly `NIFTY26JANFUT`,
`NIFTY26JAN24500CE`; weekly `NIFTY2610624500CE` (year, month as one character, day). Indices have the exchange's names.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final

from algo_crds.contracts.money import format_price

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEK_MONTHS: Final = "123456789OND"
NORMAL_SERIES: Final = frozenset({"EQ", ""})
"""Series whose shares carry no suffix."""

_INDICES: Final = {
    "NIFTY50": "NIFTY 50",
    "NIFTY": "NIFTY 50",
    "NIFTYBANK": "NIFTY BANK",
    "BANKNIFTY": "NIFTY BANK",
    "FINNIFTY": "NIFTY FIN SERVICE",
    "NIFTYFINSERVICE": "NIFTY FIN SERVICE",
    "MIDCPNIFTY": "NIFTY MID SELECT",
    "NIFTYMIDSELECT": "NIFTY MID SELECT",
    "NIFTYMIDCAPSELECT": "NIFTY MID SELECT",
    "NIFTYNXT50": "NIFTY NEXT 50",
    "NIFTYNEXT50": "NIFTY NEXT 50",
    "INDIAVIX": "INDIA VIX",
}


def share_symbol(symbol: str, series: str) -> str:
    """A share's name: `RELIANCE`, `CENTRALBK-BE`."""
    return symbol if series in NORMAL_SERIES else f"{symbol}-{series}"


def index_symbol(name: str) -> str:
    """An index's name, from any broker's spelling; one that is not known keeps the broker's."""
    key = name.upper().removesuffix("-INDEX").replace(" ", "").replace("-", "")
    return _INDICES.get(key, name)


def derivative_symbol(underlying: str, expiry: date, kind: str, *, strike: int = 0, monthly: bool = True) -> str:
    """A future's or an option's name.

    Args:
        kind: `FUT`, `CE` or `PE`.
        strike: in 1/10 000 rupee; not used for a future.
        monthly: whether the expiry is the last of its month for this underlying.
    """
    month = _MONTHS[expiry.month - 1] if monthly else f"{_WEEK_MONTHS[expiry.month - 1]}{expiry.day:02}"
    if kind == "FUT":
        return f"{underlying}{expiry:%y}{month}FUT"
    text = format_price(strike)
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{underlying}{expiry:%y}{month}{plain}{kind}"


def monthly_expiries(expiries: Iterable[tuple[str, date]]) -> frozenset[tuple[str, date]]:
    """Those (underlying, expiry) pairs that are the last of their month in a list."""
    last: dict[tuple[str, int, int], date] = defaultdict(lambda: date.min)
    for underlying, expiry in expiries:
        key = (underlying, expiry.year, expiry.month)
        last[key] = max(last[key], expiry)
    return frozenset((underlying, expiry) for (underlying, _, _), expiry in last.items())
