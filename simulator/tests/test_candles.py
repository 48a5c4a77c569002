"""Candles: where they begin, what they sum up, and that nothing later than asked for shows."""

from datetime import date

import pytest
from algo_market.instruments import instrument_on
from algo_market.readers import parse_recording
from algo_market.sessions import class_of, day_start, session_for
from algo_simulator.candles import DAY, MINUTE, SECOND, Candle, candles
from algo_simulator.market import NEVER, Market
from algo_simulator.testing import ticks
from hypothesis import given
from hypothesis import strategies as st

ON = date(2021, 4, 12)
OPEN = 1_618_199_100_000
ROWS = [("09:15:00", "100"), ("09:15:59", "103"), ("09:16:00", "99"), ("09:18:01", "101"), ("10:15:00", "110")]


@pytest.fixture
def market() -> Market:
    """Five trades, a hundred shares each."""
    return _market(ROWS)


def _market(rows: list[tuple[str, str]]) -> Market:
    instrument = instrument_on("NSE", "RELIANCE", ON)
    session = session_for("NSE", class_of(instrument), ON)
    assert session is not None
    return Market(instrument, session, parse_recording(ticks(rows), name="RELIANCE", day=ON), 0, 0)


def _bar(start: int, prices: tuple[int, int, int, int], volume: int) -> Candle:
    return Candle(start, *(price * 10_000 for price in prices), volume)


def test_minutes_with_a_hole(market: Market) -> None:
    assert candles(market, MINUTE, since=0, until=NEVER)[:3] == [
        _bar(OPEN, (100, 103, 100, 103), 200),
        _bar(OPEN + MINUTE, (99, 99, 99, 99), 100),
        _bar(OPEN + 3 * MINUTE, (101, 101, 101, 101), 100),
    ]


def test_hours_begin_with_the_session_and_days_at_midnight(market: Market) -> None:
    hours = candles(market, 60 * MINUTE, since=0, until=NEVER)
    assert [bar.start for bar in hours] == [OPEN, OPEN + 60 * MINUTE]
    assert candles(market, DAY, since=0, until=NEVER) == [_bar(day_start(ON), (100, 110, 99, 110), 500)]
    assert [bar.start for bar in candles(market, 5 * SECOND, since=0, until=OPEN + MINUTE)] == [
        OPEN,
        OPEN + 55 * SECOND,
        OPEN + MINUTE,
    ]


def test_the_future_is_not_shown_and_the_last_one_is_partial(market: Market) -> None:
    found = candles(market, 3 * MINUTE, since=0, until=OPEN + MINUTE - 1)
    assert found == [_bar(OPEN, (100, 103, 100, 103), 200)]
    assert candles(market, MINUTE, since=OPEN + 1, until=OPEN + MINUTE) == [_bar(OPEN + MINUTE, (99, 99, 99, 99), 100)]


@given(st.lists(st.tuples(st.integers(0, 59), st.integers(0, 59), st.integers(90, 110)), min_size=1, max_size=40))
def test_long_candles_are_the_sum_of_short_ones(trades: list[tuple[int, int, int]]) -> None:
    market = _market([(f"10:{minute:02}:{second:02}", str(price)) for minute, second, price in sorted(trades)])
    short = candles(market, MINUTE, since=0, until=NEVER)
    for long in candles(market, 15 * MINUTE, since=0, until=NEVER):
        parts = [bar for bar in short if long.start <= bar.start < long.start + 15 * MINUTE]
        assert (long.open, long.close) == (parts[0].open, parts[-1].close)
        assert (long.high, long.low) == (max(bar.high for bar in parts), min(bar.low for bar in parts))
        assert long.volume == sum(bar.volume for bar in parts)
