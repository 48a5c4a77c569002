"""Trades, positions, holdings, funds, margin, polled prices and bars."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from algo_brokers.angelone import prices, responses
from algo_brokers.errors import BadAnswer
from algo_brokers.records import Candle, Funds, HoldingRow, Interval, Margin, Quote, TradeRow
from algo_crds.contracts.orders import PositionRow, Product, Side
from angelone_samples import AT, CALL, RELIANCE, name_of, raw
from hypothesis import given
from hypothesis import strategies as st

DAY = date(2026, 3, 2)


def trade(**changes: Any) -> dict[str, Any]:
    return {
        "exchange": "NSE",
        "producttype": "INTRADAY",
        "tradingsymbol": "RELIANCE-EQ",
        "multiplier": "-1",
        "transactiontype": "BUY",
        "fillprice": "2870.50",
        "fillsize": "5",
        "orderid": "260302000012345",
        "fillid": "50001234",
        "filltime": "10:45:07",
        **changes,
    }


def position(**changes: Any) -> dict[str, Any]:
    return {
        "exchange": "NFO",
        "symboltoken": "48212",
        "producttype": "CARRYFORWARD",
        "tradingsymbol": "NIFTY26MAR2625000CE",
        "netqty": "75",
        "avgnetprice": "125.45",
        "netvalue": "- 9408.75",
        "netprice": "125.45",
        **changes,
    }


def test_trades() -> None:
    data = raw([trade(), trade(producttype="BO"), trade(filltime=None, fillprice=2870.5, fillsize=5)])
    first, second = responses.trade_rows(data, day=DAY, name_of=name_of)
    assert first == TradeRow(
        trade_id="50001234",
        broker_order_id="260302000012345",
        exchange="NSE",
        symbol="RELIANCE",
        product=Product.INTRADAY,
        side=Side.BUY,
        quantity=5,
        price=28705000,
        time=AT,
    )
    assert (second.time, second.price) == (0, 28705000)
    with pytest.raises(BadAnswer):
        responses.trade_rows(raw([trade(transactiontype="GIFT")]), day=DAY, name_of=name_of)


def test_positions() -> None:
    rows = responses.position_rows(
        raw(
            [
                position(),
                position(netqty="- 75", avgnetprice=None, netprice="- 1.5", symboltoken=None),
                position(producttype="MARGIN"),
                position(netqty=0, avgnetprice="0.00", netprice="0.00"),
            ]
        ),
        name_of=name_of,
    )
    assert rows == (
        PositionRow(
            exchange="NFO",
            symbol="NIFTY26MAR2625000CE",
            product=Product.DELIVERY,
            quantity=75,
            average_price=1254500,
        ),
        PositionRow(
            exchange="NFO",
            symbol="NIFTY26MAR2625000CE",
            product=Product.DELIVERY,
            quantity=-75,
            average_price=-15000,
        ),
        PositionRow(exchange="NFO", symbol="NIFTY26MAR2625000CE", product=Product.DELIVERY, quantity=0),
    )


def test_holdings() -> None:
    row = {
        "tradingsymbol": "TATASTEEL-EQ",
        "exchange": "NSE",
        "isin": "INE081A01020",
        "t1quantity": 3,
        "realisedquantity": 20,
        "quantity": 23,
        "averageprice": 131.85,
        "symboltoken": "3499",
    }
    settled, bare = responses.holding_rows(
        raw([row, {"tradingsymbol": "X-BE", "exchange": "NSE", "quantity": "2"}]), name_of=name_of
    )
    assert settled == HoldingRow(
        exchange="NSE",
        symbol="TATASTEEL",
        isin="INE081A01020",
        quantity=20,
        unsettled=3,
        average_price=1318500,
    )
    assert (bare.symbol, bare.quantity, bare.unsettled, bare.isin) == ("X-BE", 2, 0, "")


def test_funds() -> None:
    assert responses.funds(raw({"net": "250000.0000", "utilisedspan": None})) == Funds(available=2_500_000_000)
    assert responses.funds(raw({"net": None, "availablecash": "1.5"})) == Funds(available=15_000)
    with pytest.raises(BadAnswer):
        responses.funds(raw({"collateral": "1"}))


def test_margin_and_profile() -> None:
    assert responses.margin(raw({"totalMarginRequired": 9408.75})) == Margin(required=94_087_500)
    assert responses.client_code(raw({"clientcode": " S000123 ", "exchanges": "x"})) == "S000123"


QUOTE = {
    "exchange": "NSE",
    "tradingSymbol": "RELIANCE-EQ",
    "symbolToken": "2885",
    "ltp": 2875.4,
    "close": 2860.75,
    "exchFeedTime": "02-Mar-2026 10:45:07",
    "tradeVolume": 1834500,
    "lowerCircuit": 2574.7,
    "upperCircuit": 3146.8,
}
ASKED = prices.wanted((RELIANCE, CALL))


def test_quotes() -> None:
    other = {"exchange": "NSE", "symbolToken": "1", "ltp": 1}
    data = raw({"fetched": [QUOTE, other], "unfetched": [{"symbolToken": "", "errorCode": "AB4018"}]})
    assert prices.quotes(data, ASKED) == (
        Quote(
            exchange="NSE",
            symbol="RELIANCE",
            price=28754000,
            time=AT,
            volume=1834500,
            band_low=25747000,
            band_high=31468000,
            previous_close=28607500,
        ),
    )
    assert prices.quotes(raw({"fetched": None}), ASKED) == ()


def test_last_price() -> None:
    assert prices.last_price(raw({"exchange": "NFO", "symboltoken": "48212", "ltp": "125.45"})) == 1254500
    assert prices.last_price(raw({"ltp": 125.45, "close": None})) == 1254500
    for nothing in (raw({}), raw({"ltp": None}), raw(None)):
        with pytest.raises(BadAnswer):
            prices.last_price(nothing)


MINUTE = 60_000
NINE_FIFTEEN = AT - (90 * MINUTE + 7_000)


def test_candles() -> None:
    data = raw(
        [
            ["2026-03-02T09:14:00+05:30", 1, 1, 1, 1, 1],
            ["2026-03-02T09:15:00+05:30", 2870.5, "2880", 2850.05, 2860.75, 1200],
            ["2026-03-02T09:17:00+05:30", 1, 1, 1, 1, "5"],
            ["2026-03-02T09:18:00+05:30", 1, 1, 1, 1, 5],
        ]
    )
    found = prices.candles(
        data,
        start=NINE_FIFTEEN,
        end=NINE_FIFTEEN + 60 * MINUTE,
        interval=Interval.MINUTE,
        now=NINE_FIFTEEN + 3 * MINUTE + 59_000,
    )
    assert found == (
        Candle(time=NINE_FIFTEEN, open=28705000, high=28800000, low=28500500, close=28607500, volume=1200),
        Candle(time=NINE_FIFTEEN + 2 * MINUTE, open=10000, high=10000, low=10000, close=10000, volume=5),
    )


def test_a_day_stands_after_its_close() -> None:
    data = raw([["2026-03-02T00:00:00+05:30", 1, 1, 1, 1, 1]])
    midnight = NINE_FIFTEEN - (9 * 60 + 15) * MINUTE
    read = partial(prices.candles, data, start=midnight, end=AT, interval=Interval.DAY)
    assert read(now=midnight + (15 * 60 + 29) * MINUTE) == ()
    assert len(read(now=midnight + (15 * 60 + 30) * MINUTE)) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (raw([["yesterday", 1, 1, 1, 1, 1]]), "candle time"),
        (raw([["2026-03-02T09:14:00", 1, 1, 1, 1, 1]]), "candle time"),
        (raw([["2026-03-02T09:14:00+05:30", 1, 1, 1]]), "candles"),
    ],
)
def test_a_broken_bar_is_an_error(data: bytes, message: str) -> None:
    with pytest.raises(BadAnswer, match=message):
        prices.candles(data, start=0, end=1, interval=Interval.MINUTE, now=2)


@pytest.mark.parametrize(
    ("interval", "days", "calls"),
    [
        (Interval.MINUTE, 30, 1),
        (Interval.MINUTE, 61, 3),
        (Interval.FIVE_MINUTES, 101, 2),
        (Interval.FIFTEEN_MINUTES, 200, 1),
        (Interval.HOUR, 401, 2),
        (Interval.DAY, 2000, 1),
    ],
)
def test_long_ranges_are_cut(interval: Interval, days: int, calls: int) -> None:
    span = days * 86_400_000
    found = prices.ranges(AT - span + MINUTE, AT, interval, now=AT)
    assert len(found) == calls
    assert found[-1][1] == "2026-03-02 10:45"
    assert len({text for pair in found for text in pair}) == 2 * calls


def test_ranges_stay_in_the_past() -> None:
    assert prices.ranges(AT, AT + 86_400_000, Interval.MINUTE, now=AT) == []
    assert prices.ranges(NINE_FIFTEEN - 1, AT + 5, Interval.MINUTE, now=NINE_FIFTEEN + MINUTE) == [
        ("2026-03-02 09:15", "2026-03-02 09:16")
    ]


READERS: list[Callable[[bytes], Any]] = [
    partial(responses.trade_rows, day=DAY, name_of=name_of),
    partial(responses.position_rows, name_of=name_of),
    partial(responses.holding_rows, name_of=name_of),
    responses.funds,
    responses.margin,
    responses.client_code,
    partial(prices.quotes, asked=ASKED),
    prices.last_price,
    partial(prices.candles, start=0, end=1, interval=Interval.MINUTE, now=2),
]


@given(st.sampled_from(READERS), st.binary(max_size=100))
def test_arbitrary_bytes_are_an_error_or_nothing(read: Callable[[bytes], Any], data: bytes) -> None:
    try:
        found = read(data)
    except BadAnswer:
        return
    assert not found
