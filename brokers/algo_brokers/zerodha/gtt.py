"""Lasting trigger orders (GTT): requests and answers, pure.

Source: Kite Connect docs, GTT. `condition` and `orders` are JSON texts inside a form. A trigger that fired says nothing
about its order: that is in the book.
"""

from typing import Final
from urllib.parse import quote, urlencode

import msgspec
from algo_crds.contracts.money import price_from_float
from algo_crds.contracts.orders import Product, RejectKind, Side

from algo_brokers.errors import BadAnswer
from algo_brokers.http import HttpAnswer, HttpRequest
from algo_brokers.outcomes import Rejected, WriteOutcome
from algo_brokers.records import NewTrigger, TriggerLeg, TriggerRow, TriggerStatus
from algo_brokers.session import Session
from algo_brokers.zerodha import requests, responses

_STATUS: Final = {
    "active": TriggerStatus.ACTIVE,
    "triggered": TriggerStatus.TRIGGERED,
    "expired": TriggerStatus.EXPIRED,
    "rejected": TriggerStatus.REJECTED,
    "disabled": TriggerStatus.CANCELLED,
    "cancelled": TriggerStatus.CANCELLED,
    "deleted": TriggerStatus.CANCELLED,
}
_PRODUCT: Final = {"CNC": Product.DELIVERY, "NRML": Product.DELIVERY, "MTF": Product.DELIVERY, "MIS": Product.INTRADAY}


def refused(trigger: NewTrigger) -> Rejected | None:
    """What Zerodha has not, found before anything is sent."""
    if trigger.product is not Product.DELIVERY:
        return Rejected(kind=RejectKind.PRODUCT, message="Zerodha has lasting triggers (GTT) for delivery only")
    if len(trigger.legs) not in (1, 2):
        return Rejected(kind=RejectKind.ORDER_OTHER, message="a lasting trigger has one leg or two")
    return None


def _form(trigger: NewTrigger) -> bytes:
    instrument = trigger.instrument
    names = {"exchange": instrument.exchange, "tradingsymbol": instrument.symbol}
    condition = names | {
        "trigger_values": [leg.trigger / 10_000 for leg in trigger.legs],
        "last_price": trigger.last_price / 10_000,
    }
    orders = [
        names
        | {
            "transaction_type": requests.SIDE[trigger.side],
            "quantity": leg.quantity,
            "order_type": "LIMIT",
            "product": requests.PRODUCT[trigger.product],
            "price": leg.price / 10_000,
        }
        for leg in trigger.legs
    ]
    return urlencode(
        {
            "type": "single" if len(trigger.legs) == 1 else "two-leg",
            "condition": msgspec.json.encode(condition).decode(),
            "orders": msgspec.json.encode(orders).decode(),
        }
    ).encode()


def place(session: Session, trigger: NewTrigger) -> HttpRequest:
    """A new trigger."""
    return HttpRequest("POST", "/gtt/triggers", requests.headers(session, form=True), _form(trigger))


def modify(session: Session, trigger_id: str, trigger: NewTrigger) -> HttpRequest:
    """The whole trigger again."""
    return HttpRequest("PUT", _path(trigger_id), requests.headers(session, form=True), _form(trigger))


def cancel(session: Session, trigger_id: str) -> HttpRequest:
    """Take it back."""
    return HttpRequest("DELETE", _path(trigger_id), requests.headers(session))


def read(session: Session) -> HttpRequest:
    """Active ones, and others of the last seven days."""
    return HttpRequest("GET", "/gtt/triggers", requests.headers(session))


def _path(trigger_id: str) -> str:
    return f"/gtt/triggers/{quote(trigger_id, safe='')}"


class _Id(msgspec.Struct, frozen=True):
    trigger_id: int


def outcome(answer: HttpAnswer) -> WriteOutcome:
    """`Accepted` with the trigger's id; refusals and silence as for orders."""
    return responses.write_outcome(answer, lambda data: str(msgspec.json.decode(data, type=_Id).trigger_id))


class _Condition(msgspec.Struct, frozen=True):
    exchange: str
    tradingsymbol: str
    trigger_values: list[float]


class _OrderResult(msgspec.Struct, frozen=True):
    status: str = ""
    order_id: str | None = None
    rejection_reason: str | None = None


class _Result(msgspec.Struct, frozen=True):
    order_result: _OrderResult | None = None


class _Order(msgspec.Struct, frozen=True):
    transaction_type: str
    quantity: int
    price: float
    product: str
    result: _Result | None = None


class _Trigger(msgspec.Struct, frozen=True):
    id: int
    status: str
    condition: _Condition
    orders: list[_Order]
    created_at: str | None = None
    expires_at: str | None = None


def rows(data: bytes) -> tuple[TriggerRow, ...]:
    """Every trigger of the answer.

    Raises:
        BadAnswer: one of them cannot be read, or has a status that nobody documented.
    """
    try:
        return tuple(_row(one) for one in msgspec.json.decode(data, type=list[_Trigger]))
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise BadAnswer(f"the list of triggers cannot be read: {error}") from None


def _row(one: _Trigger) -> TriggerRow:
    if not one.orders or len(one.orders) != len(one.condition.trigger_values):
        raise BadAnswer(f"trigger {one.id} has not one order for each price")
    results = [order.result.order_result for order in one.orders if order.result is not None]
    told = [result for result in results if result is not None]
    return TriggerRow(
        trigger_id=str(one.id),
        exchange=one.condition.exchange,
        symbol=one.condition.tradingsymbol,
        side=Side.BUY if one.orders[0].transaction_type == "BUY" else Side.SELL,
        product=_PRODUCT[one.orders[0].product],
        legs=tuple(
            TriggerLeg(trigger=price_from_float(at), price=price_from_float(order.price), quantity=order.quantity)
            for at, order in zip(one.condition.trigger_values, one.orders, strict=True)
        ),
        status=_STATUS[one.status],
        order_ids=tuple(result.order_id for result in told if result.order_id),
        message="; ".join(result.rejection_reason for result in told if result.rejection_reason),
        created_at=responses.instant_of(one.created_at),
        expires_at=responses.instant_of(one.expires_at),
    )
