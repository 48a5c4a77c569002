"""Lasting trigger orders."""

import contextlib
from typing import Any

import msgspec
import pytest
from aiohttp import web
from algo_brokers.errors import BadAnswer
from algo_brokers.fyers import gtt
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_brokers.port import Triggers
from algo_brokers.records import NewTrigger, TriggerLeg, TriggerRow, TriggerStatus
from algo_crds.contracts.orders import Product, RejectKind, Side
from fyers_stand import GTT_ROW, HELD, SBIN, Stand, body, ok
from hypothesis import given
from hypothesis import strategies as st

R = 10_000
LOW = TriggerLeg(trigger=560 * R, price=559 * R + 5000, quantity=10)
HIGH = TriggerLeg(trigger=641 * R, price=640 * R, quantity=10)
TWO = NewTrigger(
    instrument=SBIN, side=Side.SELL, product=Product.DELIVERY, legs=(LOW, HIGH), last_price=600 * R, tag="abc"
)
ONE = msgspec.structs.replace(TWO, legs=(LOW,), tag="")


def _rows(**changes: Any) -> tuple[TriggerRow, ...]:
    return gtt.rows(body(orderBook=[{**GTT_ROW, **changes}]))


def test_a_pair_is_placed_by_position() -> None:
    request = gtt.place(HELD, TWO)
    assert (request.method, request.target) == ("POST", "/api/v3/gtt/orders/sync")
    assert msgspec.json.decode(request.body) == {
        "side": -1,
        "symbol": "NSE:SBIN-EQ",
        "productType": "CNC",
        "orderInfo": {
            "leg1": {"price": 640.0, "triggerPrice": 641.0, "qty": 10},
            "leg2": {"price": 559.5, "triggerPrice": 560.0, "qty": 10},
        },
        "orderTag": "abc",
    }


def test_a_single_leg_a_change_and_a_cancel() -> None:
    single = msgspec.json.decode(gtt.place(HELD, ONE).body)
    assert single["orderInfo"] == {"leg1": {"price": 559.5, "triggerPrice": 560.0, "qty": 10}}
    assert "orderTag" not in single
    change = gtt.modify(HELD, "77", TWO)
    assert (change.method, msgspec.json.decode(change.body)["id"]) == ("PATCH", "77")
    assert set(msgspec.json.decode(change.body)["orderInfo"]) == {"leg1", "leg2"}
    gone = gtt.cancel(HELD, "77")
    assert (gone.method, gone.body) == ("DELETE", b'{"id":"77"}')
    assert gtt.book(HELD).target == "/api/v3/gtt/orders"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"product": Product.INTRADAY}, RejectKind.PRODUCT),
        ({"legs": ()}, RejectKind.ORDER_OTHER),
        ({"legs": (LOW, LOW, HIGH)}, RejectKind.ORDER_OTHER),
        ({"legs": (HIGH, LOW)}, RejectKind.PRICE),
        ({"last_price": 560 * R}, RejectKind.PRICE),
        ({"last_price": 650 * R}, RejectKind.PRICE),
    ],
)
def test_what_cannot_be(changes: dict[str, Any], kind: RejectKind) -> None:
    refused = gtt.refused(msgspec.structs.replace(TWO, **changes))
    assert refused is not None
    assert refused.kind is kind
    assert gtt.refused(TWO) is None
    assert gtt.refused(ONE) is None


@pytest.mark.parametrize(
    ("trigger_id", "trigger", "changeable"),
    [("26112300000777", TWO, True), ("26112300000777", ONE, False), ("1", TWO, False)],
)
def test_which_triggers_can_be_changed(trigger_id: str, trigger: NewTrigger, changeable: bool) -> None:
    assert (gtt.not_changeable(_rows(), trigger_id, trigger) is None) is changeable


def test_rows() -> None:
    assert _rows() == (
        TriggerRow(
            trigger_id="26112300000777",
            exchange="NSE",
            symbol="SBIN",
            side=Side.SELL,
            product=Product.DELIVERY,
            legs=(LOW, HIGH),
            status=TriggerStatus.ACTIVE,
            created_at=1795408323_000,
        ),
    )
    assert _rows(gtt_oco_ind=1)[0].legs == (HIGH,)
    assert _rows(product_type="MTF") == ()


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (1, TriggerStatus.CANCELLED),
        (2, TriggerStatus.TRIGGERED),
        (4, TriggerStatus.ACTIVE),
        (5, TriggerStatus.REJECTED),
        (6, TriggerStatus.ACTIVE),
    ],
)
def test_life_of_a_trigger(number: int, status: TriggerStatus) -> None:
    (row,) = _rows(ord_status=number, oms_msg="words")
    assert (row.status, row.message) == (status, "words")


@pytest.mark.parametrize(
    "changes", [{"tran_side": 0}, {"gtt_oco_ind": 3}, {"qty": None, "id": None}, {"price_limit": "x"}]
)
def test_a_row_that_cannot_be_read_fails_the_list(changes: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        _rows(**changes)


@given(st.sampled_from(sorted(GTT_ROW)), st.none() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False))
def test_any_value_anywhere_is_read_or_refused(name: str, value: object) -> None:
    with contextlib.suppress(BadAnswer):
        for row in _rows(**{name: value}):
            assert len(row.legs) in (1, 2)
            assert row.legs == tuple(sorted(row.legs, key=lambda leg: leg.trigger))


def _triggers(stand: Stand) -> Triggers:
    assert stand.broker.triggers is not None
    return stand.broker.triggers


async def test_over_a_socket(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return ok(orderBook=[GTT_ROW])
        codes = {"POST": 1101, "PATCH": 1102, "DELETE": 1103}
        return ok(code=codes[request.method], id="26112300000777")

    stand.handler = handle
    triggers = _triggers(stand)
    done = Accepted(broker_order_id="26112300000777")
    assert await triggers.place(trigger=TWO) == done
    assert await triggers.modify(trigger_id="26112300000777", trigger=TWO) == done
    assert await triggers.cancel(trigger_id="26112300000777", instrument=SBIN) == done
    assert len(await triggers.read()) == 1
    assert stand.seen == [
        "POST /api/v3/gtt/orders/sync",
        "GET /api/v3/gtt/orders",
        "PATCH /api/v3/gtt/orders/sync",
        "DELETE /api/v3/gtt/orders/sync",
        "GET /api/v3/gtt/orders",
    ]


async def test_refusals_send_nothing(stand: Stand) -> None:
    down = [False]

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.method == "GET"
        return web.Response(status=502) if down[0] else ok(orderBook=[{**GTT_ROW, "ord_status": 2}])

    stand.handler = handle
    triggers = _triggers(stand)
    wrong = msgspec.structs.replace(TWO, product=Product.INTRADAY)
    assert isinstance(await triggers.place(trigger=wrong), Rejected)
    assert isinstance(await triggers.modify(trigger_id="26112300000777", trigger=wrong), Rejected)
    assert stand.seen == []
    for trigger_id in ("26112300000777", "unheard-of"):
        over = await triggers.modify(trigger_id=trigger_id, trigger=TWO)
        assert isinstance(over, Rejected)
        assert over.kind is RejectKind.NOT_MODIFIABLE
    down[0] = True
    unread = await triggers.modify(trigger_id="26112300000777", trigger=TWO)
    assert isinstance(unread, Rejected)
    assert unread.kind is RejectKind.BROKER_DOWN


async def test_in_transit_is_unknown(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return ok(code=201, message="in transit")

    stand.handler = handle
    assert isinstance(await _triggers(stand).place(trigger=ONE), Unknown)
