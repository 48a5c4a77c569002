"""SmartAPI's published rate limits, by group of calls; counted per account, whatever its api key.

Where sources differ the lower number counts: 9 order calls a second in place of 20, one quote call in place of 10.
"""

from typing import Final

from algo_simulator.windows import HOUR, MINUTE, SECOND, Rules, Window

_TEN: Final = (Window(SECOND, 10), Window(MINUTE, 500), Window(HOUR, 5_000))
_ONE: Final = (Window(SECOND, 1),)
ORDERS: Final = "orders"
"""Place, modify and cancel together."""
RULES: Final[Rules] = {
    "login": _ONE,
    "tokens": (Window(SECOND, 1), Window(HOUR, 1_000)),
    "profile": (Window(SECOND, 3), Window(HOUR, 1_000)),
    "logout": _ONE,
    "funds": (Window(SECOND, 2),),
    ORDERS: (Window(SECOND, 9), Window(MINUTE, 500), Window(HOUR, 1_000)),
    "order_book": _ONE,
    "trade_book": _ONE,
    "positions": _ONE,
    "holdings": _ONE,
    "all_holdings": _ONE,
    "search": _ONE,
    "ltp": _TEN,
    "convert": _TEN,
    "details": _TEN,
    "margin": _TEN,
    "gtt": _TEN,
    "quote": (Window(SECOND, 1), Window(MINUTE, 500), Window(HOUR, 5_000)),
    "candles": (Window(SECOND, 3), Window(MINUTE, 180), Window(HOUR, 5_000)),
    "other": _TEN,
}
