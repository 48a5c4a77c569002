"""Dhan's published limits as data (DhanHQ v2 docs, introduction; per user, not per app).

The docs portal prints some limits of the day swapped; these are the table of the API's own introduction page.
"""

from typing import Final

from algo_crds.contracts.constants import SHELL

from algo_brokers.limits import ALL_WRITES, Window, Windows

QUOTES_PER_CALL: Final = 1_000
INSTRUMENTS_PER_MESSAGE: Final = 100
INSTRUMENTS_PER_CONNECTION: Final = 5_000
CONNECTIONS: Final = 5
MODIFICATIONS_PER_ORDER: Final = 25
QUOTE_PAUSE_S: Final = 1.1
"""Between the calls of one read that takes several."""
BARS_PAUSE_S: Final = 0.25
MINUTE_BAR_DAYS: Final = 90
"""Days of intraday bars in one call."""
TOKEN_EVERY_S: Final = 130
"""One token in two minutes; with room for the difference of clocks."""
COOL_OFF_S: Final = 60.0
"""After a handshake answered with 429, and after a connection ended with 805."""

READS: Final[dict[str, tuple[Window, ...]]] = {
    "quote": (Window(length_ms=1_100, limit=1),),
    "historical": (Window(length_ms=1_100, limit=5), Window(length_ms=86_400_000, limit=100_000)),
    "other": (Window(length_ms=1_100, limit=20),),
}


def windows(orders_per_window: int = SHELL.orders_per_window) -> Windows:
    """Ours for the second (their clock's calendar second is not ours), theirs for minute, hour and day. The docs say
    "order APIs", so changes and cancels are counted in all of them."""
    return Windows(
        writes=(
            Window(length_ms=SHELL.order_window_ms, limit=min(orders_per_window, 10), counts=ALL_WRITES),
            Window(length_ms=61_000, limit=250, counts=ALL_WRITES),
            Window(length_ms=3_601_000, limit=1_000, counts=ALL_WRITES),
            Window(length_ms=86_400_000, limit=7_000, counts=ALL_WRITES),
        ),
        reads=READS,
        shared={"ltp": "quote"},
    )
