"""GTT rules: single and OCO, on the shared trigger orders; cash segment only."""

from typing import Final

from algo_crds.contracts.clock import format_instant
from algo_crds.contracts.money import format_price
from algo_crds.contracts.orders import RejectKind, Side
from algo_market.order_rules import Refused

from algo_simulator.angelone.errors import AngelError, refusal
from algo_simulator.angelone.names import PRODUCTS, SIDE_WORDS, SIDES, angel_symbol, angel_token, find_market
from algo_simulator.angelone.order_forms import Form, read_price, read_quantity, text
from algo_simulator.front import Caller
from algo_simulator.market import Market
from algo_simulator.trigger_orders import TriggerLeg, TriggerOrder, TriggerStatus

STATUSES: Final = ("NEW", "CANCELLED", "ACTIVE", "SENTTOEXCHANGE", "FORALL")
_FIRST_ID: Final = 1_900_000
_NEW_MS: Final = 1_000
"""How long a rule is NEW before it is ACTIVE."""
_DAY_MS: Final = 86_400_000
_MAX_DAYS: Final = 365
_EXCHANGES: Final = ("NSE", "BSE")
_PRODUCTS: Final = ("DELIVERY", "MARGIN")
_REFUSALS: Final = {
    RejectKind.QUANTITY: ("AB9006", "Invalid qty"),
    RejectKind.PRICE: ("AB9008", "Invalid price"),
    RejectKind.TICK_SIZE: ("AB9008", "Invalid price"),
    RejectKind.THROUGH: ("AB9009", "Invalid trigger price"),
}


def create(caller: Caller, form: Form) -> dict[str, object]:
    """`createRule`.

    Raises:
        AngelError: a field cannot be used; each has a code of its own.
    """
    market = _market(caller, form)
    side = SIDES.get(text(form, "transactiontype"))
    if side is None:
        raise refusal("AB9014", "Invalid transaction type")
    product = text(form, "producttype")
    if product not in _PRODUCTS:
        raise refusal("AB9015", "Invalid product type")
    oco = text(form, "gttType").upper() == "OCO"
    days, disclosed = _days(form, _MAX_DAYS), _disclosed(form)
    legs = _legs(form, side, oco=oco)
    made = caller.clock.world.triggers.place(
        caller.account, market, product=PRODUCTS[product], legs=legs, now=caller.now
    )
    if isinstance(made, Refused):
        raise _refused(made)
    made.expires_at = caller.now + days * _DAY_MS
    made.memo = {"producttype": product, "disclosed": disclosed}
    return {"id": _id(made)}


def modify(caller: Caller, form: Form) -> dict[str, object]:
    """`modifyRule`; a single rule cannot become an OCO.

    Raises:
        AngelError: no such rule, it is over, or a field cannot be used.
    """
    rule = _find(caller, form)
    oco = len(rule.legs) > 1
    if text(form, "gttType").upper() == "OCO" and not oco:
        raise refusal("AB9001", "Invalid parameters")
    legs, disclosed = _legs(form, rule.legs[0].side, oco=oco), _disclosed(form)
    expires_at = rule.created_at + _days(form, _MAX_DAYS) * _DAY_MS if text(form, "timeperiod") else rule.expires_at
    refused = caller.clock.world.triggers.modify(rule, legs, caller.now)
    if refused is not None:
        raise _refused(refused)
    rule.expires_at, rule.memo["disclosed"] = expires_at, disclosed
    return {"id": _id(rule)}


def cancel(caller: Caller, form: Form) -> dict[str, object]:
    """`cancelRule`.

    Raises:
        AngelError: no such rule, or it is over.
    """
    rule = _find(caller, form)
    refused = caller.clock.world.triggers.cancel(rule, caller.now)
    if refused is not None:
        raise _refused(refused)
    return {"id": _id(rule)}


def details(caller: Caller, form: Form) -> dict[str, object]:
    """`ruleDetails`.

    Raises:
        AngelError: no such rule.
    """
    return _row(caller, _by_id(caller, form))


def rules(caller: Caller, form: Form) -> list[dict[str, object]] | None:
    """`ruleList`: a page of the rules in some states, newest first; null when there is none.

    Raises:
        AngelError: no or unknown states, or a page or count below 1.
    """
    wanted = form.get("status")
    if not isinstance(wanted, list) or not wanted or any(status not in STATUSES for status in wanted):
        raise refusal("AB9004", "Invalid status array size")
    page, count = _positive(form, "page", "AB9017"), _positive(form, "count", "AB9018")
    found = [_row(caller, rule) for rule in reversed(caller.account.triggers.values())]
    if "FORALL" not in wanted:
        found = [row for row in found if row["status"] in wanted]
    return found[(page - 1) * count : page * count] or None


def _row(caller: Caller, rule: TriggerOrder) -> dict[str, object]:
    market = caller.clock.world.markets[f"{rule.exchange}:{rule.symbol}"]
    first = rule.legs[0]
    row: dict[str, object] = {
        "status": _status(rule, caller.now),
        "createddate": format_instant(rule.created_at),
        "updateddate": format_instant(rule.updated_at),
        "expirydate": format_instant(rule.expires_at),
        "clientid": rule.client_id,
        "id": _id(rule),
        "tradingsymbol": angel_symbol(market.instrument),
        "symboltoken": angel_token(market.instrument),
        "exchange": rule.exchange,
        "transactiontype": SIDE_WORDS[first.side],
        "producttype": rule.memo.get("producttype", "DELIVERY"),
        "price": format_price(first.price),
        "qty": str(first.quantity),
        "triggerprice": format_price(first.trigger),
        "disclosedqty": str(rule.memo.get("disclosed", 0)),
    }
    if len(rule.legs) > 1:
        row["gttType"] = "OCO"
        row["stoplossprice"] = format_price(rule.legs[1].price)
        row["stoplosstriggerprice"] = format_price(rule.legs[1].trigger)
    return row


def _status(rule: TriggerOrder, now: int) -> str:
    if rule.status is TriggerStatus.ACTIVE:
        return "NEW" if now - rule.created_at < _NEW_MS else "ACTIVE"
    return "SENTTOEXCHANGE" if rule.status is TriggerStatus.TRIGGERED else "CANCELLED"


def _legs(form: Form, side: Side, *, oco: bool) -> list[TriggerLeg]:
    """`price` and `triggerprice` are the target of an OCO, otherwise the only leg."""
    try:
        quantity = read_quantity(form, "qty")
    except AngelError:
        raise refusal("AB9006", "Invalid qty") from None
    names = [("price", "triggerprice")]
    if oco:
        names.append(("stoplossprice", "stoplosstriggerprice"))
    return [
        TriggerLeg(
            trigger=_price(form, trigger, "AB9009", "Invalid trigger price"),
            price=_price(form, price, "AB9008", "Invalid price"),
            quantity=quantity,
            side=side,
            name=price,
        )
        for price, trigger in names
    ]


def _price(form: Form, name: str, code: str, message: str) -> int:
    try:
        price = read_price(form, name)
    except AngelError:
        raise refusal(code, message) from None
    if price <= 0:
        raise refusal(code, message)
    return price


def _market(caller: Caller, form: Form) -> Market:
    exchange = text(form, "exchange")
    if exchange not in _EXCHANGES:
        raise refusal("AB9010", "Invalid exchange")
    market = find_market(caller.clock.world.markets, exchange, text(form, "symboltoken"))
    if market is None or market.instrument.kind != "EQ":
        raise refusal("AB9011", "Invalid symbol token")
    if text(form, "tradingsymbol") != angel_symbol(market.instrument):
        raise refusal("AB9012", "Invalid trading symbol")
    return market


def _find(caller: Caller, form: Form) -> TriggerOrder:
    rule = _by_id(caller, form)
    if find_market(caller.clock.world.markets, text(form, "exchange"), text(form, "symboltoken")) is None:
        raise refusal("AB9011", "Invalid symbol token")
    return rule


def _by_id(caller: Caller, form: Form) -> TriggerOrder:
    word = text(form, "id")
    number = int(word) - _FIRST_ID if word.isascii() and word.isdecimal() and len(word) < 12 else 0
    rule = caller.account.triggers.get(number)
    if rule is None:
        raise refusal("AB9013", "Invalid rule id")
    return rule


def _id(rule: TriggerOrder) -> str:
    return str(_FIRST_ID + rule.number)


def _days(form: Form, default: int) -> int:
    word = text(form, "timeperiod") or str(default)
    if not (word.isascii() and word.isdecimal()) or not 0 < int(word) <= _MAX_DAYS:
        raise refusal("AB9016", "Invalid time period")
    return int(word)


def _disclosed(form: Form) -> int:
    try:
        return read_quantity(form, "disclosedqty") if text(form, "disclosedqty") else 0
    except AngelError:
        raise refusal("AB9007", "Invalid disclosed qty") from None


def _positive(form: Form, name: str, code: str) -> int:
    word = text(form, name)
    if not (word.isascii() and word.isdecimal()) or len(word) > 9 or int(word) < 1:
        raise refusal(code, f"Invalid {name}")
    return int(word)


def _refused(refused: Refused) -> AngelError:
    code, message = _REFUSALS.get(refused.kind, ("AB9001", "Invalid parameters"))
    return refusal(code, f"{message}: {refused.message}")
