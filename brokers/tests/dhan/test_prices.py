"""Quotes, last prices and bars."""

import json
from typing import Any

import pytest
from algo_brokers.dhan import prices
from algo_brokers.dhan.names import pack
from algo_brokers.errors import BadAnswer
from algo_brokers.records import Candle, InstrumentRef, Quote
from dhan_stand import HDFC, NIFTY
from hypothesis import given
from hypothesis import strategies as st

QUOTE = {
    "last_price": 1605.5,
    "average_price": 1603.2,
    "last_trade_time": "23/11/2026 09:20:11",
    "volume": 1234.0,
    "lower_circuit_limit": 1444.95,
    "upper_circuit_limit": 1766.05,
    "ohlc": {"open": 1600, "close": 1599.5, "high": 1610, "low": 1590},
    "depth": {"buy": [], "sell": []},
}


def body(data: Any) -> bytes:
    return json.dumps({"data": data, "status": "success"}).encode()


def test_quotes() -> None:
    told = body({"NSE_EQ": {"1333": QUOTE}, "IDX_I": {"13": {"last_price": 26111.4}}})
    assert prices.quotes(told, (HDFC, NIFTY)) == (
        Quote(
            exchange="NSE",
            symbol="HDFCBANK",
            price=16055000,
            time=1_795_405_811_000,
            volume=1234,
            band_low=14449500,
            band_high=17660500,
            previous_close=15995000,
        ),
        Quote(
            exchange="NSE",
            symbol="NIFTY 50",
            price=261114000,
            time=0,
            volume=0,
            band_low=0,
            band_high=0,
            previous_close=0,
        ),
    )
    assert prices.last_prices(told, (HDFC, NIFTY)) == {("NSE", "HDFCBANK"): 16055000, ("NSE", "NIFTY 50"): 261114000}


def test_unknown_ids_are_missing_or_filled_with_zeros() -> None:
    unknown = InstrumentRef(exchange="NSE", symbol="X", token=pack("NSE_EQ", 5))
    told = body({"NSE_EQ": {"5": {"last_price": 0}, "6": {"last_price": 1.5}}})
    assert prices.quotes(told, (HDFC, unknown)) == ()
    assert prices.last_prices(told, (HDFC, unknown)) == {}


@pytest.mark.parametrize(
    "data",
    [
        {"NSE_EQ": {"x": {"last_price": 1}}},
        {"NASDAQ": {"1": {"last_price": 1}}},
        {"NSE_EQ": {"1333": {}}},
        {"NSE_EQ": {"1333": {"last_price": 1e15}}},
        {"NSE_EQ": []},
    ],
)
def test_bad_quotes(data: Any) -> None:
    with pytest.raises(BadAnswer):
        prices.quotes(body(data), (HDFC,))


def bars(**changes: Any) -> bytes:
    columns: dict[str, Any] = {
        "open": [1600.0, 1601.0],
        "high": [1602.5, 1603],
        "low": [1599.95, 1600],
        "close": [1601, 1602],
        "volume": [1.2e7, 5.0],
        "timestamp": [1.7954058e9, 1.79540586e9],
        "open_interest": [0.0, 0.0],
    }
    return json.dumps({**columns, **changes}).encode()


def test_bars_are_columns_of_floats() -> None:
    first, second = 1_795_405_800_000, 1_795_405_860_000
    told = prices.candles(bars(), start=first, end=second)
    assert told[0] == Candle(time=first, open=16000000, high=16025000, low=15999500, close=16010000, volume=12_000_000)
    assert [bar.time for bar in told] == [first, second]
    assert [bar.time for bar in prices.candles(bars(), start=first + 1, end=second)] == [second]
    assert [bar.time for bar in prices.candles(bars(), start=first, end=second - 1)] == [first]


@pytest.mark.parametrize(
    "changes",
    [
        {"open": [1.0]},
        {"timestamp": [1e12, 1.0]},
        {"timestamp": [-1, 1.0]},
        {"volume": [-1, 1]},
        {"close": [1e15, 1]},
        {"high": None},
    ],
)
def test_bad_bars(changes: Any) -> None:
    with pytest.raises(BadAnswer):
        prices.candles(bars(**changes), start=0, end=1)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_an_error_or_prices_that_were_asked_for(data: bytes) -> None:
    for read in (
        lambda: prices.quotes(data, (HDFC,)),
        lambda: tuple(prices.last_prices(data, (HDFC,))),
        lambda: prices.candles(data, start=0, end=1 << 50),
    ):
        try:
            assert len(read()) >= 0
        except BadAnswer:
            continue
