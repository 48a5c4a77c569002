"""Zerodha's published limits as data (Kite Connect docs, exceptions; July 2026)."""

from typing import Final

from algo_crds.contracts.constants import SHELL

from algo_brokers.limits import ALL_WRITES, Window, Windows, Write

QUOTES_PER_CALL: Final = 500
LTP_PER_CALL: Final = 1_000
TOKENS_PER_MESSAGE: Final = 200
TOKENS_PER_CONNECTION: Final = 3_000

READS: Final[dict[str, tuple[Window, ...]]] = {
    "quote": (Window(length_ms=1_100, limit=1),),
    "historical": (Window(length_ms=1_100, limit=3),),
    "other": (Window(length_ms=1_100, limit=10),),
}


def windows(orders_per_window: int = SHELL.orders_per_window) -> Windows:
    """Ours for the second (their clock's calendar second is not ours), theirs for the minute and the day. Changes and
    cancels count for the second and, to be safe, for the minute; the day counts placements only."""
    return Windows(
        writes=(
            Window(length_ms=SHELL.order_window_ms, limit=orders_per_window, counts=ALL_WRITES),
            Window(length_ms=61_000, limit=400, counts=ALL_WRITES),
            Window(length_ms=86_400_000, limit=5_000, counts=frozenset({Write.PLACE})),
        ),
        reads=READS,
    )
