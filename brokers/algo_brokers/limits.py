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


class _Used(msgspec.Struct, kw_only=True):
    """One window and what was sent in it; mutable. Kinds are a tuple, because looking into a set asks an enum's member
    for its hash, which is a call of Python code on the way of every order."""

    length_ms: int
    limit: int
    low_limit: int
    """What the lower classes see of it."""
    counts: tuple[Write, ...]
    times: deque[int]

    def forget(self, now: int) -> None:
        times, begin = self.times, now - self.length_ms
        while times and times[0] <= begin:
            times.popleft()


class Limiter:
    """What was sent lately, against the windows. Times in ms of session time."""

    __slots__ = ("_windows",)

    def __init__(self, windows: tuple[Window, ...], *, exit_share_percent: int) -> None:
        """All windows empty."""
        self._windows = tuple(
            _Used(
                length_ms=window.length_ms,
                limit=window.limit,
                low_limit=max(1, window.limit * (100 - exit_share_percent) // 100),
                counts=tuple(sorted(window.counts)),
                times=deque(),
            )
            for window in windows
        )

    def free_at(self, now: int, write: Write, *, exits: bool, places: int = 1) -> int:
        """The earliest instant at which `places` calls fit into every window; `now` if they fit already."""
        earliest = now
        for window in self._windows:
            window.forget(now)
            if write not in window.counts:
                continue
            over = len(window.times) + places - max(window.limit if exits else window.low_limit, places)
            if over > 0:
                earliest = max(earliest, window.times[over - 1] + window.length_ms)
        return earliest

    def take(self, now: int, write: Write, *, held_for_stop: int = 0) -> None:
        """Count one call; `held_for_stop` more places are kept in the burst windows for the stop that must follow."""
        for window in self._windows:
            window.forget(now)
            if write in window.counts:
                window.times.append(now)
                if held_for_stop and window.length_ms <= BURST_MS:
                    window.times.extend([now] * held_for_stop)

    def exit_budget(self, now: int, *, positions: int) -> bool:
        """Whether an entry with its stop still leaves every position (the new one too) one exit in every budget."""
        for window in self._windows:
            window.forget(now)
        return all(
            window.limit - len(window.times) - 2 >= positions + 1
            for window in self._windows
            if window.length_ms > BURST_MS and Write.PLACE in window.counts
        )

    def rebuild(self, now: int, times: list[int], *, unseen: int = 0) -> None:
        """Start from the book after a restart: `times` of today's orders, and `unseen` calls that may have been made
        a moment ago (rounded up)."""
        ordered = sorted(min(time, now) for time in times) + [now] * unseen
        for window in self._windows:
            window.times = deque(ordered if Write.PLACE in window.counts else ())
            window.forget(now)

    def used(self, now: int) -> dict[int, int]:
        """Calls counted per window length, for metrics."""
        for window in self._windows:
            window.forget(now)
        return {window.length_ms: len(window.times) for window in self._windows}
