"""What is sent, byte for byte where the broker reads it."""

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest
from algo_brokers.dhan import requests
from algo_brokers.dhan.names import pack
from algo_brokers.http import HttpRequest
from algo_brokers.records import Change, InstrumentRef, Interval
from algo_crds.contracts.clock import IST
from algo_crds.contracts.orders import OrderType, Product, Side
from dhan_stand import CANARY, CLIENT, HDFC, HELD, NIFTY, OPTION, TAG, order_ref, words
from order_samples import new_order


def body(request: HttpRequest) -> Any:
    return json.loads(request.body)


def test_a_limit_order() -> None:
    request = requests.place(HELD, new_order(instrument=HDFC, tag=TAG, quantity=1, price=1005000))
    assert (request.method, request.target) == ("POST", "/v2/orders")
    assert dict(request.headers) == {
        "access-token": CANARY,
        "client-id": CLIENT,
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
    assert body(request) == {
        "transactionType": "BUY",
        "exchangeSegment": "NSE_EQ",
        "productType": "INTRADAY",
        "orderType": "LIMIT",
        "validity": "DAY",
        "securityId": "1333",
        "quantity": 1,
        "disclosedQuantity": 0,
        "price": 100.5,
        "afterMarketOrder": False,
        "triggerPrice": 0.0,
        "correlationId": TAG,
        "dhanClientId": CLIENT,
    }
    assert CANARY not in repr(request)


@pytest.mark.parametrize(
    ("instrument", "product", "word"),
    [
        (HDFC, Product.DELIVERY, "CNC"),
        (HDFC, Product.INTRADAY, "INTRADAY"),
        (OPTION, Product.DELIVERY, "MARGIN"),
        (OPTION, Product.INTRADAY, "INTRADAY"),
    ],
)
def test_products(instrument: InstrumentRef, product: Product, word: str) -> None:
    assert body(requests.place(HELD, new_order(instrument=instrument, product=product)))["productType"] == word


def test_a_stop_and_its_conversion_into_the_exit() -> None:
    stop = new_order(instrument=HDFC, side=Side.SELL, type=OrderType.STOP_LIMIT, price=15990000, trigger=16000000)
    sent = body(requests.place(HELD, stop))
    assert (sent["orderType"], sent["price"], sent["triggerPrice"]) == ("STOP_LOSS", 1599.0, 1600.0)
    change = Change(order=order_ref("31/2"), type=OrderType.STOP_LIMIT, quantity=7, price=15900000, trigger=15950000)
    request = requests.modify(HELD, change)
    assert (request.method, request.target) == ("PUT", "/v2/orders/31%2F2")
    assert body(request) == {
        "orderId": "31/2",
        "orderType": "STOP_LOSS",
        "legName": "",
        "quantity": 7,
        "price": 1590.0,
        "disclosedQuantity": 0,
        "triggerPrice": 1595.0,
        "validity": "DAY",
        "dhanClientId": CLIENT,
    }
    exit_now = body(requests.modify(HELD, msgspec.structs.replace(change, type=OrderType.LIMIT)))
    assert (exit_now["orderType"], exit_now["triggerPrice"]) == ("LIMIT", 0.0)


def test_calls_without_a_body() -> None:
    sent = [
        requests.cancel(HELD, "17"),
        requests.book(HELD),
        requests.one_order(HELD, "17"),
        requests.by_tag(HELD, "a b"),
        requests.trades(HELD),
        requests.positions(HELD),
        requests.holdings(HELD),
        requests.funds(HELD),
    ]
    assert [f"{one.method} {one.target}" for one in sent] == [
        "DELETE /v2/orders/17",
        "GET /v2/orders",
        "GET /v2/orders/17",
        "GET /v2/orders/external/a%20b",
        "GET /v2/trades",
        "GET /v2/positions",
        "GET /v2/holdings",
        "GET /v2/fundlimit",
    ]
    assert not any(one.body for one in sent)
    assert all(dict(one.headers)["access-token"] == CANARY for one in sent)


def test_the_day_s_list_carries_no_token() -> None:
    assert requests.instruments() == HttpRequest("GET", "/api-data/api-scrip-master.csv")


def test_quotes_are_asked_by_segment_with_whole_numbers() -> None:
    asked = (HDFC, OPTION, NIFTY, InstrumentRef(exchange="NSE", symbol="TCS", token=pack("NSE_EQ", 11536)))
    for build, path in ((requests.quotes, "/v2/marketfeed/quote"), (requests.ltp, "/v2/marketfeed/ltp")):
        request = build(HELD, asked)
        assert request.target == path
        assert body(request) == {
            "NSE_EQ": [1333, 11536],
            "NSE_FNO": [49081],
            "IDX_I": [13],
            "dhanClientId": CLIENT,
        }


def test_margin_of_one_order() -> None:
    request = requests.margin(HELD, (new_order(instrument=HDFC, price=16054500),))
    assert request.target == "/v2/margincalculator"
    assert body(request) == {
        "dhanClientId": CLIENT,
        "exchangeSegment": "NSE_EQ",
        "transactionType": "BUY",
        "quantity": 10,
        "productType": "INTRADAY",
        "securityId": "1333",
        "price": 1605.45,
        "triggerPrice": 0.0,
    }


def test_candles() -> None:
    start = int(datetime(2026, 11, 23, 9, 15, tzinfo=IST).timestamp() * 1000)
    minute = requests.candles(
        HELD, token=HDFC.token, kind="EQUITY", start=start, end=start + 60_000, interval=Interval.FIVE_MINUTES
    )
    assert minute.target == "/v2/charts/intraday"
    assert body(minute) == {
        "securityId": "1333",
        "exchangeSegment": "NSE_EQ",
        "instrument": "EQUITY",
        "oi": False,
        "interval": "5",
        "fromDate": "2026-11-23 09:15:00",
        "toDate": "2026-11-23 09:16:01",
        "dhanClientId": CLIENT,
    }
    day = requests.candles(HELD, token=HDFC.token, kind="EQUITY", start=start, end=start, interval=Interval.DAY)
    assert day.target == "/v2/charts/historical"
    assert (body(day)["fromDate"], body(day)["toDate"]) == ("2026-11-23", "2026-11-24")  # the last day is exclusive


def test_tokens_of_other_brokers_and_unknown_names_are_refused_before_anything_is_sent() -> None:
    for token in (0, -1, 6 << 32 | 5, 9 << 32):
        with pytest.raises(ValueError, match="read the day's instrument list"):
            requests.place(HELD, new_order(instrument=InstrumentRef(exchange="NSE", symbol="X", token=token)))
    with pytest.raises(ValueError, match="NSE:RELIANCE is not in the day's list"):
        requests.with_token(new_order(), words())
