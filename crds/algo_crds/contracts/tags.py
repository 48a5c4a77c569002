"""The tag of an order: deterministic, parsable without any store, and short enough for every broker.

Layout (16 characters, lower-case base 36): `a`, 8 of the strategy's id hash, 3 of the trading day (days since
2020-01-01), leg letter, 3 of the attempt. Brokers allow 19 to 20. They may change the case, so
compare without it. Attempts count per strategy and trading day over all runs, legs and epochs.
"""

import hashlib
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from algo_crds.contracts.orders import Leg

MARK: Final = "a"
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_EPOCH: Final = date(2020, 1, 1)
_LEG_OF: Final = {"e": Leg.ENTRY, "s": Leg.STOP, "x": Leg.EXIT}
_LETTER_OF: Final = {leg: letter for letter, leg in _LEG_OF.items()}
MAX_ATTEMPT: Final = 36**3 - 1


class Tag(NamedTuple):
    """A parsed tag."""

    strategy_hash: str
    day: date
    leg: Leg
    attempt: int


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def strategy_hash(strategy_id: str) -> str:
    """Eight base-36 characters that stand for a strategy in its orders' tags."""
    return _base36(int.from_bytes(hashlib.sha256(strategy_id.encode()).digest()[:8], "big"), 8)


def make_tag(strategy_hash8: str, day: date, leg: Leg, attempt: int) -> str:
    """The tag of one attempt.

    Raises:
        ValueError: the attempt or the day lies outside the tag's range.
    """
    days = (day - _EPOCH).days
    if not 0 <= attempt <= MAX_ATTEMPT or not 0 <= days < 36**3:
        raise ValueError(f"attempt {attempt} on {day} does not fit a tag")
    return f"{MARK}{strategy_hash8}{_base36(days, 3)}{_LETTER_OF[leg]}{_base36(attempt, 3)}"


@lru_cache(maxsize=4096)
def parse_tag(text: str | None) -> Tag | None:
    """The parts of one of our tags, or None for any other text."""
    if text is None or len(text) != 16 or not text.isascii() or not text.isalnum():
        return None
    tag = text.lower()
    leg = _LEG_OF.get(tag[12])
    if tag[0] != MARK or leg is None:
        return None
    return Tag(tag[1:9], _EPOCH + timedelta(days=int(tag[9:12], 36)), leg, int(tag[13:], 36))
