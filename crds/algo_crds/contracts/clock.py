"""Instants and the exchange's time zone.

An `Instant` is an integer of milliseconds since the Unix epoch, in *session time*: the wall clock for a real broker,
the recorded market's own time in a replay. It is always passed in; nothing that trades reads a clock.
"""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import NewType

Instant = NewType("Instant", int)
"""Milliseconds since the Unix epoch (UTC), session time."""

IST = timezone(timedelta(hours=5, minutes=30), "IST")
"""India Standard Time. A fixed offset: there is no daylight saving, and no zone database is needed in the runner."""


def instant(day: date, at: time) -> Instant:
    """The instant of an exchange-local day and time."""
    return Instant(int(datetime.combine(day, at, IST).timestamp() * 1000))


def parse_time(text: str) -> time:
    """`HH:MM:SS`, exchange time.

    Raises:
        ValueError: the text has another form.
    """
    return datetime.strptime(text, "%H:%M:%S").replace(tzinfo=IST).time()


def session_date(now: int) -> date:
    """The exchange's calendar day at an instant."""
    return datetime.fromtimestamp(now / 1000, IST).date()


def to_utc(now: int) -> datetime:
    """An aware UTC datetime of an instant."""
    return datetime.fromtimestamp(now / 1000, UTC)


def format_instant(now: int) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`."""
    return to_utc(now).isoformat(timespec="milliseconds").replace("+00:00", "Z")
