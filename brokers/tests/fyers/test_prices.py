"""Quotes, depth and bars."""

import contextlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from algo_brokers.errors import BadAnswer
from algo_brokers.fyers import prices
from algo_brokers.records import Candle, Interval, Quote
from fyers_stand import HELD, SBIN, body
from hypothesis import given
from hypothesis import strategies as st

QUOTE = {
    "n": "NSE:SBIN-EQ",
    "s": "ok",
    "v": {"lp": 600.5, "volume": 1000000, "prev_close_price": 598, "tt": "1795392000", "symbol": "NSE:SBIN-EQ"},
}
DEPTH = {
    "totalbuyqty": 5,
    "bids": [{"price": 600.45, "volume": 5, "ord": 1}],
    "ask": [],
    "o": 600,
    "h": 602,
    "l": 599,
    "c": 598,
    "tick_Size": 0.05,
    "ltt": 1795405811,
    "ltp": 600.5,
    "v": 1000000,
    "lower_ckt": 538.2,
    "upper_ckt": 657.8,
}


def test_quotes() -> None:
    found = prices.quotes(body(d=[QUOTE]), (SBIN,))
    assert found == (
        Quote(
            exchange="NSE",
            symbol="SBIN",
            price=600_5000,
            time=0,
            volume=1000000,
            band_low=0,
            band_high=0,
            previous_close=598_0000,
        ),
    )


@pytest.mark.parametrize(
    "element",
    [
        {"n": "NSE:SBIN-EQ", "s": "error", "v": {"errmsg": "invalid symbol", "code": -300}},
        {"n": "NSE:SBIN-EQ", "s": "error"},
        {**QUOTE, "n": "NSE:OTHER-EQ"},
        {**QUOTE, "v": {"lp": 0}},
        {**QUOTE, "v": {"lp": -1}},
        {**QUOTE, "v": {}},
    ],
)
def test_what_the_broker_does_not_know_is_missing(element: dict[str, Any]) -> None:
    assert prices.quotes(body(d=[element]), (SBIN,)) == ()


def test_the_quote_requests() -> None:
    assert prices.quotes_request(HELD, (SBIN, SBIN)).target == "/data/quotes?symbols=NSE%3ASBIN-EQ%2CNSE%3ASBIN-EQ"
    assert prices.depth_request(HELD, SBIN).target == "/data/depth?symbol=NSE%3ASBIN-EQ&ohlcv_flag=1"


def test_depth_has_band_and_time() -> None:
    quote = prices.depth_quote(body(d={"NSE:SBIN-EQ": DEPTH}), SBIN)
    assert quote is not None
    assert (quote.price, quote.time, quote.volume) == (600_5000, 1795405811_000, 1000000)
    assert (quote.band_low, quote.band_high, quote.previous_close) == (538_2000, 657_8000, 598_0000)
    assert prices.depth_quote(body(d={}), SBIN) is None
    assert prices.depth_quote(body(d={"NSE:SBIN-EQ": {**DEPTH, "ltp": 0}}), SBIN) is None


START = 1795405500_000
"""23 November 2026, 09:15 in India."""
MINUTE = 60_000
DAY = 86_400_000


def _bar(seconds: int) -> list[float]:
    return [seconds, 600.0, 601.0, 599.5, 600.5, 12345]


def test_bars() -> None:
    data = body(candles=[_bar(START // 1000 + 60), _bar(START // 1000), [*_bar(START // 1000 + 120), 7]])
    bars = prices.candles(data, start=START, end=START + 120_000, interval=Interval.MINUTE, now=START + 3 * MINUTE)
    assert [bar.time for bar in bars] == [START, START + MINUTE, START + 2 * MINUTE]
    assert bars[0] == Candle(time=START, open=600_0000, high=601_0000, low=599_5000, close=600_5000, volume=12345)
    assert prices.candles(b'{"s":"no_data","candles":[]}', start=0, end=1, interval=Interval.MINUTE, now=2) == []


@pytest.mark.parametrize("hour", [0, 19_800, 33_300])
def test_a_day_opens_at_midnight_in_india_whatever_hour_is_told(hour: int) -> None:
    midnight = START - (9 * 60 + 15) * MINUTE
    data = body(candles=[_bar(midnight // 1000 + hour)])
    bars = prices.candles(data, start=midnight, end=midnight, interval=Interval.DAY, now=midnight + DAY)
    assert [bar.time for bar in bars] == [midnight]


@pytest.mark.parametrize("row", [[], [1795405500, 1, 1, 1, 1], [1795405500.5, 1, 1, 1, 1, 1], [1, 1e13, 1, 1, 1, 1]])
def test_a_bar_that_is_none_is_refused(row: list[float]) -> None:
    with pytest.raises(BadAnswer):
        prices.candles(body(candles=[row]), start=0, end=1795405500_000, interval=Interval.MINUTE, now=2 * START)


@pytest.mark.parametrize(("end", "now"), [(START, 9 * START), (START + MINUTE, START + MINUTE)])
def test_only_finished_bars_of_the_time_asked_for(end: int, now: int) -> None:
    data = body(candles=[_bar(START // 1000 - 60), _bar(START // 1000), _bar(START // 1000 + 60)])
    bars = prices.candles(data, start=START, end=end, interval=Interval.MINUTE, now=now)
    assert [bar.time for bar in bars] == [START]


def test_long_spans_are_cut_into_what_a_call_may_ask_for() -> None:
    spans = prices.history_spans(start=START, end=START + 250 * DAY, interval=Interval.MINUTE)
    assert [first for first, _ in spans] == [START, START + 100 * DAY, START + 200 * DAY]
    assert spans[0][1] == START + 100 * DAY - 1000
    assert spans[-1][1] == START + 250 * DAY
    (one,) = prices.history_spans(start=START, end=START + 250 * DAY, interval=Interval.DAY)
    assert one == (START - (9 * 60 + 15) * MINUTE, START + 250 * DAY)
    assert prices.history_spans(start=START, end=START - 1, interval=Interval.MINUTE) == []


@pytest.mark.parametrize(
    ("interval", "word"),
    [
        (Interval.MINUTE, "1"),
        (Interval.FIVE_MINUTES, "5"),
        (Interval.FIFTEEN_MINUTES, "15"),
        (Interval.HOUR, "60"),
        (Interval.DAY, "D"),
    ],
)
def test_the_history_request(interval: Interval, word: str) -> None:
    request = prices.history_request(HELD, SBIN, start=START, end=START + MINUTE, interval=interval)
    assert urlsplit(request.target).path == "/data/history"
    assert parse_qs(urlsplit(request.target).query) == {
        "symbol": ["NSE:SBIN-EQ"],
        "resolution": [word],
        "date_format": ["0"],
        "range_from": [str(START // 1000)],
        "range_to": [str(START // 1000 + 60)],
        "cont_flag": ["0"],
    }


@given(
    st.binary(max_size=200)
    | st.dictionaries(
        st.sampled_from(["d", "candles", "s"]), st.lists(st.integers() | st.text(max_size=5), max_size=3)
    ).map(lambda value: json.dumps(value).encode())
)
def test_arbitrary_answers_give_an_error_or_nothing(data: bytes) -> None:
    with contextlib.suppress(BadAnswer):
        assert prices.quotes(data, (SBIN,)) == ()
    with contextlib.suppress(BadAnswer):
        assert prices.depth_quote(data, SBIN) is None
    with contextlib.suppress(BadAnswer):
        assert prices.candles(data, start=0, end=9, interval=Interval.MINUTE, now=9) == []
