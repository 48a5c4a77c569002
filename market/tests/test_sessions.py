"""The session table: against another calendar for weekday holidays, and by its own rules where that one is wrong."""

from datetime import date, time, timedelta

import exchange_calendars
import pytest
from algo_crds.contracts.clock import instant
from algo_crds.contracts.orders import Product
from algo_market.instruments import instrument_on
from algo_market.sessions import (
    InstrumentClass,
    SessionUnknownError,
    is_holiday,
    previous_session_day,
    session_for,
    session_times,
    table_range,
)

SHARE = InstrumentClass.AUCTION_SHARE
MUHURAT_WEEKDAYS = {date(2021, 11, 4), date(2022, 10, 24), date(2024, 11, 1), date(2025, 10, 21)}


@pytest.mark.parametrize("year", range(2020, 2027))
def test_weekday_holidays_agree_with_xbom(year: int) -> None:
    calendar = exchange_calendars.get_calendar("XBOM", start=f"{year}-01-01", end=f"{year}-12-31")
    theirs = {moment.date() for moment in calendar.sessions}
    day = date(year, 1, 1)
    while day.year == year:
        if day.weekday() < 5:
            trades = session_for("NSE", SHARE, day) is not None
            assert trades == (day in theirs or day in MUHURAT_WEEKDAYS), day
            assert is_holiday(day) == (not trades)
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2020, 2, 1), time(9, 15), time(15, 30)),
        (date(2020, 11, 14), time(18, 15), time(19, 15)),
        (date(2021, 2, 24), time(9, 15), time(17, 0)),
        (date(2024, 1, 20), time(9, 15), time(15, 30)),
        (date(2024, 11, 1), time(18, 0), time(19, 0)),
        (date(2025, 10, 21), time(13, 45), time(14, 45)),
        (date(2026, 2, 1), time(9, 15), time(15, 30)),
    ],
)
def test_special_sessions_have_their_own_hours(day: date, opens: time, closes: time) -> None:
    session = session_for("NSE", SHARE, day)
    assert session is not None
    assert (session.open, session.last_match) == (instant(day, opens), instant(day, closes))


@pytest.mark.parametrize(
    ("kind", "day", "end", "last_match"),
    [
        (SHARE, date(2026, 7, 31), time(15, 30), time(15, 30)),
        (SHARE, date(2026, 8, 3), time(15, 15), time(15, 35)),
        (InstrumentClass.SHARE, date(2026, 8, 3), time(15, 30), time(15, 30)),
        (InstrumentClass.DERIVATIVE, date(2026, 7, 31), time(15, 30), time(15, 30)),
        (InstrumentClass.DERIVATIVE, date(2026, 8, 3), time(15, 40), time(15, 40)),
        (InstrumentClass.INDEX, date(2026, 8, 3), time(15, 30), time(15, 30)),
    ],
)
def test_closing_auction_changes_the_end_by_class_and_date(
    kind: InstrumentClass, day: date, end: time, last_match: time
) -> None:
    session = session_for("NSE", kind, day)
    assert session is not None
    assert session.last_new_order == session.end_of_stops == instant(day, end)
    assert session.last_match == instant(day, last_match)


@pytest.mark.parametrize("day", [date(2019, 12, 31), date(2027, 1, 1), date(2026, 11, 8)])
def test_refuses_what_the_table_does_not_know(day: date) -> None:
    with pytest.raises(SessionUnknownError, match=str(day)):
        session_for("NSE", SHARE, day)


def test_refuses_an_exchange_without_a_table() -> None:
    with pytest.raises(SessionUnknownError, match="MCX"):
        session_for("MCX", SHARE, date(2025, 8, 1))


def test_weekend_has_no_session() -> None:
    assert session_for("NSE", SHARE, date(2021, 5, 1)) is None


@pytest.mark.parametrize(
    ("symbol", "exchange", "broker", "day", "product", "last_new"),
    [
        ("RELIANCE", "NSE", "zerodha", date(2021, 4, 12), Product.INTRADAY, time(15, 20)),
        ("RELIANCE", "NSE", "zerodha", date(2021, 4, 12), Product.DELIVERY, time(15, 30)),
        ("RELIANCE", "NSE", "angelone", date(2021, 4, 12), Product.INTRADAY, time(15, 15)),
        ("RELIANCE", "NSE", "zerodha", date(2026, 11, 25), Product.INTRADAY, time(15, 15)),
        ("NIFTY25AUGFUT", "NFO", "zerodha", date(2025, 8, 1), Product.INTRADAY, time(15, 25)),
        ("RELIANCE", "NSE", "dhan", date(2024, 11, 1), Product.INTRADAY, time(18, 50)),
    ],
)
def test_last_new_order_is_the_earlier_of_square_off_and_end(
    symbol: str, exchange: str, broker: str, day: date, product: Product, last_new: time
) -> None:
    times = session_times(instrument_on(exchange, symbol, day), broker, day, product)
    assert times.last_new_order == instant(day, last_new)
    assert times.open < times.last_new_order <= times.end_of_stops <= times.last_match


def test_no_session_is_all_zero() -> None:
    day = date(2021, 5, 1)
    times = session_times(instrument_on("NSE", "RELIANCE", day), "zerodha", day)
    assert (times.open, times.last_new_order, times.end_of_stops, times.last_match) == (0, 0, 0, 0)


def test_unknown_broker_is_refused() -> None:
    day = date(2021, 4, 12)
    with pytest.raises(SessionUnknownError, match="nobody"):
        session_times(instrument_on("NSE", "TCS", day), "nobody", day)


def test_previous_session_day_skips_holidays_and_weekends() -> None:
    assert previous_session_day(date(2021, 4, 12)) == date(2021, 4, 9)
    assert previous_session_day(date(2021, 5, 14)) == date(2021, 5, 12)
    assert previous_session_day(table_range()[0]) is None
