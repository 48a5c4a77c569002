"""The order socket's texts."""

import contextlib
import json
from typing import Any

import pytest
from algo_brokers.errors import BadAnswer
from algo_brokers.fyers import order_stream
from algo_crds.contracts.orders import OrderRow, OrderStatus, OrderType, Product, Side
from fyers_stand import APP, HELD, ORDERS_OK, SOCKET_ROW, TOKEN
from hypothesis import given
from hypothesis import strategies as st


def _decode(**message: Any) -> object:
    return order_stream.decode(json.dumps(message).encode(), read_at=9)


def _row(**changes: Any) -> OrderRow | None:
    update = _decode(orders={**SOCKET_ROW, **changes}, s="ok")
    assert isinstance(update, order_stream.OrderUpdate)
    return update.row


def test_an_order() -> None:
    assert _row(qty_filled=4, price_traded=600.05) == OrderRow(
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
        average_price=600_0500,
        status=OrderStatus.OPEN,
        order_time=1795405811_000,
        read_at=9,
    )
    assert _row(product_type="MTF", ordertag="2:Untagged") is None


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (1, OrderStatus.CANCELLED),
        (2, OrderStatus.FILLED),
        (4, OrderStatus.PENDING),
        (5, OrderStatus.REJECTED),
        (6, OrderStatus.OPEN),
        (7, OrderStatus.CANCELLED),
        (99, OrderStatus.PENDING),
    ],
)
def test_every_status_is_the_books(told: int, status: OrderStatus) -> None:
    row = _row(org_ord_status=told)
    assert row is not None
    assert row.status is status


def test_other_messages() -> None:
    assert order_stream.decode(b"pong", read_at=0) == order_stream.Ignored()
    assert order_stream.decode(ORDERS_OK.encode(), read_at=0) == order_stream.Subscribed()
    assert _decode(trades={"id_fill": "1"}, s="ok") == order_stream.Ignored()
    assert _decode(positions={}, s="ok") == order_stream.Ignored()
    assert _decode(s="error", code=-300, message="bad list") == order_stream.ServerError("bad list (-300)")
    assert _decode(s="error") == order_stream.ServerError("order socket error (None)")


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff", b"[" * 5000, b'{"orders": 5}', b'{"orders": {"id": "1"}}'])
def test_what_cannot_be_read(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        order_stream.decode(data, read_at=0)


def test_what_we_send() -> None:
    assert order_stream.headers(HELD) == {"authorization": f"{APP}:{TOKEN}"}
    assert json.loads(order_stream.SUBSCRIBE) == {"T": "SUB_ORD", "SLIST": ["orders"], "SUB_T": 1}
    assert order_stream.PING == b"ping"


@given(
    st.sampled_from(sorted(SOCKET_ROW)), st.none() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False)
)
def test_any_value_anywhere_is_read_or_refused(name: str, value: object) -> None:
    with contextlib.suppress(BadAnswer):
        row = _row(**{name: value})
        assert row is None or row.status in set(OrderStatus)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_an_error(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        order_stream.decode(b"\x01" + data, read_at=0)
