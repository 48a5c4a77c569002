"""When the day's facts are read anew, what counts as news, and what a door says of its predecessor's sends."""

from datetime import date, time

import msgspec
from algo_crds.contracts.clock import instant
from algo_crds.contracts.wire import Instrument, SessionTimes
from algo_gateway.clock import SessionClock
from algo_gateway.facts import FactsWatch, is_news, last_send
from algo_gateway.instrument_day import InstrumentDay

DAY, NEXT = date(2021, 4, 12), date(2021, 4, 13)
OPEN, CLOSE = time(9, 15), time(15, 30)


def session(day: date) -> SessionTimes:
    end = instant(day, CLOSE)
    return SessionTimes(
        day=day.isoformat(), open=instant(day, OPEN), last_new_order=end, end_of_stops=end, last_match=end
    )


def facts(day: date = DAY, band_high: int = 20) -> InstrumentDay:
    instrument = Instrument(
        exchange="NSE",
        symbol="RELIANCE",
        tick_size=500,
        lot=1,
        freeze_quantity=1,
        band_low=10 if band_high else 0,
        band_high=band_high,
        previous_close=15,
    )
    return InstrumentDay(token=1, instrument=instrument, session=session(day))


def watch() -> tuple[FactsWatch, list[date], list[int]]:
    days: list[date] = []
    asked: list[int] = []
    return FactsWatch(start_day=days.append, read_again=lambda: asked.append(1)), days, asked


def test_a_night_and_a_morning() -> None:
    one, days, asked = watch()
    one.at(0, 0)
    assert days == [], "a world that has not told its time"
    opened = instant(DAY, OPEN)
    one.at(instant(DAY, time(9, 20)), opened)
    one.at(instant(DAY, time(15, 0)), opened)
    assert (days, asked) == ([DAY], [])
    midnight = instant(NEXT, time(0))
    one.at(midnight, opened)
    assert (days, asked) == ([DAY, NEXT], [1])
    one.at(midnight + 9_999, opened)
    assert asked == [1]
    one.at(midnight + 10_000, opened)
    assert asked == [1, 1], "tried again, because nobody said that it succeeded"
    one.done(midnight + 10_000)
    opened = instant(NEXT, OPEN)
    one.at(midnight + 60_000, opened)
    one.at(instant(NEXT, time(9, 4)), opened)
    assert asked == [1, 1]
    one.at(instant(NEXT, time(9, 5)), opened)
    assert asked == [1, 1, 1]
    one.done(instant(NEXT, time(9, 5)))
    one.at(instant(NEXT, time(9, 16)), opened)
    assert asked == [1, 1, 1]
    assert days == [DAY, NEXT]


def test_news() -> None:
    assert is_news(None, facts())
    assert not is_news(facts(), facts())
    assert is_news(facts(), facts(band_high=30))
    assert not is_news(facts(), facts(band_high=0)), "a quote that could not be read takes no band away"
    assert is_news(facts(), facts(NEXT, band_high=0))


def test_what_an_earlier_process_sent_last_is_before_this_ones_first_instant() -> None:
    opened = instant(DAY, OPEN)
    assert last_send(0, opened + 5, session(DAY)) == opened + 5
    assert last_send(opened + 9, opened + 5, session(DAY)) == opened + 9
    assert last_send(0, opened - 1, session(DAY)) == 0, "nothing was sent before the market opened"
    holiday = msgspec.structs.replace(session(DAY), open=0)
    assert last_send(0, opened, holiday) == 0


def test_the_clock_keeps_its_first_instant() -> None:
    own = SessionClock(own=True)
    assert own.started_at == 0
    own.set(5)
    own.set(9)
    assert own.started_at == 5
    wall = SessionClock(own=False)
    assert 0 < wall.started_at <= wall.now()
