"""Angel One's published limits as data, per client account whatever the api key.

Sources: forum, "API rate limits"; a third party's reading of the rate-limit page for the nine order calls a second;
docs for the quote page's one a second and for sockets. No daily cap of orders is published.
"""

from typing import Final

from algo_crds.contracts.constants import SHELL

from algo_brokers.limits import ALL_WRITES, Window, Windows

QUOTES_PER_CALL: Final = 50
MARGIN_ORDERS_PER_CALL: Final = 50
SOCKETS_PER_CLIENT: Final = 3
TOKENS_PER_SESSION: Final = 1_000
"""Token and mode pairs on one market socket."""
DEPTH_TOKENS: Final = 50
ORDERS_PER_SECOND: Final = 9
"""Place, modify and cancel together."""

_SECOND: Final = 1_100
_MINUTE: Final = 61_000
_HOUR: Final = 3_600_000


def _per(second: int, minute: int = 0, hour: int = 0) -> tuple[Window, ...]:
    lengths = ((_SECOND, second), (_MINUTE, minute), (_HOUR, hour))
    return tuple(Window(length_ms=length, limit=limit) for length, limit in lengths if limit)


READS: Final[dict[str, tuple[Window, ...]]] = {
    "login": _per(1),
    "renew": _per(1, hour=1_000),
    "logout": _per(1),
    "profile": _per(3, hour=1_000),
    "funds": _per(2),
    "book": _per(1),
    "trades": _per(1),
    "positions": _per(1),
    "holdings": _per(1),
    "search": _per(1),
    "order": _per(10, 500, 5_000),
    "ltp": _per(10, 500, 5_000),
    "margin": _per(10, 500, 5_000),
    "triggers": _per(10, 500, 5_000),
    # The table says ten, the quote page itself one.
    "quote": _per(1, 500, 5_000),
    # One source says 500 a minute, another 180.
    "historical": _per(3, 180, 5_000),
    "other": _per(1),
}


def windows(orders_per_window: int = SHELL.orders_per_window) -> Windows:
    """Ours for the second (their clock's second is not ours), theirs for the minute and the hour."""
    return Windows(
        writes=(
            Window(length_ms=SHELL.order_window_ms, limit=min(orders_per_window, ORDERS_PER_SECOND), counts=ALL_WRITES),
            Window(length_ms=_MINUTE, limit=500, counts=ALL_WRITES),
            Window(length_ms=_HOUR, limit=1_000, counts=ALL_WRITES),
        ),
        reads=READS,
    )
