"""Lasting trigger orders (forever orders): requests and answers, pure.

Source: DhanHQ v2 docs, forever order; field reports. In a new order the first triple is the stop's and the one that
ends in 1 the target's. Docs and server disagree on the names of legs, so a change reads the list first and says the
name that stands there; it changes one leg a call. `/forever/all` of the docs does not exist.
"""

from collections import defaultdict
from typing import Final
from urllib.parse import quote

import msgspec
from algo_crds.contracts.orders import Product, Side

from algo_brokers.dhan import names
from algo_brokers.dhan.answers import decode, instant_of, price
from algo_brokers.dhan.names import Words
from algo_brokers.dhan.requests import check_tag, get, headers, rupees, send
from algo_brokers.errors import BadAnswer
from algo_brokers.http import HttpRequest
from algo_brokers.records import NewTrigger, TriggerLeg, TriggerRow, TriggerStatus
from algo_brokers.session import Session

SEGMENTS: Final = frozenset({"NSE_EQ", "NSE_FNO", "BSE_EQ", "BSE_FNO"})
_PATH: Final = "/v2/forever/orders"
_STATUS: Final = {
    "TRANSIT": TriggerStatus.ACTIVE,
    "PENDING": TriggerStatus.ACTIVE,
    "CONFIRM": TriggerStatus.ACTIVE,
    "TRADED": TriggerStatus.TRIGGERED,
    "TRIGGERED": TriggerStatus.TRIGGERED,
    "EXPIRED": TriggerStatus.EXPIRED,
    "CANCELLED": TriggerStatus.CANCELLED,
    "REJECTED": TriggerStatus.REJECTED,
}
_PRODUCT: Final = {**names.PRODUCT_OF, "MTF": Product.DELIVERY}
_ORDER: Final = (
    TriggerStatus.TRIGGERED,
    TriggerStatus.ACTIVE,
    TriggerStatus.REJECTED,
    TriggerStatus.EXPIRED,
    TriggerStatus.CANCELLED,
)
"""Which leg's status speaks for a pair: the first of these that any leg has."""


class ListedLeg(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One line of the list: one leg."""

    order_id: str
    order_status: str
    transaction_type: str
    exchange_segment: str
    product_type: str
    order_type: str
    """The flag: SINGLE or OCO; whether it sends a limit order is not shown."""
    security_id: str | int
    quantity: int
    leg_name: str
    trading_symbol: str | None = None
    price: float | None = 0
    trigger_price: float | None = 0
    create_time: str | None = None

    @property
    def leg(self) -> TriggerLeg:
        """Its prices."""
        return TriggerLeg(trigger=price(self.trigger_price), price=price(self.price), quantity=self.quantity)


def why_not(trigger: NewTrigger) -> str:
    """Why the broker has no such trigger; empty: it has.

    Raises:
        ValueError: the instrument's token is none of this broker.
    """
    if trigger.product is not Product.DELIVERY:
        return "a forever order outlives the day: only the delivery product has it"
    if names.unpack(trigger.instrument.token).segment not in SEGMENTS:
        return "forever orders exist for shares, and for futures and options on them and on indices"
    if len(trigger.legs) not in (1, 2):
        return "a forever order has one leg or two"
    return ""


def place(session: Session, trigger: NewTrigger) -> HttpRequest:
    """A new trigger; fires a limit order of the day.

    Raises:
        ValueError: the tag does not fit, or the instrument's token is none of this broker.
    """
    security = names.unpack(trigger.instrument.token)
    stop, target = _stop_first(trigger)
    tag: dict[str, object] = {"correlationId": check_tag(trigger.tag)} if trigger.tag else {}
    return send(
        session,
        "POST",
        _PATH,
        {
            **tag,
            "orderFlag": "OCO" if target else "SINGLE",
            "transactionType": names.SIDE[trigger.side],
            "exchangeSegment": security.segment,
            "productType": names.product_word(trigger.product, security.segment),
            "orderType": "LIMIT",
            "validity": "DAY",
            "securityId": str(security.id),
            "quantity": stop.quantity,
            "disclosedQuantity": 0,
            "price": rupees(stop.price),
            "triggerPrice": rupees(stop.trigger),
            "price1": rupees(target.price) if target else 0.0,
            "triggerPrice1": rupees(target.trigger) if target else 0.0,
            "quantity1": target.quantity if target else 0,
        },
    )


def _stop_first(trigger: NewTrigger) -> tuple[TriggerLeg, TriggerLeg | None]:
    """A sale's stop lies below its target, a purchase's above."""
    if len(trigger.legs) == 1:
        return trigger.legs[0], None
    low, high = trigger.legs
    return (low, high) if trigger.side is Side.SELL else (high, low)


def modify(session: Session, listed: ListedLeg, leg: TriggerLeg) -> HttpRequest:
    """New prices for one leg, by the name that the list has for it."""
    return send(
        session,
        "PUT",
        _target(listed.order_id),
        {
            "orderId": listed.order_id,
            "orderFlag": listed.order_type,
            "orderType": "LIMIT",
            "legName": listed.leg_name,
            "quantity": leg.quantity,
            "price": rupees(leg.price),
            "disclosedQuantity": 0,
            "triggerPrice": rupees(leg.trigger),
            "validity": "DAY",
        },
    )


def cancel(session: Session, trigger_id: str) -> HttpRequest:
    """Take it back, all legs; no body."""
    return HttpRequest("DELETE", _target(trigger_id), headers(session))


def read(session: Session) -> HttpRequest:
    """The list: one line a leg."""
    return get(session, _PATH)


def _target(trigger_id: str) -> str:
    return f"{_PATH}/{quote(trigger_id, safe='')}"


def legs_of(body: bytes, trigger_id: str) -> tuple[ListedLeg, ...]:
    """The legs of one trigger in rising order of their triggers. Raises `BadAnswer`."""
    legs = decode(body, list[ListedLeg], "forever orders")
    return tuple(sorted((leg for leg in legs if leg.order_id == trigger_id), key=lambda leg: leg.leg.trigger))


def changes(listed: tuple[ListedLeg, ...], trigger: NewTrigger) -> list[tuple[ListedLeg, TriggerLeg]]:
    """What must be said to make the listed legs the wanted ones; both are in rising order of their triggers."""
    pairs = zip(listed, trigger.legs, strict=True)
    return [(old, new) for old, new in pairs if old.leg != new]


def rows(body: bytes, words: Words) -> tuple[TriggerRow, ...]:
    """Every trigger of the list.

    Raises:
        BadAnswer: one of them cannot be read, or has a word that nobody documented.
    """
    by_id: dict[str, list[ListedLeg]] = defaultdict(list)
    for leg in decode(body, list[ListedLeg], "forever orders"):
        by_id[leg.order_id].append(leg)
    return tuple(_row(legs, words) for legs in by_id.values())


def _row(legs: list[ListedLeg], words: Words) -> TriggerRow:
    first = legs[0]
    try:
        states = {_STATUS[leg.order_status] for leg in legs}
        side, product = names.SIDE_OF[first.transaction_type], _PRODUCT[first.product_type]
    except KeyError as error:
        raise BadAnswer(f"forever order {first.order_id}: {error} is not documented") from None
    exchange, symbol = words.key_of(first.exchange_segment, first.security_id, first.trading_symbol or "")
    return TriggerRow(
        trigger_id=first.order_id,
        exchange=exchange,
        symbol=symbol,
        side=side,
        product=product,
        legs=tuple(sorted((leg.leg for leg in legs), key=lambda leg: leg.trigger)),
        status=next(state for state in _ORDER if state in states),
        created_at=instant_of(first.create_time),
    )
