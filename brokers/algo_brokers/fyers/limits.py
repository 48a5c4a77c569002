"""Fyers' published limits as data (docs v3 and regulatory notes of April 2026).

Ten requests a second, 200 a minute and 100 000 a day for the whole user: orders, reads and history alike. Beyond ten
a second comes 429; the fourth breach of the minute's limit blocks the account for the rest of the day. The windows
therefore share one budget between writes and reads.
"""

from typing import Final

from algo_crds.contracts.constants import SHELL

from algo_brokers.limits import Window, Windows

PER_SECOND: Final = 10
PER_MINUTE: Final = 200
PER_DAY: Final = 100_000

QUOTES_PER_CALL: Final = 50
DEPTHS_INSTEAD: Final = 3
"""Up to so many quotes are read as depth, one call each: only that answer has the band and the trade's time."""
CALL_PAUSE_S: Final = 0.55
"""Between the calls of one read that takes several: two a second, as the window of reads has it."""
MINUTE_DAYS_PER_CALL: Final = 100
DAY_DAYS_PER_CALL: Final = 366

TOKENS_PER_MESSAGE: Final = 1_500
TOKENS_PER_CONNECTION: Final = 5_000
MESSAGE_GAP_S: Final = 0.5
"""Between two subscription messages."""

_MINUTE_MS: Final = 61_000
_DAY_MS: Final = 86_400_000
_READS_PER_SECOND: Final = 2
_WRITES_PER_MINUTE: Final = 120
_WRITES_PER_DAY: Final = 50_000

READS: Final[dict[str, tuple[Window, ...]]] = {
    "other": (
        Window(length_ms=SHELL.order_window_ms, limit=_READS_PER_SECOND),
        Window(length_ms=_MINUTE_MS, limit=PER_MINUTE - _WRITES_PER_MINUTE),
        Window(length_ms=_DAY_MS, limit=PER_DAY - _WRITES_PER_DAY),
    ),
}
"""Every endpoint is in the one group: Fyers counts them together."""


def windows(orders_per_window: int = SHELL.orders_per_window) -> Windows:
    """Places, changes and cancels count alike, in every window. However many orders an account is given, what reads
    need of a second is kept."""
    orders = min(orders_per_window, PER_SECOND - _READS_PER_SECOND)
    return Windows(
        writes=(
            Window(length_ms=SHELL.order_window_ms, limit=orders),
            Window(length_ms=_MINUTE_MS, limit=_WRITES_PER_MINUTE),
            Window(length_ms=_DAY_MS, limit=_WRITES_PER_DAY),
        ),
        reads=READS,
    )
