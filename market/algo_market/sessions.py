"""When an instrument trades, per day: the one session clock of the platform.

The table (`sessions.toml`) is dated data: holidays, sessions with hours of their own, and rule sets with a from-date,
because the end of a session depends on date and instrument class since the Closing Auction of August 2026. A date that
the table does not cover is refused, never guessed.
"""

import tomllib
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec
from algo_crds.contracts.clock import IST, instant
from algo_crds.contracts.orders import Product
from algo_crds.contracts.wire import SessionTimes

from algo_market.instruments import DayInstrument


class InstrumentClass(StrEnum):
    """What decides an instrument's session times."""

    AUCTION_SHARE = "AuctionShare"
    """A share with derivatives: takes part in the closing auction."""
    SHARE = "Share"
    DERIVATIVE = "Derivative"
    INDEX = "Index"


class SessionUnknownError(ValueError):
    """The table cannot say whether and when the date trades; nothing may trade on it."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One trading day of an instrument class at the exchange, as instants (ms)."""

    day: date
    open: int
    last_new_order: int
    """End of continuous trading."""
    end_of_stops: int
    """A stop that still rests at this instant protects no longer."""
    last_match: int
    regular: bool
    """Whether the day has the usual hours."""
    why: str = ""


class _Special(msgspec.Struct, frozen=True):
    date: date
    open: time
    close: time
    why: str


class _Table(msgspec.Struct, frozen=True):
    first: date
    last: date
    auction_from: date
    regular: tuple[time, time]
    auction: dict[str, time]
    holidays: frozenset[date]
    special: dict[date, _Special]
    unconfirmed: dict[date, str]
    square_off: dict[str, dict[str, time]]
    special_margin: timedelta


@lru_cache(maxsize=1)
def _table() -> _Table:
    raw: dict[str, Any] = tomllib.loads(files("algo_market").joinpath("sessions.toml").read_text("utf-8"))
    brokers = {name: row for name, row in raw["square_off"].items() if isinstance(row, dict)}
    return _Table(
        first=raw["first"],
        last=raw["last"],
        auction_from=raw["closing_auction_from"],
        regular=(raw["regular"]["open"], raw["regular"]["close"]),
        auction=raw["closing_auction"],
        holidays=frozenset(
            date.fromisoformat(f"{year}-{day}") for year, days in raw["holidays"].items() for day in days
        ),
        special={row["date"]: _Special(**row) for row in raw["special"]},
        unconfirmed={date.fromisoformat(day): why for day, why in raw["unconfirmed"].items()},
        square_off=brokers,
        special_margin=timedelta(seconds=raw["square_off"]["special_margin"]),
    )


def table_range() -> tuple[date, date]:
    """First and last date that the table covers."""
    table = _table()
    return table.first, table.last


def is_holiday(day: date) -> bool:
    """Whether the date is a listed weekday holiday (a weekend day is not listed)."""
    return day in _table().holidays


def session_for(exchange: str, instrument_class: InstrumentClass, day: date) -> Session | None:
    """The session of a class of instruments on a day, or None when the exchange does not trade.

    Args:
        exchange: `NSE` or `NFO` (its derivatives segment); no other is covered.

    Raises:
        SessionUnknownError: the table does not cover the date or the exchange, or the hours are not confirmed.
    """
    table = _table()
    if exchange not in ("NSE", "NFO"):
        raise SessionUnknownError(f"no session table for exchange {exchange!r}; NSE and NFO are covered")
    if not table.first <= day <= table.last:
        raise SessionUnknownError(
            f"{day} is outside the session table ({table.first} to {table.last}); extend the table"
        )
    if day in table.unconfirmed:
        raise SessionUnknownError(f"{day} is refused: {table.unconfirmed[day]}")
    special = table.special.get(day)
    if special is not None:
        regular = (special.open, special.close) == table.regular
        return _session(table, instrument_class, day, (special.open, special.close), regular, special.why)
    if day.weekday() >= 5 or day in table.holidays:
        return None
    return _session(table, instrument_class, day, table.regular, True, "")


def _session(
    table: _Table, instrument_class: InstrumentClass, day: date, hours: tuple[time, time], regular: bool, why: str
) -> Session:
    end = last_match = hours[1]
    if day >= table.auction_from and regular:
        if instrument_class is InstrumentClass.AUCTION_SHARE:
            end, last_match = table.auction["share_continuous_end"], table.auction["share_last_match"]
        elif instrument_class is InstrumentClass.DERIVATIVE:
            end = last_match = table.auction["derivative_close"]
    return Session(
        day=day,
        open=instant(day, hours[0]),
        last_new_order=instant(day, end),
        end_of_stops=instant(day, end),
        last_match=instant(day, last_match),
        regular=regular,
        why=why,
    )


def square_off(broker: str, instrument_class: InstrumentClass, session: Session) -> int:
    """When the broker closes intraday positions by itself (instant, ms).

    Raises:
        SessionUnknownError: no such broker in the table.
    """
    table = _table()
    if broker not in table.square_off:
        raise SessionUnknownError(f"no square-off time for broker {broker!r}; add it to the session table")
    if not session.regular:
        return session.last_new_order - int(table.special_margin.total_seconds() * 1000)
    column = "derivative" if instrument_class is InstrumentClass.DERIVATIVE else "equity"
    return instant(session.day, table.square_off[broker][column])


def session_times(
    instrument: DayInstrument, broker: str, day: date, product: Product = Product.INTRADAY
) -> SessionTimes:
    """The trading day of an instrument at a broker, for the wire; all zero when there is no session.

    Raises:
        SessionUnknownError: as `session_for` and `square_off`.
    """
    session = session_for(instrument.exchange, class_of(instrument), day)
    if session is None:
        return SessionTimes(day=day.isoformat(), open=0, last_new_order=0, end_of_stops=0, last_match=0)
    last_new = session.last_new_order
    if product is Product.INTRADAY:
        last_new = min(last_new, square_off(broker, class_of(instrument), session))
    return SessionTimes(
        day=day.isoformat(),
        open=session.open,
        last_new_order=last_new,
        end_of_stops=session.end_of_stops,
        last_match=session.last_match,
    )


def class_of(instrument: DayInstrument) -> InstrumentClass:
    """The session class of an instrument on its day."""
    if instrument.kind == "INDEX":
        return InstrumentClass.INDEX
    if instrument.kind != "EQ":
        return InstrumentClass.DERIVATIVE
    return InstrumentClass.AUCTION_SHARE if instrument.closing_auction else InstrumentClass.SHARE


def previous_session_day(day: date) -> date | None:
    """The trading day before, or None when the table begins later.

    Raises:
        SessionUnknownError: the date itself lies outside the table.
    """
    first, last = table_range()
    if not first <= day <= last:
        raise SessionUnknownError(f"{day} is outside the session table ({first} to {last})")
    while day > first:
        day -= timedelta(days=1)
        if day not in _table().unconfirmed and session_for("NSE", InstrumentClass.SHARE, day) is not None:
            return day
    return None


def day_start(day: date) -> int:
    """Midnight of the exchange's day (instant, ms)."""
    return int(datetime.combine(day, time(), IST).timestamp() * 1000)
