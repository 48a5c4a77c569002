"""Answers of the broker and what we make of them."""

import json
from typing import Any

import pytest
from algo_brokers.errors import (
    AddressRefused,
    BadAnswer,
    BrokerUnavailable,
    RequestRefused,
    SessionRefused,
    TooManyRequests,
)
from algo_brokers.http import HttpAnswer
from algo_brokers.order_states import is_unknown
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_brokers.zerodha import prices, responses
from algo_crds.contracts.orders import OrderStatus, OrderType, Product, RejectKind
from hypothesis import given
from hypothesis import strategies as st

TAG = "a12345678abce001"


def answer(status: int, body: object) -> HttpAnswer:
    return HttpAnswer(status, "application/json", json.dumps(body).encode())


def error(status: int, error_type: str, message: str) -> HttpAnswer:
    return answer(status, {"status": "error", "message": message, "error_type": error_type, "data": None})


def order(**changes: Any) -> dict[str, Any]:
    return {
        "order_id": "1",
        "exchange_order_id": "13",
        "status": "OPEN",
        "exchange": "NSE",
        "tradingsymbol": "RELIANCE",
        "product": "MIS",
        "transaction_type": "SELL",
        "order_type": "SL",
        "quantity": 10,
        "price": 2850.5,
        "trigger_price": 2860,
        "filled_quantity": 0,
        "average_price": 0,
        "order_timestamp": "2026-03-02 10:15:07",
        "status_message": None,
        "tag": TAG,
        **changes,
    }


def rows(*orders: dict[str, Any]) -> Any:
    return responses.order_rows(json.dumps(list(orders)).encode(), read_at=5)


def test_accepted() -> None:
    good = answer(200, {"status": "success", "data": {"order_id": "260302000000017"}})
    assert responses.write_outcome(good) == Accepted(broker_order_id="260302000000017")


@pytest.mark.parametrize(
    ("status", "error_type", "message", "kind"),
    [
        (403, "TokenException", "Token is invalid or has expired.", RejectKind.SESSION),
        (403, "PermissionException", "No IPs configured for this app. Add allowed IPs.", RejectKind.ADDRESS),
        (400, "InputException", "IP (203.0.113.7) is not allowed to place orders for this app.", RejectKind.ADDRESS),
        (500, "GeneralException", "No IPs configured for this app.", RejectKind.ADDRESS),
        (403, "PermissionException", "not enabled", RejectKind.SESSION),
        (403, "UserException", "account blocked", RejectKind.SESSION),
        (403, "TwoFAException", "2fa", RejectKind.SESSION),
        (403, "", "Forbidden", RejectKind.SESSION),
        (429, "NetworkException", "Too many requests", RejectKind.RATE),
        (400, "NetworkException", "Too many requests", RejectKind.RATE),
        (400, "MarginException", "Insufficient funds. Required margin is 1.", RejectKind.MARGIN),
        (400, "OrderException", "RMS:Margin Exceeds,Required:100", RejectKind.MARGIN),
        (400, "HoldingException", "no holdings", RejectKind.QUANTITY),
        (400, "InputException", "16316 : The trigger price is not a multiple of tick size", RejectKind.TICK_SIZE),
        (
            400,
            "InputException",
            "Trigger price for stoploss sell orders cannot be below the lower circuit price. Try 10.",
            RejectKind.BAND,
        ),
        (
            400,
            "InputException",
            "Trigger price for stoploss sell orders should be lower than the last traded price",
            RejectKind.THROUGH,
        ),
        (400, "InputException", "Trigger and limit price: difference is too large", RejectKind.GAP),
        (400, "InputException", "16052: Function not available", RejectKind.PRODUCT),
        (
            400,
            "InputException",
            "MIS (intraday) are blocked as the markets are not open for trading today. Try placing an AMO order.",
            RejectKind.CLOSED,
        ),
        (400, "OrderException", "Maximum allowed order modifications exceeded.", RejectKind.TOO_MANY_CHANGES),
        (400, "OrderException", "Order cannot be modified as it is being processed", RejectKind.NOT_MODIFIABLE),
        (400, "InputException", "quantity exceeds the freeze limit", RejectKind.QUANTITY),
        (400, "InputException", "something else", RejectKind.ORDER_OTHER),
        (404, "GeneralException", "Route not found", RejectKind.ORDER_OTHER),
        (400, "GeneralException", "insufficient funds", RejectKind.MARGIN),
    ],
)
def test_certain_refusals(status: int, error_type: str, message: str, kind: RejectKind) -> None:
    outcome = responses.write_outcome(error(status, error_type, message))
    assert isinstance(outcome, Rejected)
    assert outcome.kind is kind
    assert outcome.session_over == (error_type == "TokenException")


@pytest.mark.parametrize(
    ("status", "error_type", "message"),
    [
        (400, "OrderException", "Order request timed out. Please check the order book and confirm before placing."),
        (400, "NetworkException", "could not reach the order system"),
        (500, "GeneralException", "Something went wrong"),
        (500, "OrderException", "OMS trouble"),
        (502, "DataException", "nonsense"),
        (503, "NetworkException", "down"),
        (504, "NetworkException", "gateway timeout"),
        (302, "NewException", "moved"),
    ],
)
def test_what_may_stand_at_the_exchange_is_unknown(status: int, error_type: str, message: str) -> None:
    assert responses.write_outcome(error(status, error_type, message)) == Unknown(reason=message)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"status":"success"}', b'{"status":"success","data":{}}', b"[]"])
@pytest.mark.parametrize("status", [200, 400, 502])
def test_an_answer_that_says_nothing_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(responses.write_outcome(HttpAnswer(status, "text/html", body)), Unknown)


def test_success_status_that_is_none_is_unknown() -> None:
    assert isinstance(responses.write_outcome(answer(200, {"status": "error", "data": {"order_id": "1"}})), Unknown)


@given(st.integers(100, 599), st.binary(max_size=80))
def test_arbitrary_answers_never_count_as_accepted(status: int, body: bytes) -> None:
    assert not isinstance(responses.write_outcome(HttpAnswer(status, "", body)), Accepted)


@pytest.mark.parametrize(
    ("status", "error_type", "message", "kind"),
    [
        (403, "TokenException", "over", SessionRefused),
        (403, "PermissionException", "No IPs configured for this app.", AddressRefused),
        (429, "NetworkException", "Too many requests", TooManyRequests),
        (503, "NetworkException", "down", BrokerUnavailable),
        (400, "InputException", "bad", RequestRefused),
    ],
)
def test_failed_reads(status: int, error_type: str, message: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=message):
        responses.read_data(error(status, error_type, message))


def test_reads_without_a_body() -> None:
    with pytest.raises(BrokerUnavailable, match="HTTP 502"):
        responses.read_data(HttpAnswer(502, "text/html", b"<html>"))
    with pytest.raises(BadAnswer):
        responses.read_data(HttpAnswer(200, "text/html", b"<html>"))
    with pytest.raises(RequestRefused):
        responses.read_data(answer(200, {"status": "error", "data": None}))


@pytest.mark.parametrize(
    ("status", "order_type", "filled", "expected"),
    [
        ("COMPLETE", "LIMIT", 10, OrderStatus.FILLED),
        ("CANCELLED", "SL", 0, OrderStatus.CANCELLED),
        ("LAPSED", "SL", 0, OrderStatus.CANCELLED),
        ("REJECTED", "SL", 0, OrderStatus.REJECTED),
        ("TRIGGER PENDING", "SL", 0, OrderStatus.TRIGGER_PENDING),
        ("OPEN", "SL", 0, OrderStatus.TRIGGERED),
        ("OPEN", "SL-M", 0, OrderStatus.TRIGGERED),
        ("OPEN", "LIMIT", 0, OrderStatus.OPEN),
        ("UPDATE", "LIMIT", 0, OrderStatus.OPEN),
        ("UPDATE", "SL", 0, OrderStatus.PENDING),
        ("UPDATE", "SL", 3, OrderStatus.TRIGGERED),
        *((text, "SL", 0, OrderStatus.PENDING) for text in sorted(responses.INTERIM)),
    ],
)
def test_statuses(status: str, order_type: str, filled: int, expected: OrderStatus) -> None:
    (row,) = rows(order(status=status, order_type=order_type, filled_quantity=filled))
    assert row.status is expected
    assert row.message == ""


def test_an_unknown_status_counts_as_working_and_says_so() -> None:
    (row,) = rows(order(status="QUEUED AT MOON"))
    assert row.status is OrderStatus.PENDING
    assert "QUEUED AT MOON" in row.message
    assert is_unknown(row)


def test_a_row() -> None:
    (row,) = rows(order(status="TRIGGER PENDING"))
    assert (row.type, row.product, row.price, row.trigger) == (
        OrderType.STOP_LIMIT,
        Product.INTRADAY,
        28505000,
        28600000,
    )
    assert row.order_time == 1772426707000
    assert (row.tag, row.exchange_order_id, row.read_at) == (TAG, "13", 5)


def test_reject_reason_and_missing_fields() -> None:
    raw = order(status="REJECTED", status_message="x", status_message_raw="RMS:Margin Exceeds,Required:1")
    for name in ("exchange_order_id", "order_timestamp", "tag"):
        raw.pop(name)
    raw |= {"price": None, "trigger_price": None, "average_price": None, "filled_quantity": None}
    (row,) = rows(raw)
    assert row.reject_kind is RejectKind.MARGIN
    assert (row.tag, row.order_time, row.price, row.filled) == (None, 0, 0, 0)


def test_tag_among_tags() -> None:
    (row,) = rows(order(tag=None, tags=["autoslice", TAG]))
    assert row.tag == TAG
    (row,) = rows(order(tag="my own", tags=None))
    assert row.tag == "my own"


def test_orders_of_other_products() -> None:
    assert rows(order(product="CO", tag=None)) == ()
    with pytest.raises(BadAnswer):
        rows(order(product="CO"))
    with pytest.raises(BadAnswer):
        rows(order(transaction_type="HOLD"))


def test_one_bad_row_spoils_the_book() -> None:
    with pytest.raises(BadAnswer):
        rows(order(), {"order_id": "2"})
    with pytest.raises(BadAnswer):
        responses.order_rows(b'[{"order_id"', read_at=0)


@pytest.mark.parametrize("text", [None, "", "10:15:07", "2026-13-02 10:15:07", "xxxxxxxxxxxxxxxxxxx"])
def test_no_instant(text: str | None) -> None:
    assert responses.instant_of(text) == 0


@pytest.mark.parametrize("number", [b"1e300", b"1e400", b"NaN"])
def test_a_number_that_is_no_price(number: bytes) -> None:
    with pytest.raises(BadAnswer):
        responses.funds(b'{"net":%s}' % number)


def test_other_reads() -> None:
    trade = {
        "trade_id": "7",
        "order_id": "1",
        "exchange": "NSE",
        "tradingsymbol": "TCS",
        "product": "MIS",
        "transaction_type": "BUY",
        "quantity": 4,
        "average_price": 2870.5,
        "fill_timestamp": "2026-03-02 10:15:09",
    }
    (found,) = responses.trade_rows(json.dumps([trade, trade | {"product": "CO"}]).encode())
    assert (found.price, found.quantity, found.time) == (28705000, 4, 1772426709000)
    position = {"exchange": "NSE", "tradingsymbol": "TCS", "product": "MIS", "quantity": -4, "average_price": 10}
    (held,) = responses.position_rows(
        json.dumps({"net": [position, position | {"product": "MTF"}], "day": []}).encode()
    )
    assert held.quantity == -4
    holding = {"exchange": "NSE", "tradingsymbol": "TCS", "quantity": 3, "t1_quantity": None, "average_price": 1.5}
    (share,) = responses.holding_rows(json.dumps([holding]).encode())
    assert (share.quantity, share.unsettled, share.average_price) == (3, 0, 15000)
    assert responses.funds(b'{"net":182400.5}').available == 1824005000
    assert prices.last_prices(b'{"NSE:TCS":{"last_price":3210.05}}') == {("NSE", "TCS"): 32100500}
    (bar,) = prices.candles(b'{"candles":[["2026-03-02T09:15:00+0530",1,2,0.5,1.5,10]]}')
    assert (bar.time, bar.high, bar.volume) == (1772423100000, 20000, 10)
    with pytest.raises(BadAnswer):
        prices.candles(b'{"candles":[["yesterday",1,2,0.5,1.5,10]]}')


def test_quotes() -> None:
    body = {
        "NSE:RELIANCE": {
            "last_price": 2875.4,
            "timestamp": "2026-03-02 10:15:07",
            "volume": 5,
            "lower_circuit_limit": 2574.7,
            "upper_circuit_limit": 3146.8,
            "ohlc": {"close": 2860.75},
        },
        "NSE:NIFTY 50": {"last_price": 22450.3},
    }
    first, second = prices.quotes(json.dumps(body).encode())
    assert (first.symbol, first.price, first.band_low, first.band_high, first.previous_close) == (
        "RELIANCE",
        28754000,
        25747000,
        31468000,
        28607500,
    )
    assert (second.symbol, second.band_high, second.time) == ("NIFTY 50", 0, 0)
