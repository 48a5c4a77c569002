"""Dhan's published rate limits, by group of calls."""

from typing import Final

from algo_simulator.windows import DAY, HOUR, MINUTE, SECOND, Rules, Window

MODIFICATIONS: Final = 25
"""Changes of one order."""
ORDER: Final = "order"
"""Place, modify and cancel together: the documentation says "Order APIs" only."""
DATA: Final = "data"
QUOTE: Final = "quote"
OTHER: Final = "other"
CONSENT: Final = "consent"
CHAIN: Final = "chain"
RULES: Final[Rules] = {
    ORDER: (Window(SECOND, 10), Window(MINUTE, 250), Window(HOUR, 1_000), Window(DAY, 7_000)),
    DATA: (Window(SECOND, 5), Window(DAY, 100_000)),
    QUOTE: (Window(SECOND, 1),),
    OTHER: (Window(SECOND, 20),),
    CHAIN: (Window(3 * SECOND, 1),),
    CONSENT: (Window(DAY, 25),),
}
