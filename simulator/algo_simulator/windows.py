"""Counting calls into windows of time: second, minute, hour, day. The caps are each broker's own (data, not code)."""

from collections.abc import Mapping
from typing import Final, NamedTuple

SECOND: Final = 1_000
MINUTE: Final = 60_000
HOUR: Final = 3_600_000
DAY: Final = 86_400_000
_IST_OFFSET: Final = 19_800_000


class Window(NamedTuple):
    """At most `cap` calls in each calendar window of `length` ms (days begin at midnight in India)."""

    length: int
    cap: int


Rules = Mapping[str, tuple[Window, ...]]
"""The windows of each group of calls; a group without an entry is not limited."""


class Windows:
    """The counts of one account."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._counts: dict[tuple[str, int], tuple[int, int]] = {}

    def take(self, group: str, now: int) -> Window | None:
        """Count a call of a group; the window whose cap it exceeds, if any.

        Calls over a cap count as well.

        Args:
            now: milliseconds; of one clock for all calls (`Clock.limit_clock`).
        """
        over: Window | None = None
        for window in self._rules.get(group, ()):
            begun = (now + _IST_OFFSET) // window.length
            since, calls = self._counts.get((group, window.length), (begun, 0))
            calls = calls + 1 if since == begun else 1
            self._counts[group, window.length] = (begun, calls)
            if calls > window.cap and over is None:
                over = window
        return over

    def left_ms(self, window: Window, now: int) -> int:
        """How long the window goes on (for `Retry-After`)."""
        return window.length - (now + _IST_OFFSET) % window.length
