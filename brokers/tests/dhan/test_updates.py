"""Order frames in both spellings, and texts that are none."""

import json
from typing import Any

import pytest
from algo_brokers.dhan import updates
from algo_brokers.errors import BadAnswer
from algo_crds.contracts.orders import OrderRow, OrderStatus, OrderType, Product, RejectKind, Side
from dhan_samples import UPDATE
from dhan_stand import CANARY, CLIENT, HELD, TAG, instrument, words
from hypothesis import given
from hypothesis import strategies as st

KNOWN = words(instrument())


def read(data: Any, kind: str = "order_alert") -> OrderRow | None:
    return updates.read(json.dumps({"Data": data, "Type": kind}).encode(), KNOWN, read_at=7)


def pascal(data: dict[str, Any]) -> dict[str, Any]:
    return {key[:1].upper() + key[1:]: value for key, value in data.items()}


ROW = OrderRow(
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
    filled=4,
    average_price=16054500,
    status=OrderStatus.OPEN,
    order_time=1_795_405_811_000,
    read_at=7,
)


def test_login() -> None:
    assert json.loads(updates.login(HELD)) == {
        "LoginReq": {"MsgCode": 42, "ClientId": CLIENT, "Token": CANARY},
        "UserType": "SELF",
    }


def test_both_spellings_and_both_at_once() -> None:
    assert read(UPDATE) == ROW
    assert read(pascal(UPDATE)) == ROW
    assert read({**pascal(UPDATE), **UPDATE}) == ROW
    empty = {key: "" if isinstance(value, str) else 0 for key, value in pascal(UPDATE).items()}
    assert read({**empty, **UPDATE}) == ROW
    assert read({**UPDATE, **empty}) == ROW


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "Transit", "tradedQty": 0}, OrderStatus.PENDING),
        ({"status": "Pending", "tradedQty": 0}, OrderStatus.OPEN),
        ({"status": "Pending", "tradedQty": 0, "exchOrderNo": ""}, OrderStatus.PENDING),
        ({"status": "PART_TRADED"}, OrderStatus.OPEN),
        ({"status": "Part Traded", "orderType": "SL", "triggerPrice": 1600}, OrderStatus.TRIGGERED),
        ({"status": "Traded", "tradedQty": 10}, OrderStatus.FILLED),
        ({"status": "Cancelled"}, OrderStatus.CANCELLED),
        ({"status": "Expired"}, OrderStatus.CANCELLED),
        ({"status": "Rejected", "tradedQty": 0}, OrderStatus.REJECTED),
    ],
)
def test_states(changes: dict[str, Any], status: OrderStatus) -> None:
    row = read(UPDATE | changes)
    assert row is not None
    assert row.status is status


def test_codes() -> None:
    def row_of(**changes: Any) -> OrderRow:
        row = read(UPDATE | changes)
        assert row is not None
        return row

    assert row_of(txnType="S").side is Side.SELL
    assert [row_of(product=one).product for one in "ICM"] == [Product.INTRADAY, Product.DELIVERY, Product.DELIVERY]
    kinds = [row_of(orderType=one).type for one in ("LMT", "MKT", "SL", "SLM")]
    assert kinds == [OrderType.LIMIT, OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.STOP_LIMIT]
    assert row_of(segment="D", symbol="NIFTY-Nov2026-26000-CE").exchange == "NFO"
    refused = row_of(status="Rejected", reasonDescription="Insufficient funds")
    assert (refused.reject_kind, refused.message) == (RejectKind.MARGIN, "Insufficient funds")
    assert row_of(reasonDescription=None).message == ""


def test_frames_that_are_no_order_of_ours() -> None:
    assert read({}, kind="heartbeat") is None
    assert updates.read(b'{"Type":"welcome"}', KNOWN, read_at=1) is None
    for product in "FVB":
        assert read(UPDATE | {"product": product, "correlationId": ""}) is None


@pytest.mark.parametrize(
    "changes",
    [{"segment": "X"}, {"exchange": 5}, {"orderNo": None}, {"quantity": "ten"}, {"txnType": "?"}, {"product": "B"}],
)
def test_an_order_that_cannot_be_read(changes: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        read(UPDATE | changes)


def test_missing_keys() -> None:
    for key in ("exchange", "status", "orderNo", "securityId"):
        with pytest.raises(BadAnswer):
            read({name: value for name, value in UPDATE.items() if name != key})


@given(st.binary(max_size=300))
def test_arbitrary_bytes(data: bytes) -> None:
    try:
        row = updates.read(data, KNOWN, read_at=1)
    except BadAnswer:
        return
    assert row is None or row.broker_order_id


@given(st.data())
def test_truncated_frames(data: st.DataObject) -> None:
    whole = json.dumps({"Data": UPDATE, "Type": "order_alert"}).encode()
    with pytest.raises(BadAnswer):
        updates.read(whole[: data.draw(st.integers(0, len(whole) - 1))], KNOWN, read_at=1)
