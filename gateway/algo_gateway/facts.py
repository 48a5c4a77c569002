"""The trading day changes while a gateway lives, and so do bands: when each symbol's facts must be read anew.

Brokers publish the day's list and bands in the morning, so facts are read when the day begins and again shortly before
the market opens. A runner is told only what changed.
"""

from collections.abc import Callable
from datetime import date, time
from typing import Final

from algo_crds.contracts.clock import instant, session_date
from algo_crds.contracts.wire import SessionTimes

from algo_gateway.instrument_day import InstrumentDay

BEFORE_OPEN_MS: Final = 600_000
RETRY_MS: Final = 10_000


class FactsWatch:
    """One account's day; all times are session time.

    Args:
        start_day: a trading day begins.
        read_again: have the facts of every symbol read anew; it calls `done` when they are.
    """

    def __init__(self, *, start_day: Callable[[date], None], read_again: Callable[[], None]) -> None:
        self._start_day = start_day
        self._read_again = read_again
        self._day: date | None = None
        self._read_at = 0
        self._tried_at = 0

    def at(self, now: int, open_at: int) -> None:
        """Do what is due; `open_at` is the earliest open of the symbols traded as known so far, 0 if there is none."""
        if not now:
            return
        day = session_date(now)
        if day != self._day:
            if self._day is None:
                self._read_at = now  # a process that starts reads facts with its first runner
            self._day = day
            self._start_day(day)
        due: int = instant(day, time(0))
        if open_at and session_date(open_at) == day and open_at - BEFORE_OPEN_MS <= now:
            due = open_at - BEFORE_OPEN_MS
        if self._read_at < due and now >= self._tried_at + RETRY_MS:
            self._tried_at = now
            self._read_again()

    def done(self, begun_at: int) -> None:
        """A reading that began then has succeeded."""
        self._read_at = max(self._read_at, begun_at)


def is_news(told: InstrumentDay | None, facts: InstrumentDay) -> bool:
    """Whether a runner must be told: not what it knows, and not a band that was lost on the way."""
    if told is None or told == facts:
        return told is None
    same_day = told.session.day == facts.session.day
    return not (same_day and told.instrument.band_high and not facts.instrument.band_high)


def last_send(sent: int, started_at: int, session: SessionTimes) -> int:
    """The last instant at which an order of a strategy may have left for the broker.

    Args:
        sent: this process's last send for it, 0 for none.
        started_at: when this process started: what an earlier one sent in its last moment is not known, and the book
            may not show it yet.
        session: of today; before it opens nothing was sent.
    """
    if sent:
        return sent
    return started_at if session.open and started_at >= session.open else 0
