"""A paper account is paced like a real one, so that what works on paper works live."""

from algo_crds.contracts.constants import SHELL

from algo_brokers.limits import Window, Windows


def windows(orders_per_window: int = SHELL.orders_per_window) -> Windows:
    """The window of the second only; nothing else is counted."""
    return Windows(writes=(Window(length_ms=SHELL.order_window_ms, limit=orders_per_window),), reads={})
