"""What leaves for orders and the account, byte by byte where it matters."""

from typing import Any

import msgspec
import pytest
from algo_brokers.fyers import requests
from algo_brokers.http import HttpRequest
from algo_brokers.records import Change, InstrumentRef
from algo_crds.contracts.orders import OrderType, Product, Side
from fyers_stand import APP, HELD, ORDER, SBIN, TOKEN
from order_samples import new_order, order_ref

FUTURE = InstrumentRef(exchange="NFO", symbol="NIFTY26DECFUT")


def _json(request: HttpRequest) -> Any:
    return msgspec.json.decode(request.body)


def test_a_buy() -> None:
    request = requests.place(HELD, ORDER)
    assert (request.method, request.target) == ("POST", "/api/v3/orders/sync")
    assert dict(request.headers) == {
        "Authorization": f"{APP}:{TOKEN}",
        "Content-Type": "application/json",
        "version": "3",
    }
    assert _json(request) == {
        "symbol": "NSE:SBIN-EQ",
        "qty": 10,
        "type": 1,
        "side": 1,
        "productType": "INTRADAY",
        "limitPrice": 600.1,
        "stopPrice": 0,
        "validity": "DAY",
        "disclosedQty": 0,
        "offlineOrder": False,
        "orderTag": "a12345678abce001",
    }
    assert b'"limitPrice":600.10,' in request.body


def test_a_stop() -> None:
    stop = new_order(instrument=SBIN, side=Side.SELL, type=OrderType.STOP_LIMIT, price=590_0000, trigger=590_5000)
    sent = _json(requests.place(HELD, stop))
    assert (sent["type"], sent["side"], sent["limitPrice"], sent["stopPrice"]) == (4, -1, 590.0, 590.5)


@pytest.mark.parametrize(
    ("instrument", "product", "name"),
    [
        (SBIN, Product.DELIVERY, "CNC"),
        (FUTURE, Product.DELIVERY, "MARGIN"),
        (FUTURE, Product.INTRADAY, "INTRADAY"),
    ],
)
def test_products(instrument: InstrumentRef, product: Product, name: str) -> None:
    assert _json(requests.place(HELD, new_order(instrument=instrument, product=product)))["productType"] == name


@pytest.mark.parametrize("tag", ["", "a-b", "a_b", "ü", "x" * 31, "Untagged"])
def test_a_tag_that_the_broker_would_not_take_is_never_sent(tag: str) -> None:
    with pytest.raises(ValueError, match="tag"):
        requests.place(HELD, new_order(instrument=SBIN, tag=tag))


def test_changes() -> None:
    stop = Change(order=order_ref("17"), type=OrderType.STOP_LIMIT, quantity=7, price=590_0000, trigger=590_5000)
    request = requests.modify(HELD, stop)
    assert (request.method, request.target) == ("PATCH", "/api/v3/orders/sync")
    assert _json(request) == {"id": "17", "type": 4, "qty": 7, "limitPrice": 590.0, "stopPrice": 590.5}
    exit_now = msgspec.structs.replace(stop, type=OrderType.LIMIT)
    assert _json(requests.modify(HELD, exit_now)) == {
        "id": "17",
        "type": 1,
        "qty": 7,
        "limitPrice": 590.0,
        "stopPrice": 0,
    }
    gone = requests.cancel(HELD, "17")
    assert (gone.method, gone.target, gone.body) == ("DELETE", "/api/v3/orders/sync", b'{"id":"17"}')


@pytest.mark.parametrize(
    ("request_", "target"),
    [
        (requests.book(HELD), "/api/v3/orders"),
        (requests.one_order(HELD, "1&2"), "/api/v3/orders?id=1%262"),
        (requests.by_tag(HELD, "abc"), "/api/v3/orders?order_tag=1%3Aabc"),
        (requests.trades(HELD), "/api/v3/tradebook"),
        (requests.positions(HELD), "/api/v3/positions"),
        (requests.holdings(HELD), "/api/v3/holdings"),
        (requests.funds(HELD), "/api/v3/funds"),
        (requests.profile(HELD), "/api/v3/profile"),
    ],
)
def test_reads(request_: HttpRequest, target: str) -> None:
    assert (request_.method, request_.target, request_.body) == ("GET", target, b"")


def test_margin() -> None:
    stop = new_order(instrument=SBIN, side=Side.SELL, type=OrderType.STOP_LIMIT, price=590_0000, trigger=590_5000)
    request = requests.margin(HELD, (ORDER, stop))
    assert (request.method, request.target) == ("POST", "/api/v3/multiorder/margin")
    first, second = _json(request)["data"]
    assert first == {
        "symbol": "NSE:SBIN-EQ",
        "qty": 10,
        "side": 1,
        "type": 1,
        "productType": "INTRADAY",
        "limitPrice": 600.1,
        "stopLoss": 0,
        "stopPrice": 0,
        "takeProfit": 0,
    }
    assert second["stopPrice"] == 590.5


def test_no_text_form_shows_the_session() -> None:
    for request in (requests.place(HELD, ORDER), requests.by_tag(HELD, "abc")):
        assert TOKEN not in repr(request)
        assert APP not in str(request)
