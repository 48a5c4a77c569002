"""What one demo run is asked to do, and whether it can be done; checked before anything is made in a cluster."""

import difflib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from algo_crds.contracts.clock import parse_time
from algo_market.instruments import DayInstrument, instruments_on

from algo_local.demo.recordings import DemoInputError, check_recording, find_recording

BROKERS = ("zerodha", "dhan", "fyers", "angelone", "paper")
MAX_SPEED = 1_000_000
"""The simulator takes less than this."""
_HUNDRED = Decimal(100)
SYNTHETIC_DAY = "2025-08-01"


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


def instrument_of(symbol: str, day: str) -> DayInstrument:
    """A symbol as it trades on a day at the simulated exchange.

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
    return found


def check_options(options: DemoOptions) -> None:
    """Whether the run can be asked for, its recording included.

    Raises:
        DemoInputError: not; names the option and what it may be.
    """
    _check_levels(options)
    if _time(options.buy_time, "--buy-time") >= _time(options.sell_time, "--sell-time"):
        raise DemoInputError(f"--buy-time {options.buy_time} must be before --sell-time {options.sell_time}")
    if not 0 <= options.speed < MAX_SPEED:
        raise DemoInputError(f"--speed {options.speed}: it is 0 (as fast as it goes) or less than {MAX_SPEED}")
    recording = find_recording(options.ticks, options.symbol) if options.ticks else None
    lot = instrument_of(options.symbol, recording.day if recording else SYNTHETIC_DAY).lot
    if options.quantity < 1 or options.quantity % lot:
        raise DemoInputError(f"--quantity {options.quantity}: {options.symbol} trades in multiples of {lot}")
    if recording:
        check_recording(recording, options.symbol)


def _check_levels(options: DemoOptions) -> None:
    stops = {
        "--stop-percent": options.stop_percent,
        "--stop-points": options.stop_points,
        "--stop-price": options.stop_price,
    }
    given = {name: amount for name, amount in stops.items() if amount is not None}
    if len(given) != 1:
        raise DemoInputError(f"give one of {', '.join(stops)}; given: {', '.join(given) or 'none'}")
    for name, amount in (given | {"--target-percent": options.target_percent}).items():
        if amount is not None and not (amount.is_finite() and amount > 0):
            raise DemoInputError(f"{name} {amount}: it must be a number above 0")
    if options.stop_percent is not None and options.stop_percent >= _HUNDRED:
        raise DemoInputError(f"--stop-percent {options.stop_percent}: it must be below 100")


def _time(text: str, option: str) -> str:
    try:
        return parse_time(text).isoformat()
    except ValueError:
        raise DemoInputError(f"{option} {text}: it is a time of the exchange, HH:MM:SS") from None
