"""Order rows: every status, mixed types, whose they are."""

from typing import Any

import pytest
from algo_brokers.angelone import order_rows
from algo_brokers.errors import BadAnswer
from algo_brokers.order_states import is_unknown
from algo_crds.contracts.orders import OrderRow, OrderStatus, OrderType, Product, RejectKind, Side
from angelone_samples import AT, TAG, name_of, order, raw, stop
from hypothesis import given
from hypothesis import strategies as st

S = OrderStatus


def one(row: dict[str, Any]) -> OrderRow:
    (found,) = order_rows.order_rows(raw([row]), read_at=9, name_of=name_of).rows
    return found


def test_a_row() -> None:
    assert one(order(filledshares=2, averageprice="2870.25", text="ok")) == OrderRow(
        broker_order_id="260302000012345",
        tag=TAG,
        exchange_order_id="1100000012345678",
        exchange="NSE",
        symbol="RELIANCE",
        product=Product.INTRADAY,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=5,
        price=28705000,
        trigger=0,
        filled=2,
        average_price=28702500,
        status=S.OPEN,
        message="ok",
        order_time=AT,
        read_at=9,
    )


def test_a_resting_stop_shows_type_trigger_limit_and_what_is_left() -> None:
    row = one(stop())
    assert (row.type, row.status, row.side) == (OrderType.STOP_LIMIT, S.TRIGGER_PENDING, Side.SELL)
    assert (row.trigger, row.price, row.quantity - row.filled) == (28600500, 28505000, 5)


@pytest.mark.parametrize(
    ("text", "limit", "resting"),
    [
        ("put order req received", S.PENDING, S.PENDING),
        ("validation pending", S.PENDING, S.PENDING),
        ("open pending", S.PENDING, S.PENDING),
        ("open", S.OPEN, S.TRIGGERED),
        ("trigger pending", S.TRIGGER_PENDING, S.TRIGGER_PENDING),
        ("modify validation pending", S.PENDING, S.PENDING),
        ("modify pending", S.PENDING, S.PENDING),
        ("modified", S.OPEN, S.PENDING),
        ("not modified", S.OPEN, S.PENDING),
        ("cancel pending", S.PENDING, S.PENDING),
        ("not cancelled", S.OPEN, S.PENDING),
        ("complete", S.FILLED, S.FILLED),
        ("cancelled", S.CANCELLED, S.CANCELLED),
        ("rejected", S.REJECTED, S.REJECTED),
        ("lapsed", S.CANCELLED, S.CANCELLED),
        ("after market order req received", S.PENDING, S.PENDING),
        ("modify after market order req received", S.PENDING, S.PENDING),
        ("cancelled after market order", S.CANCELLED, S.CANCELLED),
        ("  Trigger  PENDING ", S.TRIGGER_PENDING, S.TRIGGER_PENDING),
    ],
)
def test_every_documented_status(text: str, limit: OrderStatus, resting: OrderStatus) -> None:
    assert one(order(status=text)).status is limit
    assert one(stop(status=text)).status is resting


def test_the_table_has_every_status_of_the_module() -> None:
    assert len(order_rows.STATUS) + len(order_rows.LIVES) == 18


def test_a_changed_stop_that_has_fills_has_triggered() -> None:
    assert one(stop(status="modified", filledshares="1")).status is S.TRIGGERED


def test_the_second_status_stands_in_for_the_first() -> None:
    assert one(order(status="", orderstatus="complete")).status is S.FILLED
    assert one(order(status=None, orderstatus="complete")).status is S.FILLED


@pytest.mark.parametrize("status", ["frozen", "", None])
@pytest.mark.parametrize("changes", [{}, {"ordertag": "manual"}, {"text": "as the broker says"}])
def test_an_unknown_status_is_pending_with_a_note(status: str | None, changes: dict[str, str]) -> None:
    words = {"status": status, "orderstatus": status}
    for row in (one(order(**words, **changes)), one(stop(**words, **changes))):
        assert (row.status, row.reject_kind) == (S.PENDING, None)
        assert is_unknown(row)
    assert repr(status) in one(order(status=status, orderstatus=status)).message


def test_one_unknown_status_does_not_hide_the_other_orders() -> None:
    book = raw([order(status="frozen"), order(orderid="2", status="open")])
    first, second = order_rows.order_rows(book, read_at=9, name_of=name_of).rows
    assert is_unknown(first)
    assert (second.broker_order_id, second.status) == ("2", S.OPEN)


def test_a_rejection_tells_why() -> None:
    row = one(order(status="rejected", text="Insufficient funds"))
    assert (row.status, row.reject_kind, row.message) == (S.REJECTED, RejectKind.MARGIN, "Insufficient funds")
    assert one(order(status="rejected", text=None)).reject_kind is RejectKind.ORDER_OTHER


@pytest.mark.parametrize(
    "changes", [{"producttype": "MARGIN"}, {"producttype": "BO"}, {"ordertype": "ODD"}, {"transactiontype": ""}]
)
def test_kinds_of_order_that_are_never_ours(changes: dict[str, str]) -> None:
    foreign = order(ordertag="", **changes)
    assert order_rows.order_rows(raw([foreign]), read_at=0, name_of=name_of).rows == ()
    with pytest.raises(BadAnswer):
        one(order(**changes))


def test_other_types_and_products() -> None:
    assert one(order(ordertype="MARKET", symboltoken=2885, price="0")).type is OrderType.LIMIT
    assert one(stop(ordertype="STOPLOSS_MARKET")).type is OrderType.STOP_LIMIT
    assert one(order(producttype="CARRYFORWARD", exchange="NFO", tradingsymbol="X")).product is Product.DELIVERY
    row = one(order(symboltoken=None, ordertag=None, exchangeorderid="", updatetime=None))
    assert (row.symbol, row.tag, row.exchange_order_id, row.order_time) == ("RELIANCE", None, None, 0)


def test_both_ids_of_every_row() -> None:
    book = order_rows.order_rows(
        raw([order(), order(orderid="2", uniqueorderid=None, producttype="BO", ordertag="")]),
        read_at=0,
        name_of=name_of,
    )
    assert book.unique_ids == {"260302000012345": "5f0c1f7e-3d9a-4d1b-9a51-0c2a4d7e9b11", "2": "2"}
    assert len(book.rows) == 1


@pytest.mark.parametrize(
    "data", [b"{}", b"[1]", raw([{}]), raw([order(orderid="")]), raw([order(quantity="x")]), raw([order(price="x")])]
)
def test_half_a_book_is_no_book(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        order_rows.order_rows(data, read_at=0, name_of=name_of)


def test_one_order() -> None:
    for data in (raw(order()), raw([order()])):
        assert len(order_rows.one_order(data, read_at=0, name_of=name_of).rows) == 1
    for nothing in (b"null", b"[]"):
        assert order_rows.one_order(nothing, read_at=0, name_of=name_of).rows == ()


@given(st.binary(max_size=200))
def test_arbitrary_bytes(data: bytes) -> None:
    for read in (order_rows.order_rows, order_rows.one_order):
        try:
            rows = read(data, read_at=0, name_of=name_of).rows
        except BadAnswer:
            continue
        assert rows == ()


@given(st.dictionaries(st.sampled_from(sorted(order())), st.none() | st.integers() | st.text() | st.floats()))
def test_strange_values_are_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        row = one(order(**changes))
    except (BadAnswer, ValueError):
        return
    assert row.broker_order_id
