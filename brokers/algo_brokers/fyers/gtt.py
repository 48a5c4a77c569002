"""Lasting trigger orders (GTT, single and OCO): requests and answers, pure.

The legs of an OCO are told by position: leg 1 fires above the last price, leg 2 below, whatever their role. A change
replaces the whole set. The exit is a limit order; a row does not say which leg fired nor which order it sent: that is
in the order book of the day. Source: docs v3, GTT; public field notes of August 2026 for the list's shape.
"""

from typing import Final

import msgspec
from algo_crds.contracts.orders import Product, RejectKind

from algo_brokers.errors import BadAnswer
from algo_brokers.fyers.decoding import PRODUCTS, SIDES, Number, count_of, decode, instant_of, price_of
from algo_brokers.fyers.names import broker_symbol_of, canonical
from algo_brokers.fyers.requests import SIDE, check_tag, product_name, read, rupees, write
from algo_brokers.http import HttpRequest
from algo_brokers.outcomes import Rejected
from algo_brokers.records import NewTrigger, TriggerLeg, TriggerRow, TriggerStatus
from algo_brokers.session import Session

_PATH: Final = "/gtt/orders/sync"
_STATUS: Final = {
    1: TriggerStatus.CANCELLED,
    2: TriggerStatus.TRIGGERED,
    4: TriggerStatus.ACTIVE,
    5: TriggerStatus.REJECTED,
    6: TriggerStatus.ACTIVE,
}


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    exchange: int
    segment: int
    symbol: str
    product_type: str
    tran_side: int
    ord_status: int
    gtt_oco_ind: int
    qty: Number
    price_limit: Number
    price_trigger: Number
    qty2: Number = None
    price2_limit: Number = None
    price2_trigger: Number = None
    create_time: str | None = None
    oms_msg: str | None = None


class _Book(msgspec.Struct, frozen=True):
    orderBook: list[_Row]  # noqa: N815 - the broker's name


def refused(trigger: NewTrigger) -> Rejected | None:
    """What Fyers cannot do, found before anything is sent."""
    legs = trigger.legs
    if trigger.product is Product.INTRADAY:
        return Rejected(kind=RejectKind.PRODUCT, message="Fyers has lasting triggers for delivery only")
    if len(legs) not in (1, 2):
        return Rejected(kind=RejectKind.ORDER_OTHER, message="a lasting trigger has one leg or two")
    if len(legs) == 2 and not legs[0].trigger < trigger.last_price < legs[1].trigger:
        return Rejected(
            kind=RejectKind.PRICE, message="of two legs one must lie below the last price and the other above"
        )
    return None


def _legs(trigger: NewTrigger) -> dict[str, dict[str, object]]:
    """By position: the upper leg is the first of two."""
    return {
        f"leg{place}": {"price": rupees(leg.price), "triggerPrice": rupees(leg.trigger), "qty": leg.quantity}
        for place, leg in enumerate(reversed(trigger.legs), start=1)
    }


def place(session: Session, trigger: NewTrigger) -> HttpRequest:
    """A new one. Raises `ValueError` for a tag or an instrument that Fyers cannot be told."""
    body = {
        "side": SIDE[trigger.side],
        "symbol": broker_symbol_of(trigger.instrument),
        "productType": product_name(trigger.product, trigger.instrument),
        "orderInfo": _legs(trigger),
    }
    if trigger.tag:
        body["orderTag"] = check_tag(trigger.tag)
    return write(session, "POST", _PATH, body)


def modify(session: Session, trigger_id: str, trigger: NewTrigger) -> HttpRequest:
    """All legs anew: what is left out of a change would be lost."""
    return write(session, "PATCH", _PATH, {"id": trigger_id, "orderInfo": _legs(trigger)})


def cancel(session: Session, trigger_id: str) -> HttpRequest:
    """Take one back."""
    return write(session, "DELETE", _PATH, {"id": trigger_id})


def book(session: Session) -> HttpRequest:
    """All of them; cancelled and triggered ones stay in the list."""
    return read(session, "/gtt/orders")


def not_changeable(rows: tuple[TriggerRow, ...], trigger_id: str, trigger: NewTrigger) -> Rejected | None:
    """Why this change of a listed trigger cannot be: it is over, or the number of legs would change."""
    row = next((one for one in rows if one.trigger_id == trigger_id), None)
    if row is None or row.status is not TriggerStatus.ACTIVE:
        return Rejected(kind=RejectKind.NOT_MODIFIABLE, message=f"lasting trigger {trigger_id} is not active")
    if len(row.legs) != len(trigger.legs):
        return Rejected(
            kind=RejectKind.NOT_MODIFIABLE,
            message="a lasting trigger keeps its number of legs; cancel it and place anew",
        )
    return None


def rows(data: bytes) -> tuple[TriggerRow, ...]:
    """The list, in the products we trade. A status that nobody documented counts as active, with a note.

    Raises:
        BadAnswer: any row cannot be read.
    """
    return tuple(_row(row) for row in decode(data, _Book, "GTT list").orderBook if row.product_type in PRODUCTS)


def _row(row: _Row) -> TriggerRow:
    side = SIDES.get(row.tran_side)
    if side is None or row.gtt_oco_ind not in (1, 2):
        raise BadAnswer(f"GTT {row.id}: side {row.tran_side}, kind {row.gtt_oco_ind}")
    exchange, symbol = canonical(row.exchange, row.segment, row.symbol)
    legs = [
        TriggerLeg(trigger=price_of(row.price_trigger), price=price_of(row.price_limit), quantity=count_of(row.qty))
    ]
    if row.gtt_oco_ind == 2:
        second = TriggerLeg(
            trigger=price_of(row.price2_trigger), price=price_of(row.price2_limit), quantity=count_of(row.qty2)
        )
        legs.append(second)
    known = _STATUS.get(row.ord_status)
    return TriggerRow(
        trigger_id=row.id,
        exchange=exchange,
        symbol=symbol,
        side=side,
        product=PRODUCTS[row.product_type],
        legs=tuple(sorted(legs, key=lambda leg: leg.trigger)),
        status=known or TriggerStatus.ACTIVE,
        message=(row.oms_msg or "") if known else f"unknown status {row.ord_status}",
        created_at=instant_of(row.create_time),
    )
