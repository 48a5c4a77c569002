"""The checks that decide whether a tick may trade, and their exact counts."""

from datetime import date, time
from pathlib import Path

import pytest
from algo_crds.contracts.clock import instant
from algo_crds.contracts.wire import SessionTimes
from algo_market.instruments import instrument_on, wire_instrument
from algo_market.readers import cleaned, read_recording
from algo_market.sessions import session_times
from algo_market.tick_checks import CAUSES, TickCell, accept, cause_of, set_day
from hypothesis import given
from hypothesis import strategies as st

DAY = date(2021, 4, 30)
RELIANCE = instrument_on("NSE", "RELIANCE", DAY)
SESSION = session_times(RELIANCE, "zerodha", DAY)
CLOSE = 20_000_000
NOON = instant(DAY, time(12))


def _cell(session: SessionTimes = SESSION) -> TickCell:
    cell = TickCell("brk_a")
    set_day(cell, session, wire_instrument(RELIANCE, CLOSE))
    return cell


def _noon_cell() -> TickCell:
    cell = _cell()
    assert accept(cell, CLOSE, NOON, 5, "brk_a")
    return cell


@pytest.mark.parametrize(
    ("cause", "price", "at", "volume", "source"),
    [
        ("epoch", CLOSE, 0, 5, "brk_a"),
        ("other_day", CLOSE, instant(date(2021, 5, 1), time(12)), 5, "brk_a"),
        ("out_of_session", CLOSE, instant(DAY, time(15, 30)), 5, "brk_a"),
        ("out_of_session", CLOSE, instant(DAY, time(9, 14, 59)), 5, "brk_a"),
        ("backwards", CLOSE, NOON - 1000, 5, "brk_a"),
        ("duplicate", CLOSE, NOON, 5, "brk_a"),
        ("out_of_band", CLOSE * 12 // 10, NOON, 6, "brk_a"),
        ("not_a_price", 0, NOON, 6, "brk_a"),
        ("wrong_source", CLOSE, NOON + 1000, 6, "brk_b"),
    ],
)
def test_each_cause_is_told(cause: str, price: int, at: int, volume: int, source: str) -> None:
    cell = _noon_cell()
    assert not accept(cell, price, at, volume, source)
    assert cell.rejected == {cause: 1}
    assert cell.accepted == 1


def test_several_ticks_in_one_second_are_good() -> None:
    cell = _noon_cell()
    assert accept(cell, CLOSE, NOON, 6, "brk_a")
    assert accept(cell, CLOSE + 500, NOON, 6, "brk_a")
    assert not accept(cell, CLOSE, NOON, 5, "brk_a")
    assert cell.rejected == {"duplicate": 1}


def test_a_refused_tick_does_not_move_the_newest_second() -> None:
    cell = _noon_cell()
    assert not accept(cell, CLOSE * 2, NOON + 5_000, 6, "brk_a")
    assert accept(cell, CLOSE, NOON + 1_000, 6, "brk_a")


def test_no_session_rejects_everything() -> None:
    saturday = date(2021, 5, 1)
    cell = _cell(session_times(RELIANCE, "zerodha", saturday))
    assert not accept(cell, CLOSE, instant(saturday, time(12)), 5, "brk_a")
    assert sum(cell.rejected.values()) == 1


def test_a_new_day_begins_a_new_order_of_time_and_keeps_counts() -> None:
    cell = _noon_cell()
    accept(cell, 0, NOON, 5, "brk_a")
    monday = date(2021, 5, 3)
    set_day(cell, session_times(RELIANCE, "zerodha", monday), wire_instrument(RELIANCE, CLOSE))
    assert accept(cell, CLOSE, instant(monday, time(9, 15)), 5, "brk_a")
    assert cell.rejected == {"not_a_price": 1}


def test_an_unknown_band_lets_every_price_pass() -> None:
    cell = TickCell("brk_a")
    set_day(cell, SESSION, wire_instrument(RELIANCE, 0))
    assert accept(cell, 1, NOON, 5, "brk_a")


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, CLOSE, CLOSE + 500, CLOSE * 2, -5]),
            st.sampled_from([0, NOON - 1000, NOON, NOON + 1000, NOON + 86_400_000]),
            st.integers(0, 2),
            st.sampled_from(["brk_a", "brk_b"]),
        )
    )
)
def test_every_tick_is_accepted_or_counted_once(ticks: list[tuple[int, int, int, str]]) -> None:
    cell = _cell()
    for price, at, volume, source in ticks:
        cause = cause_of(cell, price, at, volume, source)
        assert accept(cell, price, at, volume, source) == (cause == "")
    assert cell.accepted + sum(cell.rejected.values()) == len(ticks)
    assert set(cell.rejected) <= set(CAUSES)


@pytest.mark.data
def test_the_dirty_file_counts_exactly_and_yields_the_clean_trades(data_dir: Path) -> None:
    recording = read_recording(data_dir / "ticks" / "2021-04-30", "RELIANCE")
    cell = _cell()
    for row in recording.rows():
        accept(cell, row.price, row.time, row.volume, "brk_a")
    rows = list(recording.rows())
    assert cell.rejected["epoch"] == 1_354
    assert cell.rejected["other_day"] == sum(row.time > instant(date(2021, 5, 1), time()) for row in rows) == 1_274
    assert cell.rejected["out_of_session"] == 3_729 - 1_354 - 1_274
    clean = cleaned(recording, opens=SESSION.open, closes=SESSION.last_match)
    # Rows that run backwards are in the clean series (sorted) but may not trade as they arrive.
    assert cell.accepted + cell.rejected["backwards"] >= len(clean) >= cell.accepted
    assert cell.accepted + sum(cell.rejected.values()) == len(rows)
