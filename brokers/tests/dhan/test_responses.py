"""Orders, fills and the account as the broker tells them."""

import json
from typing import Any

import pytest
from algo_brokers.dhan import responses
from algo_brokers.dhan.names import Words, pack
from algo_brokers.errors import BadAnswer, SessionRefused
from algo_brokers.http import HttpAnswer
from algo_brokers.order_states import is_unknown
from algo_brokers.records import Funds, HoldingRow, Margin, TradeRow
from algo_crds.contracts.orders import OrderRow, OrderStatus, OrderType, PositionRow, Product, RejectKind, Side
from dhan_stand import CLIENT, TAG, answer, error, instrument, order, words
from hypothesis import given
from hypothesis import strategies as st

KNOWN = words(instrument(), instrument(symbol="CENTRALBK-BE", token=pack("NSE_EQ", 7), broker_symbol="CENTRALBK"))


def rows(*orders: dict[str, Any]) -> tuple[OrderRow, ...]:
    return responses.order_rows(json.dumps(list(orders)).encode(), KNOWN, read_at=5)


def test_a_row_of_the_book() -> None:
    assert rows(order()) == (
        OrderRow(
            broker_order_id="312611234433",
            tag=TAG,
            exchange_order_id="1300000000123456",
            exchange="NSE",
            symbol="HDFCBANK",
            product=Product.INTRADAY,
            side=Side.BUY,
            type=OrderType.LIMIT,
            quantity=10,
            price=16055000,
            status=OrderStatus.OPEN,
            order_time=1_795_405_811_000,
            read_at=5,
        ),
    )
    assert rows() == ()


@pytest.mark.parametrize("placeholder", [None, "", "NA", "0"])
def test_placeholders(placeholder: str | None) -> None:
    (row,) = rows(
        order(exchangeOrderId=placeholder, correlationId=placeholder, createTime="0001-01-01 00:00:00", price=None)
    )
    assert (row.exchange_order_id, row.tag, row.order_time, row.price) == (None, None, 0, 0)
    assert row.status is OrderStatus.PENDING  # not at the exchange yet


def test_numbers_as_floats_and_texts() -> None:
    (row,) = rows(order(quantity=10.0, filledQty="4", price="1605.5", averageTradedPrice=1605.4499999999998))
    assert (row.quantity, row.filled, row.price, row.average_price) == (10, 4, 16055000, 16054500)
    (row,) = rows(order(securityId=1333))
    assert row.symbol == "HDFCBANK"


STATES = [
    ("TRANSIT", "LIMIT", 0, OrderStatus.PENDING),
    ("PENDING", "LIMIT", 0, OrderStatus.OPEN),
    ("PENDING", "MARKET", 0, OrderStatus.OPEN),
    ("PENDING", "STOP_LOSS", 0, OrderStatus.OPEN),
    ("PENDING", "STOP_LOSS_MARKET", 0, OrderStatus.OPEN),
    ("PENDING", "STOP_LOSS", 3, OrderStatus.TRIGGERED),
    ("PENDING", "LIMIT", 3, OrderStatus.OPEN),
    ("PART_TRADED", "LIMIT", 3, OrderStatus.OPEN),
    ("PART_TRADED", "STOP_LOSS", 3, OrderStatus.TRIGGERED),
    ("Part-Traded", "STOP_LOSS", 3, OrderStatus.TRIGGERED),
    ("TRADED", "LIMIT", 10, OrderStatus.FILLED),
    ("Traded", "LIMIT", 10, OrderStatus.FILLED),
    ("CANCELLED", "LIMIT", 3, OrderStatus.CANCELLED),
    ("EXPIRED", "LIMIT", 0, OrderStatus.CANCELLED),
    ("REJECTED", "LIMIT", 0, OrderStatus.REJECTED),
    ("CLOSED", "LIMIT", 10, OrderStatus.FILLED),
    ("TRIGGERED", "LIMIT", 0, OrderStatus.TRIGGERED),
    ("CONFIRM", "LIMIT", 0, OrderStatus.PENDING),
    ("MODIFIED", "LIMIT", 0, OrderStatus.PENDING),
    ("INACTIVE", "LIMIT", 0, OrderStatus.PENDING),
]


@pytest.mark.parametrize(("word", "kind", "filled", "status"), STATES)
def test_every_documented_state(word: str, kind: str, filled: int, status: OrderStatus) -> None:
    (row,) = rows(order(orderStatus=word, orderType=kind, filledQty=filled))
    assert row.status is status
    assert "unknown" not in row.message


def test_an_unknown_state_is_working_and_says_so() -> None:
    (row,) = rows(order(orderStatus="HALF_DONE"))
    assert (row.status, row.message) == (OrderStatus.PENDING, "unknown status 'HALF_DONE'")
    assert is_unknown(row)


def test_a_rejected_order_says_why() -> None:
    (row,) = rows(order(orderStatus="REJECTED", omsErrorDescription="Insufficient Funds"))
    assert (row.reject_kind, row.message) == (RejectKind.MARGIN, "Insufficient Funds")


def test_products_that_are_never_ours() -> None:
    assert rows(order(productType="MTF", correlationId="NA"), order(productType="BO", correlationId=None)) == ()
    assert [row.product for row in rows(order(productType="CNC"), order(productType="MARGIN"))] == [
        Product.DELIVERY,
        Product.DELIVERY,
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"productType": "CO"},  # with a tag of ours
        {"transactionType": "HOLD"},
        {"orderType": "ICEBERG"},
        {"quantity": -1},
        {"quantity": 1.5},
        {"exchangeSegment": "NASDAQ"},
        {"securityId": "abc"},
        {"securityId": "-1"},
        {"securityId": str(1 << 32)},
        {"price": 1e15},
        {"orderId": None},
    ],
)
def test_one_bad_row_fails_the_book(changes: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        rows(order(), order(**changes))


def test_names_come_from_the_day_s_list() -> None:
    (listed, unlisted, option) = rows(
        order(securityId="7", tradingSymbol="CENTRALBK"),
        order(securityId="8", tradingSymbol="OTHER"),
        order(securityId="9", exchangeSegment="NSE_FNO", tradingSymbol="NIFTY-Nov2026-26000-CE"),
    )
    assert listed.symbol == "CENTRALBK-BE"
    assert unlisted.symbol == "OTHER"
    assert (option.exchange, option.symbol) == ("NFO", "NIFTY-Nov2026-26000-CE")


def test_trades() -> None:
    trade = {
        "dhanClientId": CLIENT,
        "orderId": "312611234433",
        "exchangeOrderId": "1300000000123456",
        "exchangeTradeId": "700001234",
        "transactionType": "BUY",
        "exchangeSegment": "NSE_EQ",
        "productType": "INTRADAY",
        "orderType": "LIMIT",
        "tradingSymbol": "HDFCBANK",
        "customSymbol": None,
        "securityId": "1333",
        "tradedQuantity": 4,
        "tradedPrice": 1605.45,
        "createTime": "2026-11-23 09:20:11",
        "exchangeTime": "2026-11-23 09:20:15",
        "drvExpiryDate": "NA",
    }
    body = json.dumps([trade, trade | {"productType": "BO"}]).encode()
    assert responses.trade_rows(body, KNOWN) == (
        TradeRow(
            trade_id="700001234",
            broker_order_id="312611234433",
            exchange="NSE",
            symbol="HDFCBANK",
            product=Product.INTRADAY,
            side=Side.BUY,
            quantity=4,
            price=16054500,
            time=1_795_405_815_000,
        ),
    )
    with pytest.raises(BadAnswer, match="no side"):
        responses.trade_rows(json.dumps([trade | {"transactionType": "?"}]).encode(), KNOWN)


def test_positions() -> None:
    row = {
        "dhanClientId": CLIENT,
        "tradingSymbol": "HDFCBANK",
        "securityId": "1333",
        "positionType": "SHORT",
        "exchangeSegment": "NSE_EQ",
        "productType": "INTRADAY",
        "buyAvg": 0.0,
        "costPrice": 1605.45,
        "buyQty": 0,
        "sellAvg": 1605.45,
        "sellQty": 10,
        "netQty": -10,
        "drvOptionType": None,
        "crossCurrency": False,
    }
    closed = row | {"positionType": "CLOSED", "netQty": 0, "costPrice": None, "productType": "CNC"}
    body = json.dumps([row, closed, row | {"productType": "MTF"}]).encode()
    assert responses.position_rows(body, KNOWN) == (
        PositionRow(exchange="NSE", symbol="HDFCBANK", product=Product.INTRADAY, quantity=-10, average_price=16054500),
        PositionRow(exchange="NSE", symbol="HDFCBANK", product=Product.DELIVERY, quantity=0),
    )
    assert responses.position_rows(b"[]", KNOWN) == ()


HOLDING = {
    "exchange": "ALL",
    "tradingSymbol": "NIFTYBEES",
    "securityId": "10576",
    "isin": "INF204KB14I2",
    "totalQty": 12,
    "dpQty": 10,
    "t1Qty": 2,
    "availableQty": 12,
    "collateralQty": 0,
    "avgCostPrice": 261.4,
    "lastTradedPrice": 268.75,
}


def test_holdings() -> None:
    on_bse = {"exchange": "BSE", "tradingSymbol": "MCL", "securityId": "200072", "availableQty": 5}
    told = responses.holding_rows(answer(200, [HOLDING, on_bse]), KNOWN)
    assert told == (
        HoldingRow(
            exchange="NSE", symbol="NIFTYBEES", isin="INF204KB14I2", quantity=10, unsettled=2, average_price=2614000
        ),
        HoldingRow(exchange="BSE", symbol="MCL", isin="", quantity=5, unsettled=0, average_price=0),
    )


def test_no_holdings_is_an_error_of_its_own() -> None:
    assert responses.holding_rows(error(400, "DH-1111", "No holdings available"), KNOWN) == ()
    with pytest.raises(SessionRefused):
        responses.holding_rows(error(401, "DH-901"), KNOWN)


def test_funds() -> None:
    body = b'{"dhanClientId":"1000000003","availabelBalance":50250.5,"sodLimit":60000.0,"receiveableAmount":0.0}'
    assert responses.funds(body) == Funds(available=502505000)
    for bad in (b"{}", b"[]", b'{"availableBalance":1}', b'{"availabelBalance":1e15}'):
        with pytest.raises(BadAnswer):
            responses.funds(bad)


def test_margins() -> None:
    one = b'{"totalMargin":16054.5,"spanMargin":0.0,"leverage":"1X","availableBalance":50250.5}'
    assert responses.margin(one) == Margin(required=160545000)
    assert responses.margin(b'{"total_margin":"16054.50","span_margin":"0"}') == Margin(required=160545000)
    assert responses.margin(b'{"totalMargin":0}') == Margin(required=0)
    with pytest.raises(BadAnswer, match="no total"):
        responses.margin(b'{"leverage":"1X"}')


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_an_error_or_rows(body: bytes) -> None:
    known = Words()
    for read in (
        lambda: responses.order_rows(body, known, read_at=1),
        lambda: responses.trade_rows(body, known),
        lambda: responses.position_rows(body, known),
        lambda: responses.holding_rows(HttpAnswer(200, "application/json", body), known),
        lambda: responses.funds(body),
        lambda: responses.margin(body),
    ):
        try:
            told = read()
        except BadAnswer:
            continue
        assert told == () or told


@given(st.data())
def test_a_truncated_book_is_an_error(data: st.DataObject) -> None:
    whole = json.dumps([order(), order(orderId="2")]).encode()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(BadAnswer):
        responses.order_rows(whole[:cut], KNOWN, read_at=1)
