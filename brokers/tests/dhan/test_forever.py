"""Forever orders: what is sent, what the list says, and changes that are two calls."""

import json
from typing import Any

import pytest
from algo_brokers.dhan import forever
from algo_brokers.dhan.names import pack
from algo_brokers.errors import BadAnswer, SessionRefused
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_brokers.port import Triggers
from algo_brokers.records import InstrumentRef, NewTrigger, TriggerLeg, TriggerRow, TriggerStatus
from algo_crds.contracts.orders import Product, RejectKind, Side
from dhan_stand import CLIENT, HDFC, HELD, OPTION, Stand, answer, error, handler, instrument, words
from hypothesis import given
from hypothesis import strategies as st

STOP = TriggerLeg(trigger=15010000, price=15000000, quantity=10)
TARGET = TriggerLeg(trigger=17000000, price=16990000, quantity=10)


def trigger(**changes: Any) -> NewTrigger:
    values: dict[str, Any] = {
        "instrument": HDFC,
        "side": Side.SELL,
        "product": Product.DELIVERY,
        "legs": (STOP, TARGET),
        "last_price": 16000000,
    }
    return NewTrigger(**{**values, **changes})


def line(**changes: Any) -> dict[str, Any]:
    return {
        "dhanClientId": CLIENT,
        "orderId": "5132611231112",
        "orderStatus": "CONFIRM",
        "transactionType": "SELL",
        "exchangeSegment": "NSE_EQ",
        "productType": "CNC",
        "orderType": "SINGLE",
        "tradingSymbol": "HDFCBANK",
        "securityId": "1333",
        "quantity": 10,
        "price": 1500.0,
        "triggerPrice": 1501.0,
        "legName": "ENTRY_LEG",
        "createTime": "2026-11-23 09:20:11",
        "updateTime": None,
        "exchangeTime": None,
        "drvExpiryDate": None,
        "drvOptionType": None,
        "drvStrikePrice": 0,
        **changes,
    }


PAIR = [
    line(orderType="OCO", legName="TARGET_LEG", price=1699.0, triggerPrice=1700.0),
    line(orderType="OCO", legName="STOP_LOSS_LEG"),
]


def test_a_pair() -> None:
    request = forever.place(HELD, trigger(tag="gtt-1"))
    assert (request.method, request.target) == ("POST", "/v2/forever/orders")
    assert json.loads(request.body) == {
        "correlationId": "gtt-1",
        "orderFlag": "OCO",
        "transactionType": "SELL",
        "exchangeSegment": "NSE_EQ",
        "productType": "CNC",
        "orderType": "LIMIT",
        "validity": "DAY",
        "securityId": "1333",
        "quantity": 10,
        "disclosedQuantity": 0,
        "price": 1500.0,
        "triggerPrice": 1501.0,
        "price1": 1699.0,
        "triggerPrice1": 1700.0,
        "quantity1": 10,
        "dhanClientId": CLIENT,
    }


def test_the_stop_of_a_purchase_lies_above() -> None:
    sent = json.loads(forever.place(HELD, trigger(side=Side.BUY)).body)
    assert (sent["triggerPrice"], sent["triggerPrice1"]) == (1700.0, 1501.0)
    single = json.loads(forever.place(HELD, trigger(legs=(STOP,), instrument=OPTION)).body)
    assert (single["orderFlag"], single["triggerPrice1"], single["quantity1"]) == ("SINGLE", 0.0, 0)
    assert (single["productType"], "correlationId" in single) == ("MARGIN", False)


def test_what_the_broker_has_not() -> None:
    assert forever.why_not(trigger()) == ""
    assert "delivery" in forever.why_not(trigger(product=Product.INTRADAY))
    currency = InstrumentRef(exchange="CDS", symbol="X", token=pack("NSE_CURRENCY", 1))
    assert "shares" in forever.why_not(trigger(instrument=currency))
    assert "one leg or two" in forever.why_not(trigger(legs=()))


def test_the_list() -> None:
    other = line(orderId="6", orderStatus="CANCELLED", transactionType="BUY", productType="MTF", securityId="8")
    told = forever.rows(json.dumps([*PAIR, other]).encode(), words(instrument()))
    assert told == (
        TriggerRow(
            trigger_id="5132611231112",
            exchange="NSE",
            symbol="HDFCBANK",
            side=Side.SELL,
            product=Product.DELIVERY,
            legs=(STOP, TARGET),
            status=TriggerStatus.ACTIVE,
            created_at=1_795_405_811_000,
        ),
        TriggerRow(
            trigger_id="6",
            exchange="NSE",
            symbol="HDFCBANK",
            side=Side.BUY,
            product=Product.DELIVERY,
            legs=(STOP,),
            status=TriggerStatus.CANCELLED,
            created_at=1_795_405_811_000,
        ),
    )


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (("TRANSIT",), TriggerStatus.ACTIVE),
        (("PENDING",), TriggerStatus.ACTIVE),
        (("CONFIRM", "CONFIRM"), TriggerStatus.ACTIVE),
        (("TRADED", "CANCELLED"), TriggerStatus.TRIGGERED),
        (("CANCELLED", "TRIGGERED"), TriggerStatus.TRIGGERED),
        (("CONFIRM", "CANCELLED"), TriggerStatus.ACTIVE),
        (("EXPIRED",), TriggerStatus.EXPIRED),
        (("REJECTED", "CANCELLED"), TriggerStatus.REJECTED),
        (("CANCELLED", "CANCELLED"), TriggerStatus.CANCELLED),
    ],
)
def test_states(states: tuple[str, ...], status: TriggerStatus) -> None:
    body = json.dumps([line(orderStatus=state) for state in states]).encode()
    assert forever.rows(body, words())[0].status is status


@pytest.mark.parametrize(
    "changes", [{"orderStatus": "HALF"}, {"transactionType": "?"}, {"productType": "INTRA"}, {"legName": None}]
)
def test_an_undocumented_word_is_an_error(changes: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        forever.rows(json.dumps([line(**changes)]).encode(), words())


@given(st.binary(max_size=300))
def test_arbitrary_bytes(body: bytes) -> None:
    try:
        assert forever.rows(body, words()) == () or body
        forever.legs_of(body, "1")
    except BadAnswer:
        return


def triggers(stand: Stand) -> Triggers:
    assert stand.broker.triggers is not None
    return stand.broker.triggers


async def test_place_cancel_and_list_over_the_wire(stand: Stand) -> None:
    stand.handler = handler(answer(200, {"orderId": "51", "orderStatus": "PENDING"}))
    assert await triggers(stand).place(trigger=trigger()) == Accepted(broker_order_id="51")
    assert await triggers(stand).cancel(trigger_id="51", instrument=HDFC) == Accepted(broker_order_id="51")
    stand.handler = handler(answer(200, PAIR))
    assert len(await triggers(stand).read()) == 1
    assert stand.seen == ["POST /v2/forever/orders", "DELETE /v2/forever/orders/51", "GET /v2/forever/orders"]
    stand.handler = handler(error(401, "DH-901"))
    with pytest.raises(SessionRefused):
        await triggers(stand).read()


async def test_what_is_refused_before_anything_is_sent(stand: Stand) -> None:
    for wanted, kind in (
        (trigger(product=Product.INTRADAY), RejectKind.PRODUCT),
        (trigger(instrument=InstrumentRef(exchange="NSE", symbol="X")), RejectKind.ORDER_OTHER),
    ):
        outcome = await triggers(stand).place(trigger=wanted)
        assert isinstance(outcome, Rejected)
        assert outcome.kind is kind
    assert stand.seen == []


async def change(stand: Stand, *legs: TriggerLeg) -> Any:
    return await triggers(stand).modify(trigger_id="5132611231112", trigger=trigger(legs=legs))


HIGHER = TriggerLeg(trigger=15510000, price=15500000, quantity=10)
WIDER = TriggerLeg(trigger=18000000, price=17990000, quantity=10)
GOOD = answer(200, {"orderId": "5132611231112", "orderStatus": "PENDING"})


async def test_only_a_leg_that_differs_is_changed(stand: Stand) -> None:
    stand.handler = handler(answer(200, PAIR), GOOD)
    assert await change(stand, HIGHER, TARGET) == Accepted(broker_order_id="5132611231112")
    assert stand.seen == ["GET /v2/forever/orders", "PUT /v2/forever/orders/5132611231112"]
    stand.handler = handler(answer(200, PAIR))
    assert await change(stand, STOP, TARGET) == Accepted(broker_order_id="5132611231112")
    assert len(stand.seen) == 3


async def test_a_change_that_was_half_done_is_unknown(stand: Stand) -> None:
    for second in (error(400, "DH-905", "no"), error(500, "DH-908", "trouble")):
        stand.handler = handler(answer(200, PAIR), GOOD, second)
        outcome = await change(stand, HIGHER, WIDER)
        assert isinstance(outcome, Unknown)
        assert "one leg of 5132611231112 was changed" in outcome.reason
    stand.handler = handler(answer(200, PAIR), error(400, "DH-905", "no"))
    assert isinstance(await change(stand, HIGHER, WIDER), Rejected)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (answer(200, []), RejectKind.NOT_MODIFIABLE),
        (answer(200, PAIR[:1]), RejectKind.NOT_MODIFIABLE),
        (error(401, "DH-901"), RejectKind.SESSION),
        (error(429, "DH-904"), RejectKind.RATE),
        (error(400, "DH-911"), RejectKind.ADDRESS),
        (error(500, "DH-908"), RejectKind.BROKER_DOWN),
    ],
)
async def test_a_change_of_what_cannot_be_read(stand: Stand, told: Any, kind: RejectKind) -> None:
    stand.handler = handler(told)
    outcome = await change(stand, HIGHER, WIDER)
    assert isinstance(outcome, Rejected)
    assert outcome.kind is kind
    assert stand.seen == ["GET /v2/forever/orders"]
