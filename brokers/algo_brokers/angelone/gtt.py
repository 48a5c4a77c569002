"""Lasting trigger orders (GTT rules): requests and answers, pure.

Source: docs, GTT; two-legged rules (`gttType` OCO) from forum answers 4832 and 5155. Cash segments and delivery only; a
rule lives up to a year and sends a limit order without a tag. The documented change carries one leg, so a two-legged
rule is cancelled and made anew.
"""

from datetime import datetime
from typing import Final

import msgspec
from algo_crds.contracts.money import format_price
from algo_crds.contracts.orders import Product, RejectKind, Side

from algo_brokers.angelone import names, requests
from algo_brokers.angelone.amounts import Number, count_of, price_of
from algo_brokers.angelone.envelope import decode
from algo_brokers.errors import BadAnswer
from algo_brokers.http import HttpRequest
from algo_brokers.outcomes import Rejected
from algo_brokers.records import InstrumentRef, NewTrigger, TriggerLeg, TriggerRow, TriggerStatus
from algo_brokers.session import Session

LIVES_DAYS: Final = 365
PAGE: Final = 10
"""Rules in one answer, as in the documented sample."""
MAX_PAGES: Final = 100

_STATUS: Final = {
    "NEW": TriggerStatus.ACTIVE,
    "ACTIVE": TriggerStatus.ACTIVE,
    "SENTTOEXCHANGE": TriggerStatus.TRIGGERED,
    "CANCELLED": TriggerStatus.CANCELLED,
}


class _Rule(msgspec.Struct, frozen=True):
    id: str | int
    status: str
    exchange: str
    tradingsymbol: str
    transactiontype: str
    producttype: str
    price: Number
    triggerprice: Number
    qty: Number
    symboltoken: Number = None
    stoplossprice: Number = None
    stoplosstriggerprice: Number = None
    createddate: str | None = None
    expirydate: str | None = None


def refusal(trigger: NewTrigger, *, change: bool) -> Rejected | None:
    """Why the broker would not take it, found before anything is sent."""
    if trigger.instrument.exchange not in names.CASH or trigger.product is not Product.DELIVERY:
        message = "Angel One keeps lasting trigger orders for delivery in NSE and BSE shares only"
        return Rejected(kind=RejectKind.PRODUCT, message=message)
    if not 1 <= len(trigger.legs) <= 2 or len({leg.quantity for leg in trigger.legs}) != 1:
        return Rejected(kind=RejectKind.QUANTITY, message="a rule has one leg, or two of the same quantity")
    if change and len(trigger.legs) == 2:
        message = "a two-legged rule cannot be changed at Angel One; cancel it and make a new one"
        return Rejected(kind=RejectKind.NOT_MODIFIABLE, message=message)
    return None


def _leg(leg: TriggerLeg, prefix: str = "") -> dict[str, str]:
    return {f"{prefix}price": format_price(leg.price), f"{prefix}triggerprice": format_price(leg.trigger)}


def _common(trigger: NewTrigger) -> dict[str, str]:
    return {
        "symboltoken": requests.exchange_token(trigger.instrument),
        "exchange": trigger.instrument.exchange,
        "qty": str(trigger.legs[0].quantity),
        "disclosedqty": "0",
        "timeperiod": str(LIVES_DAYS),
    }


def create(session: Session, trigger: NewTrigger, *, address: str = "") -> HttpRequest:
    """A new rule. Of two legs the one on the losing side of the market is the stop: the lower one of a sale."""
    body = _common(trigger) | {
        "tradingsymbol": trigger.instrument.broker_symbol,
        "transactiontype": names.SIDE[trigger.side],
        "producttype": "DELIVERY",
    }
    if len(trigger.legs) == 2:
        low, high = trigger.legs
        stop, target = (low, high) if trigger.side is Side.SELL else (high, low)
        body |= {"gttType": "OCO", **_leg(target), **_leg(stop, "stoploss")}
    else:
        body |= _leg(trigger.legs[0])
    return requests.post(session, "/gtt/v1/createRule", body, address=address)


def modify(session: Session, rule_id: str, trigger: NewTrigger, *, address: str = "") -> HttpRequest:
    """New prices and quantity of a one-legged rule."""
    body = {"id": rule_id, **_common(trigger), **_leg(trigger.legs[0])}
    return requests.post(session, "/gtt/v1/modifyRule", body, address=address)


def cancel(session: Session, rule_id: str, instrument: InstrumentRef, *, address: str = "") -> HttpRequest:
    """Take a rule back."""
    body = {"id": rule_id, "symboltoken": requests.exchange_token(instrument), "exchange": instrument.exchange}
    return requests.post(session, "/gtt/v1/cancelRule", body, address=address)


def rule_list(session: Session, page: int) -> HttpRequest:
    """One page of the account's rules, the ended ones too; pages count from 1."""
    return requests.post(session, "/gtt/v1/ruleList", {"status": list(_STATUS), "page": page, "count": PAGE})


def rows(data: bytes, *, name_of: names.NameOf) -> tuple[TriggerRow, ...]:
    """The rules of one page; those on the broker's margin are never ours, but count, so they come too as delivery.

    Raises:
        BadAnswer: one of them cannot be read, or has a status that nobody documented.
    """
    return tuple(_row(rule, name_of) for rule in decode(data, list[_Rule], "list of rules"))


def _row(rule: _Rule, name_of: names.NameOf) -> TriggerRow:
    status = _STATUS.get(rule.status.strip().upper())
    side = names.SIDE_OF.get(rule.transactiontype)
    if status is None or side is None:
        raise BadAnswer(f"rule {rule.id}: unknown status {rule.status!r} or side {rule.transactiontype!r}")
    quantity = count_of(rule.qty)
    legs = [TriggerLeg(trigger=price_of(rule.triggerprice), price=price_of(rule.price), quantity=quantity)]
    stop = price_of(rule.stoplosstriggerprice)
    if stop:
        legs.append(TriggerLeg(trigger=stop, price=price_of(rule.stoplossprice), quantity=quantity))
    return TriggerRow(
        trigger_id=str(rule.id),
        exchange=rule.exchange,
        symbol=name_of(rule.exchange, str(rule.symboltoken or ""), rule.tradingsymbol),
        side=side,
        product=names.PRODUCT_OF.get(rule.producttype, Product.DELIVERY),
        legs=tuple(sorted(legs, key=lambda leg: leg.trigger)),
        status=status,
        created_at=_instant(rule.createddate),
        expires_at=_instant(rule.expirydate),
    )


def _instant(text: str | None) -> int:
    try:
        at = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return 0
    return int(at.timestamp() * 1000) if at.tzinfo is not None else 0
