"""Lasting trigger orders."""

import contextlib
import json
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from algo_brokers.errors import BadAnswer
from algo_brokers.outcomes import Accepted, Rejected
from algo_brokers.records import NewTrigger, TriggerLeg, TriggerRow, TriggerStatus
from algo_brokers.zerodha import gtt
from algo_crds.contracts.orders import Product, Side
from hypothesis import given
from hypothesis import strategies as st
from order_samples import RELIANCE
from zerodha_stand import HELD, Stand, ok

R = 10_000
TWO = NewTrigger(
    instrument=RELIANCE,
    side=Side.SELL,
    product=Product.DELIVERY,
    legs=(
        TriggerLeg(trigger=2700 * R, price=2690 * R, quantity=10),
        TriggerLeg(trigger=2900 * R, price=2900 * R, quantity=10),
    ),
    last_price=2800 * R,
)
LISTED = {
    "id": 778,
    "status": "triggered",
    "type": "two-leg",
    "created_at": "2026-03-02 09:20:00",
    "expires_at": "2027-03-02 00:00:00",
    "condition": {"exchange": "NSE", "tradingsymbol": "RELIANCE", "trigger_values": [2700.0, 2900.0]},
    "orders": [
        {
            "transaction_type": "SELL",
            "quantity": 10,
            "price": 2690.0,
            "product": "CNC",
            "result": {"order_result": {"status": "failed", "order_id": None, "rejection_reason": "no shares"}},
        },
        {"transaction_type": "SELL", "quantity": 10, "price": 2900.0, "product": "CNC", "result": None},
    ],
}


async def test_the_life_of_a_trigger(stand: Stand) -> None:
    forms: list[dict[str, list[str]]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return ok([LISTED])
        forms.append(parse_qs(await request.text()))
        return ok({"trigger_id": 778})

    stand.handler = handle
    triggers = stand.broker.triggers
    assert triggers is not None
    made = Accepted(broker_order_id="778")
    assert await triggers.place(trigger=TWO) == made
    assert await triggers.modify(trigger_id="778", trigger=TWO) == made
    assert await triggers.cancel(trigger_id="778", instrument=RELIANCE) == made
    assert stand.seen == ["POST /gtt/triggers", "PUT /gtt/triggers/778", "DELETE /gtt/triggers/778"]
    (kind,), (condition,), (orders,) = (forms[0][name] for name in ("type", "condition", "orders"))
    assert kind == "two-leg"
    assert json.loads(condition) == {
        "exchange": "NSE",
        "tradingsymbol": "RELIANCE",
        "trigger_values": [2700.0, 2900.0],
        "last_price": 2800.0,
    }
    assert [order["price"] for order in json.loads(orders)] == [2690.0, 2900.0]
    (row,) = await triggers.read()
    assert (row.trigger_id, row.status, row.message) == ("778", TriggerStatus.TRIGGERED, "no shares")
    assert row.legs == TWO.legs


async def test_a_refused_trigger(stand: Stand) -> None:
    text = "Trigger cannot be created with one of the trigger values equal to the last price."

    async def handle(request: web.Request) -> web.StreamResponse:
        body = {"status": "error", "error_type": "InputException", "message": text}
        return web.json_response(body, status=400)

    stand.handler = handle
    assert stand.broker.triggers is not None
    outcome = await stand.broker.triggers.place(trigger=TWO)
    assert isinstance(outcome, Rejected)
    assert outcome.message == text


@pytest.mark.parametrize(
    "change",
    [{"status": "sleeping"}, {"orders": []}, {"orders": LISTED["orders"][:1]}, {"id": "x"}],  # type: ignore[index]
)
def test_what_cannot_be_read_is_an_error(change: dict[str, object]) -> None:
    with pytest.raises(BadAnswer):
        gtt.rows(json.dumps([LISTED | change]).encode())


def test_requests_name_no_secret() -> None:
    assert HELD.access_token not in repr(gtt.place(HELD, TWO))


@given(st.binary(max_size=300))
def test_arbitrary_bytes(data: bytes) -> None:
    with contextlib.suppress(BadAnswer):
        assert all(isinstance(row, TriggerRow) for row in gtt.rows(data))
