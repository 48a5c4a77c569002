"""The order status socket's messages."""

import json
from typing import Any

import pytest
from algo_brokers.angelone import order_stream
from algo_brokers.errors import BadAnswer
from algo_brokers.order_states import is_unknown
from algo_crds.contracts.orders import OrderStatus
from angelone_samples import name_of, order, stop
from hypothesis import given
from hypothesis import strategies as st


def message(code: str, row: dict[str, Any] | None, **changes: Any) -> bytes:
    body = {
        "user-id": "S000123",
        "status-code": "200",
        "order-status": code,
        "error-message": "",
        "orderData": row,
        **changes,
    }
    return json.dumps(body).encode()


def read(payload: bytes) -> order_stream.Update | None:
    return order_stream.read(payload, read_at=7, name_of=name_of)


EMPTY = dict.fromkeys(order(), "") | {"price": 0.0, "triggerprice": 0.0, "averageprice": 0.0}


@pytest.mark.parametrize(
    ("code", "status", "ours"),
    [
        ("AB01", "open", OrderStatus.OPEN),
        ("AB02", "cancelled", OrderStatus.CANCELLED),
        ("AB03", "rejected", OrderStatus.REJECTED),
        ("AB04", "modified", OrderStatus.OPEN),
        ("AB05", "complete", OrderStatus.FILLED),
        ("AB06", "after market order req received", OrderStatus.PENDING),
        ("AB07", "cancelled after market order", OrderStatus.CANCELLED),
        ("AB08", "modify after market order req received", OrderStatus.PENDING),
        ("AB09", "open pending", OrderStatus.PENDING),
        ("AB10", "trigger pending", OrderStatus.TRIGGER_PENDING),
        ("AB11", "modify pending", OrderStatus.PENDING),
    ],
)
def test_every_documented_code(code: str, status: str, ours: OrderStatus) -> None:
    update = read(message(code, order(status=status)))
    assert update is not None
    assert update.row is not None
    assert (update.row.status, update.row.read_at) == (ours, 7)
    assert (update.order_id, update.unique_id) == ("260302000012345", "5f0c1f7e-3d9a-4d1b-9a51-0c2a4d7e9b11")


def test_a_triggered_stop() -> None:
    update = read(message("AB01", stop(status="open", uniqueorderid=None)))
    assert update is not None
    assert update.row is not None
    assert update.row.status is OrderStatus.TRIGGERED
    assert update.unique_id == update.order_id


@pytest.mark.parametrize("payload", [b"", b"pong", b" pong ", b"ping", message("AB00", EMPTY), message("AB00", None)])
def test_greeting_and_heartbeats_say_nothing(payload: bytes) -> None:
    assert read(payload) is None


def test_an_order_that_is_never_ours() -> None:
    update = read(message("AB05", order(producttype="BO", ordertag="")))
    assert update is not None
    assert update.row is None


def test_an_unknown_status_is_a_row_that_says_so() -> None:
    update = read(message("AB01", order(status="frozen")))
    assert update is not None
    assert update.row is not None
    assert is_unknown(update.row)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"{", "cannot be read"),
        (b"[]", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (message("AB01", None), "cannot be read"),
        (message("AB01", {"orderid": 5}), "cannot be read"),
        (message("AB12", order()), "unknown kind 'AB12'"),
        (message("AB01", order(), **{"status-code": 403, "error-message": "expired"}), "reports 403: expired"),
        (message("AB01", order(), **{"status-code": "500", "error-message": None}), "reports 500: no text"),
    ],
)
def test_what_may_hide_an_order_is_an_error(payload: bytes, text: str) -> None:
    with pytest.raises(BadAnswer, match=text):
        read(payload)


@given(st.binary(max_size=200))
def test_arbitrary_bytes(data: bytes) -> None:
    try:
        assert read(data) is None
    except BadAnswer:
        return


@given(st.data())
def test_a_truncated_message(data: st.DataObject) -> None:
    whole = message("AB01", order())
    with pytest.raises(BadAnswer):
        read(whole[: data.draw(st.integers(1, len(whole) - 1))])
