"""Which ticks may trade: the checks of every price before anything looks at it, with exact counts by cause.

On the hot path of every runner, so the cell is a mutable slot object and a good tick costs a few integer comparisons.
A tick that breaks several rules is counted once, under the first cause in the order of `CAUSES`.
"""

from typing import Final

from algo_crds.contracts.wire import Instrument, SessionTimes

CAUSES: Final = (
    "epoch",
    "other_day",
    "out_of_session",
    "backwards",
    "duplicate",
    "out_of_band",
    "not_a_price",
    "wrong_source",
)
_EPOCH_DAY_MS: Final = 86_400_000
_DAY_MS: Final = 86_400_000
_IST_MS: Final = 19_800_000
_NO_LIMIT: Final = 1 << 62


class TickCell:
    """What the checks remember of one symbol on one day."""

    __slots__ = ("accepted", "band_high", "band_low", "close", "newest", "open", "rejected", "same_second", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.open = 0
        self.close = 0
        self.band_low = 1
        self.band_high = _NO_LIMIT
        self.newest = 0
        self.same_second: set[tuple[int, int]] = set()
        self.accepted = 0
        self.rejected: dict[str, int] = {}


def set_day(cell: TickCell, session: SessionTimes, instrument: Instrument) -> None:
    """Point the cell at a trading day; counts go on, order within the day starts anew when the day changed.

    A session that is all zero (no trading) rejects every tick. A band of zero means that none is known.
    """
    if session.open != cell.open:
        cell.newest = 0
        cell.same_second = set()
    cell.open = session.open
    cell.close = session.last_match
    cell.band_low = instrument.band_low or 1
    cell.band_high = instrument.band_high or _NO_LIMIT


def accept(cell: TickCell, price: int, time: int, volume: int, source: str) -> bool:
    """Whether a tick may trade; a refused one is counted and changes nothing else.

    Args:
        price: `Price` units.
        time: exchange time of the tick, whole seconds in ms.
        volume: the day's running total; part of what makes a tick a repeat.
        source: where the tick came from; must be the cell's own.
    """
    if cell.open <= time < cell.close and cell.band_low <= price <= cell.band_high and source == cell.source:
        if time > cell.newest:
            cell.newest = time
            cell.same_second = {(price, volume)}
            cell.accepted += 1
            return True
        if time == cell.newest and (price, volume) not in cell.same_second:
            cell.same_second.add((price, volume))
            cell.accepted += 1
            return True
    cause = cause_of(cell, price, time, volume, source)
    cell.rejected[cause] = cell.rejected.get(cause, 0) + 1
    return False


def cause_of(cell: TickCell, price: int, time: int, volume: int, source: str) -> str:
    """Why a tick does not count: the first broken rule in the order of `CAUSES` (empty when none is broken)."""
    session_day = (cell.open + _IST_MS) // _DAY_MS
    broken = (
        ("epoch", time < _EPOCH_DAY_MS),
        ("other_day", (time + _IST_MS) // _DAY_MS != session_day),
        ("out_of_session", not cell.open <= time < cell.close),
        ("backwards", time < cell.newest),
        ("duplicate", time == cell.newest and (price, volume) in cell.same_second),
        ("out_of_band", price > 0 and not cell.band_low <= price <= cell.band_high),
        ("not_a_price", price <= 0),
        ("wrong_source", source != cell.source),
    )
    return next((cause for cause, is_broken in broken if is_broken), "")
