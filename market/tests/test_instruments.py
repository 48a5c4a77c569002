"""The dated instrument table."""

from datetime import date

import pytest
from algo_market.instruments import UnknownInstrumentError, instrument_on, price_band, wire_instrument
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("day", "tick"), [(date(2021, 4, 12), 500), (date(2025, 4, 14), 500), (date(2025, 8, 1), 1000)]
)
def test_tick_size_has_a_from_date(day: date, tick: int) -> None:
    assert instrument_on("NSE", "RELIANCE", day).tick_size == tick


@pytest.mark.parametrize(
    ("exchange", "symbol", "day"),
    [
        ("NSE", "NOPE", date(2025, 8, 1)),
        ("NFO", "NIFTY25AUGFUT", date(2025, 8, 29)),
        ("NFO", "NIFTY25AUGFUT", date(2021, 8, 1)),
        ("BSE", "TCS", date(2025, 8, 1)),
    ],
)
def test_what_does_not_trade_is_refused(exchange: str, symbol: str, day: date) -> None:
    with pytest.raises(UnknownInstrumentError, match=f"{exchange}:{symbol} does not trade on {day}"):
        instrument_on(exchange, symbol, day)


def test_contracts_carry_lot_freeze_expiry_and_strike() -> None:
    option = instrument_on("NFO", "NIFTY2580724500CE", date(2025, 8, 1))
    assert (option.lot, option.freeze, option.expiry, option.strike) == (75, 1800, date(2025, 8, 7), 245_000_000)
    assert option.option
    assert wire_instrument(option, 3_000_000).option


@given(st.integers(500, 10**9), st.sampled_from([100, 500, 1000, 5000]))
def test_the_band_lies_within_ten_percent_and_on_the_tick(close: int, tick: int) -> None:
    low, high = price_band(close, tick)
    assert low % tick == high % tick == 0
    assert close * 90 <= low * 100 < close * 90 + 100 * tick + 100
    assert close * 110 - 100 * tick - 100 < high * 100 <= close * 110


def test_no_previous_close_no_band() -> None:
    assert price_band(0, 500) == (0, 0)
