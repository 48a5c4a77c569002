"""Parsers of order and account answers, and answers that nobody should have sent."""

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from algo_brokers.errors import BadAnswer
from algo_brokers.fyers import decoding, responses
from algo_brokers.order_states import is_unknown
from algo_brokers.records import Funds, HoldingRow, Margin, TradeRow
from algo_crds.contracts.orders import OrderRow, OrderStatus, OrderType, PositionRow, Product, RejectKind, Side
from fyers_stand import BOOK_ROW, body
from hypothesis import given
from hypothesis import strategies as st

AT = 1795405811_000
"""23 November 2026, 09:20:11 in India."""


def _rows(*rows: dict[str, Any]) -> tuple[OrderRow, ...]:
    return responses.order_rows(body(orderBook=list(rows)), read_at=9)


def _row(**changes: Any) -> OrderRow:
    (row,) = _rows({**BOOK_ROW, **changes})
    return row


def test_a_row_of_the_book() -> None:
    assert _row() == OrderRow(
        broker_order_id="26112300000105",
        tag="a12345678abce001",
        exchange_order_id="1300000000123456",
        exchange="NSE",
        symbol="SBIN",
        product=Product.INTRADAY,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=10,
        price=600_1000,
        filled=4,
        average_price=600_1000,
        status=OrderStatus.OPEN,
        order_time=AT,
        read_at=9,
    )


@pytest.mark.parametrize(
    ("status", "kind", "filled", "ours"),
    [
        (1, 1, 0, OrderStatus.CANCELLED),
        (2, 1, 10, OrderStatus.FILLED),
        (4, 1, 0, OrderStatus.PENDING),
        (5, 1, 0, OrderStatus.REJECTED),
        (6, 1, 0, OrderStatus.OPEN),
        (6, 2, 4, OrderStatus.OPEN),
        (6, 4, 0, OrderStatus.OPEN),
        (6, 3, 0, OrderStatus.OPEN),
        (6, 4, 4, OrderStatus.TRIGGERED),
        (7, 1, 4, OrderStatus.CANCELLED),
    ],
)
def test_life_cycle(status: int, kind: int, filled: int, ours: OrderStatus) -> None:
    row = _row(status=status, type=kind, filledQty=filled, stopPrice=601)
    assert row.status is ours
    assert row.type is (OrderType.STOP_LIMIT if kind in (3, 4) else OrderType.LIMIT)
    assert row.trigger == 601_0000


@pytest.mark.parametrize("status", [0, 3, 8, -1, 99])
def test_an_unknown_status_is_working_with_a_note(status: int) -> None:
    row = _row(status=status)
    assert row.status is OrderStatus.PENDING
    assert row.message == f"unknown status {status}"
    assert is_unknown(row)


def test_a_rejected_row_has_its_reason() -> None:
    row = _row(status=5, message="RED:Margin Shortfall")
    assert (row.reject_kind, row.message) == (RejectKind.MARGIN, "RED:Margin Shortfall")
    assert _row(status=6, message="RED:Margin Shortfall").reject_kind is None


def test_what_a_row_may_lack() -> None:
    bare = {
        name: value
        for name, value in BOOK_ROW.items()
        if name in ("id", "exchange", "segment", "symbol", "productType", "side", "type", "status", "qty")
    }
    (row,) = _rows(bare)
    assert (row.tag, row.exchange_order_id, row.price, row.filled, row.order_time) == (None, None, 0, 0, 0)
    assert _row(exchOrdId="").exchange_order_id is None
    assert _row(qty=10.0).quantity == 10


def test_orders_of_other_products_are_not_ours() -> None:
    other = {**BOOK_ROW, "productType": "MTF", "orderTag": "2:Untagged"}
    assert _rows(other, {**other, "productType": "BO", "orderTag": None}) == ()
    with pytest.raises(BadAnswer, match="MTF"):
        _row(productType="MTF")


@pytest.mark.parametrize(
    "changes",
    [{"side": 0}, {"type": 9}, {"qty": 1.5}, {"limitPrice": 1e13}, {"id": 5}, {"status": "6"}, {"symbol": None}],
)
def test_one_row_that_cannot_be_read_fails_the_book(changes: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        _rows(BOOK_ROW, {**BOOK_ROW, **changes})


@pytest.mark.parametrize(
    ("text", "tag"),
    [("1:abc", "abc"), ("2:Untagged", None), ("2:Exit", None), ("", None), (None, None), ("abc", "abc"), ("1:", None)],
)
def test_tags(text: str | None, tag: str | None) -> None:
    assert decoding.tag_of(text) == tag


@pytest.mark.parametrize(
    "text", [None, "", "23-Nov-2026", "23-Xxx-2026 09:20:11", "99-Nov-2026 09:20:11", "23-11-2026 09:20:11 "]
)
def test_a_time_of_another_form_is_no_time(text: str | None) -> None:
    assert decoding.instant_of(text) == 0


TRADE = {
    "clientId": "XS00001",
    "orderDateTime": "23-Nov-2026 09:20:11",
    "orderNumber": "26112300000105",
    "exchange": 10,
    "segment": 10,
    "side": 1,
    "orderType": 1,
    "productType": "INTRADAY",
    "tradedQty": 4,
    "tradePrice": 600.1,
    "tradeNumber": "26112300000105-700001234",
    "symbol": "NSE:SBIN-EQ",
}


def test_trades() -> None:
    rows = [TRADE, {**TRADE, "productType": "MTF"}, {**TRADE, "side": 0}]
    assert responses.trade_rows(body(tradeBook=rows)) == (
        TradeRow(
            trade_id="26112300000105-700001234",
            broker_order_id="26112300000105",
            exchange="NSE",
            symbol="SBIN",
            product=Product.INTRADAY,
            side=Side.BUY,
            quantity=4,
            price=600_1000,
            time=AT,
        ),
    )


def _position(**changes: Any) -> dict[str, Any]:
    return {
        "id": "NSE:SBIN-EQ-INTRADAY",
        "symbol": "NSE:SBIN-EQ",
        "exchange": 10,
        "segment": 10,
        "productType": "INTRADAY",
        "side": 1,
        "netQty": 10,
        "qty": 10,
        "netAvg": 600.1,
        **changes,
    }


def test_positions() -> None:
    rows = responses.position_rows(
        body(
            netPositions=[
                _position(),
                _position(productType="MARGIN", segment=11, symbol="NSE:NIFTY26DECFUT"),
                _position(productType="CO"),
            ]
        )
    )
    assert rows == (
        PositionRow(exchange="NSE", symbol="SBIN", product=Product.INTRADAY, quantity=10, average_price=600_1000),
        PositionRow(
            exchange="NFO", symbol="NIFTY26DECFUT", product=Product.DELIVERY, quantity=10, average_price=600_1000
        ),
    )


def _holding(**changes: Any) -> dict[str, Any]:
    return {
        "holdingType": "HLD",
        "quantity": 10,
        "costPrice": 590.2,
        "remainingQuantity": 8,
        "exchange": 10,
        "segment": 10,
        "symbol": "NSE:SBIN-EQ",
        "isin": "INE062A01020",
        "qty_t1": 0,
        **changes,
    }


def _held(*rows: dict[str, Any]) -> HoldingRow:
    (row,) = responses.holding_rows(body(holdings=list(rows), overall={}))
    return row


@pytest.mark.parametrize(
    ("rows", "quantity", "unsettled"),
    [
        ([_holding()], 8, 0),
        ([_holding(remainingQuantity=None)], 10, 0),
        ([_holding(qty_t1=3)], 8, 3),
        ([_holding(qty_t1=None)], 8, 0),
        ([_holding(holdingType="T1", quantity=5, remainingQuantity=5)], 0, 5),
        ([_holding(holdingType="T1", quantity=0, qty_t1=5)], 0, 5),
        ([_holding(), _holding(holdingType="T1", quantity=5)], 8, 5),
        ([_holding(qty_t1=5), _holding(holdingType="T1", quantity=5)], 8, 5),
        ([_holding(holdingType="T1", quantity=5), _holding()], 8, 5),
    ],
)
def test_holdings(rows: list[dict[str, Any]], quantity: int, unsettled: int) -> None:
    held = _held(*rows)
    assert (held.quantity, held.unsettled, held.average_price) == (quantity, unsettled, 590_2000)
    assert (held.exchange, held.symbol, held.isin) == ("NSE", "SBIN", "INE062A01020")


def test_funds_and_margin() -> None:
    lines = [
        {"id": 1, "title": "Total Balance", "equityAmount": 100000.0, "commodityAmount": 0.0},
        {"id": 10, "title": "Available Balance", "equityAmount": 98765.4321, "commodityAmount": 7.0},
    ]
    assert responses.funds(body(fund_limit=lines)) == Funds(available=987654321)
    with pytest.raises(BadAnswer):
        responses.funds(body(fund_limit=lines[:1]))
    data = {"margin_avail": 100000.0, "margin_total": 1500.2, "margin_new_order": 1200.2}
    assert responses.margin(body(data=data)) == Margin(required=1200_2000)


@pytest.mark.parametrize(("seconds", "instant"), [(None, 0), (Decimal(-5), 0), (Decimal(1795405811), AT)])
def test_epoch_seconds(seconds: Decimal | None, instant: int) -> None:
    assert decoding.epoch_ms(seconds) == instant


@pytest.mark.parametrize("value", ["NaN", "Infinity", "sNaN", "-1e13"])
def test_what_is_no_amount_is_refused(value: str) -> None:
    with pytest.raises(BadAnswer):
        _row(limitPrice=value)
    with pytest.raises(BadAnswer):
        _row(qty=value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARSERS = [
    lambda data: responses.order_rows(data, read_at=0),
    responses.trade_rows,
    responses.position_rows,
    responses.holding_rows,
    responses.funds,
    responses.margin,
    responses.owner,
]


@given(st.sampled_from(PARSERS), st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_answers_are_an_error(parse: Any, data: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse(data)


@given(st.sampled_from(sorted(BOOK_ROW)), _JSON)
def test_a_book_with_any_value_anywhere_is_read_or_refused(name: str, value: Any) -> None:
    with contextlib.suppress(BadAnswer):
        for row in _rows({**BOOK_ROW, name: value}):
            assert isinstance(row.price, int)
            assert isinstance(row.quantity, int)
            assert row.status in set(OrderStatus)
            if name not in ("symbol", "exchange", "segment"):
                assert (row.exchange, row.symbol) == ("NSE", "SBIN")
