"""Sliding windows over a broker's published limits, with a share kept for exits. Pure: time is an argument.

Limits are data of the adapter (`zerodha/limits.py`). Several windows apply at once; a call must fit into all of them.
The two lower classes (trailing, entries) see windows that are smaller by the exit share, so that however busy the
entries are, an exit finds room.
"""

from collections import deque
from enum import StrEnum
from typing import Final

import msgspec

BURST_MS: Final = 5_000
"""Windows up to this length pace calls; longer ones are budgets."""


class Write(StrEnum):
    """Kinds of order calls, because brokers count them differently."""

    PLACE = "place"
    MODIFY = "modify"
    CANCEL = "cancel"


ALL_WRITES: Final = frozenset(Write)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """At most `limit` calls of the given kinds in any `length_ms`."""

    length_ms: int
    limit: int
    counts: frozenset[Write] = ALL_WRITES


class Windows(msgspec.Struct, frozen=True, kw_only=True):
    """All published limits of a broker. Reads are by endpoint group; the group `other` is for what is not named."""

    writes: tuple[Window, ...]
    reads: dict[str, tuple[Window, ...]]
    shared: dict[str, str] = {}
    """Groups that count in another group's windows: last prices in those of quotes, where both are one family."""


class Limiter:
    """What was sent lately, against the windows. Times in ms of session time."""

    __slots__ = ("_share", "_used", "_windows")

    def __init__(self, windows: tuple[Window, ...], *, exit_share_percent: int) -> None:
        """All windows empty."""
        self._windows = windows
        self._share = exit_share_percent
        self._used: list[deque[int]] = [deque() for _ in windows]

    def _limit(self, window: Window, *, exits: bool) -> int:
        if exits:
            return window.limit
        return max(1, window.limit * (100 - self._share) // 100)

    def _forget(self, now: int) -> None:
        for window, used in zip(self._windows, self._used, strict=True):
            while used and used[0] <= now - window.length_ms:
                used.popleft()

    def free_at(self, now: int, write: Write, *, exits: bool, places: int = 1) -> int:
        """The earliest instant at which `places` calls fit into every window; `now` if they fit already."""
        self._forget(now)
        earliest = now
        for window, used in zip(self._windows, self._used, strict=True):
            over = len(used) + places - max(self._limit(window, exits=exits), places)
            if write in window.counts and over > 0:
                earliest = max(earliest, used[over - 1] + window.length_ms)
        return earliest

    def take(self, now: int, write: Write, *, held_for_stop: int = 0) -> None:
        """Count one call; `held_for_stop` more places are kept in the burst windows for the stop that must follow."""
        self._forget(now)
        for window, used in zip(self._windows, self._used, strict=True):
            if write in window.counts:
                used.append(now)
                if window.length_ms <= BURST_MS:
                    used.extend([now] * held_for_stop)

    def exit_budget(self, now: int, *, positions: int) -> bool:
        """Whether an entry with its stop still leaves every position (the new one too) one exit in every budget."""
        self._forget(now)
        return all(
            window.limit - len(used) - 2 >= positions + 1
            for window, used in zip(self._windows, self._used, strict=True)
            if window.length_ms > BURST_MS and Write.PLACE in window.counts
        )

    def rebuild(self, now: int, times: list[int], *, unseen: int = 0) -> None:
        """Start from the book after a restart: `times` of today's orders, and `unseen` calls that may have been made
        a moment ago (rounded up)."""
        ordered = sorted(min(time, now) for time in times) + [now] * unseen
        for index, window in enumerate(self._windows):
            self._used[index] = deque(ordered if Write.PLACE in window.counts else ())
        self._forget(now)

    def used(self, now: int) -> dict[int, int]:
        """Calls counted per window length, for metrics."""
        self._forget(now)
        return {window.length_ms: len(used) for window, used in zip(self._windows, self._used, strict=True)}
