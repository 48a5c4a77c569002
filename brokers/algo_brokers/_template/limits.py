"""The broker's published limits as data. Say where they come from and of what day they are."""

from typing import Final

from algo_crds.contracts.constants import SHELL

from algo_brokers.limits import ALL_WRITES, Window, Windows

QUOTES_PER_CALL: Final = 1
LTP_PER_CALL: Final = 1
TOKENS_PER_CONNECTION: Final = 1

READS: Final[dict[str, tuple[Window, ...]]] = {"other": (Window(length_ms=1_100, limit=1),)}


def windows(orders_per_window: int = SHELL.orders_per_window) -> Windows:
    """Ours for the second; add the broker's own for the minute and the day, with what counts in each."""
    second = Window(length_ms=SHELL.order_window_ms, limit=orders_per_window, counts=ALL_WRITES)
    return Windows(writes=(second,), reads=READS)
