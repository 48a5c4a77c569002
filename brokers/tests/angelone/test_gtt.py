"""Lasting trigger orders: what we send and what comes back."""

import json
from typing import Any

import pytest
from algo_brokers.angelone import gtt
from algo_brokers.errors import BadAnswer
from algo_brokers.records import InstrumentRef, NewTrigger, TriggerLeg, TriggerRow, TriggerStatus
from algo_crds.contracts.orders import Product, RejectKind, Side
from angelone_samples import CALL, held, name_of, raw
from hypothesis import given
from hypothesis import strategies as st

STEEL = InstrumentRef(exchange="NSE", symbol="TATASTEEL", token=(1 << 32) + 3499, broker_symbol="TATASTEEL-EQ")
LOW = TriggerLeg(trigger=1300000, price=1295000, quantity=20)
HIGH = TriggerLeg(trigger=1500000, price=1499500, quantity=20)


def trigger(**changes: Any) -> NewTrigger:
    values: dict[str, Any] = {
        "instrument": STEEL,
        "side": Side.SELL,
        "product": Product.DELIVERY,
        "legs": (LOW,),
        "last_price": 1402000,
    }
    return NewTrigger(**{**values, **changes})


def rule(**changes: Any) -> dict[str, Any]:
    return {
        "status": "NEW",
        "createddate": "2026-03-02T04:45:07.000Z",
        "updateddate": "2026-03-02T04:45:07.000Z",
        "expirydate": "2027-03-02T00:00:00.000Z",
        "clientid": "S000123",
        "id": "1900042",
        "tradingsymbol": "TATASTEEL-EQ",
        "symboltoken": "3499",
        "exchange": "NSE",
        "transactiontype": "SELL",
        "producttype": "DELIVERY",
        "price": "129.50",
        "qty": "20",
        "triggerprice": "130.00",
        "disclosedqty": "0",
        **changes,
    }


def test_create_one_leg() -> None:
    request = gtt.create(held(), trigger(), address="203.0.113.7")
    assert request.target == "/rest/secure/angelbroking/gtt/v1/createRule"
    assert dict(request.headers)["X-ClientPublicIP"] == "203.0.113.7"
    assert json.loads(request.body) == {
        "tradingsymbol": "TATASTEEL-EQ",
        "symboltoken": "3499",
        "exchange": "NSE",
        "transactiontype": "SELL",
        "producttype": "DELIVERY",
        "price": "129.50",
        "qty": "20",
        "triggerprice": "130.00",
        "disclosedqty": "0",
        "timeperiod": "365",
    }


@pytest.mark.parametrize(("side", "stop", "target"), [(Side.SELL, LOW, HIGH), (Side.BUY, HIGH, LOW)])
def test_create_two_legs(side: Side, stop: TriggerLeg, target: TriggerLeg) -> None:
    sent = json.loads(gtt.create(held(), trigger(side=side, legs=(LOW, HIGH))).body)
    assert sent["gttType"] == "OCO"
    prices = {LOW: ("129.50", "130.00"), HIGH: ("149.95", "150.00")}
    assert (sent["price"], sent["triggerprice"]) == prices[target]
    assert (sent["stoplossprice"], sent["stoplosstriggerprice"]) == prices[stop]


def test_modify_and_cancel_and_list() -> None:
    changed = gtt.modify(held(), "1900042", trigger(legs=(HIGH,)))
    assert changed.target == "/rest/secure/angelbroking/gtt/v1/modifyRule"
    assert json.loads(changed.body) == {
        "id": "1900042",
        "symboltoken": "3499",
        "exchange": "NSE",
        "price": "149.95",
        "qty": "20",
        "triggerprice": "150.00",
        "disclosedqty": "0",
        "timeperiod": "365",
    }
    gone = gtt.cancel(held(), "1900042", STEEL)
    assert gone.target == "/rest/secure/angelbroking/gtt/v1/cancelRule"
    assert json.loads(gone.body) == {"id": "1900042", "symboltoken": "3499", "exchange": "NSE"}
    page = gtt.rule_list(held(), 3)
    assert page.target == "/rest/secure/angelbroking/gtt/v1/ruleList"
    assert json.loads(page.body) == {
        "status": ["NEW", "ACTIVE", "SENTTOEXCHANGE", "CANCELLED"],
        "page": 3,
        "count": 10,
    }


@pytest.mark.parametrize(
    ("changes", "change", "kind"),
    [
        ({}, False, None),
        ({"legs": (LOW, HIGH)}, False, None),
        ({}, True, None),
        ({"instrument": CALL}, False, RejectKind.PRODUCT),
        ({"product": Product.INTRADAY}, False, RejectKind.PRODUCT),
        ({"legs": ()}, False, RejectKind.QUANTITY),
        ({"legs": (LOW, HIGH, HIGH)}, False, RejectKind.QUANTITY),
        (
            {"legs": (LOW, TriggerLeg(trigger=1500000, price=1499500, quantity=5))},
            False,
            RejectKind.QUANTITY,
        ),
        ({"legs": (LOW, HIGH)}, True, RejectKind.NOT_MODIFIABLE),
    ],
)
def test_what_the_broker_would_not_take(changes: dict[str, Any], change: bool, kind: RejectKind | None) -> None:
    refused = gtt.refusal(trigger(**changes), change=change)
    assert (refused.kind if refused is not None else None) is kind


def test_rows() -> None:
    (row,) = gtt.rows(raw([rule()]), name_of=name_of)
    assert row == TriggerRow(
        trigger_id="1900042",
        exchange="NSE",
        symbol="TATASTEEL",
        side=Side.SELL,
        product=Product.DELIVERY,
        legs=(LOW,),
        status=TriggerStatus.ACTIVE,
        created_at=1772426707_000,
        expires_at=1803945600_000,
    )


def test_two_legs_come_in_rising_order() -> None:
    two = rule(price="149.95", triggerprice="150.00", stoplossprice="129.50", stoplosstriggerprice=130, id=7)
    (row,) = gtt.rows(raw([two]), name_of=name_of)
    assert (row.trigger_id, row.legs) == ("7", (LOW, HIGH))


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("NEW", TriggerStatus.ACTIVE),
        (" active", TriggerStatus.ACTIVE),
        ("SENTTOEXCHANGE", TriggerStatus.TRIGGERED),
        ("CANCELLED", TriggerStatus.CANCELLED),
    ],
)
def test_every_documented_status(status: str, ours: TriggerStatus) -> None:
    (row,) = gtt.rows(raw([rule(status=status, createddate=None, expirydate="2027-03-02")]), name_of=name_of)
    assert (row.status, row.created_at, row.expires_at) == (ours, 0, 0)


@pytest.mark.parametrize("changes", [{"status": "PAUSED"}, {"transactiontype": "?"}, {"qty": "x"}, {"id": None}])
def test_a_rule_that_cannot_be_read_is_an_error(changes: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        gtt.rows(raw([rule(**changes)]), name_of=name_of)


@given(st.binary(max_size=100))
def test_arbitrary_bytes(data: bytes) -> None:
    try:
        assert gtt.rows(data, name_of=name_of) == ()
    except BadAnswer:
        return
