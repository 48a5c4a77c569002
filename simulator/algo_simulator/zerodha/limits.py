"""Kite's published rate limits, by group of calls."""

from typing import Final

from algo_simulator.windows import DAY, MINUTE, SECOND, Rules, Window

MODIFICATIONS: Final = 25
"""Changes of one order, then cancel and place again."""
RULES: Final[Rules] = {
    "quote": (Window(SECOND, 1),),
    "historical": (Window(SECOND, 3),),
    "order": (Window(SECOND, 10),),
    "other": (Window(SECOND, 10),),
    "placed": (Window(MINUTE, 400), Window(DAY, 5_000)),
}
"""`placed`: orders that reached the broker's checks; changes and cancels are not among them."""
