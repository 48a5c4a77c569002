"""GTT: Kite's lasting trigger orders. Single or two-leg; the orders that they send are ordinary ones."""

from typing import Final, NamedTuple, TypeVar

import msgspec
from algo_crds.contracts.orders import OrderStatus, RejectKind, Side
from algo_market.order_rules import Refused

from algo_simulator.front import Caller
from algo_simulator.funds import last_price
from algo_simulator.market import Market
from algo_simulator.trigger_orders import TriggerLeg, TriggerOrder, TriggerStatus
from algo_simulator.zerodha.errors import KiteError, input_error
from algo_simulator.zerodha.names import find_market, kite_symbol, kite_token
from algo_simulator.zerodha.order_forms import PRODUCTS, SIDES, price_of
from algo_simulator.zerodha.rows import rupees, stamp

_T = TypeVar("_T")
MAX_ACTIVE: Final = 500
ADDRESS_QUIRK: Final = "gtt_address"
"""Whether GTT calls must come from a registered address is answered nowhere; with this quirk they must."""
EQUAL: Final = "Trigger cannot be created with one of the trigger values equal to the last price."
SECOND_BELOW: Final = "Trigger cannot be created with the second trigger price less than the last price."
FIRST_ABOVE: Final = "Trigger cannot be created with the first trigger price more than the last price."
_TYPES: Final = {"single": 1, "two-leg": 2}
_STATUS: Final = {
    TriggerStatus.ACTIVE: "active",
    TriggerStatus.TRIGGERED: "triggered",
    TriggerStatus.CANCELLED: "deleted",
}


class _Condition(msgspec.Struct, frozen=True, kw_only=True):
    exchange: str
    tradingsymbol: str
    trigger_values: list[float]
    last_price: float


class _Order(msgspec.Struct, frozen=True, kw_only=True):
    transaction_type: str
    quantity: int
    order_type: str
    product: str
    price: float
    exchange: str = ""
    tradingsymbol: str = ""


class _Form(NamedTuple):
    kind: str
    market: Market
    product: str
    legs: list[TriggerLeg]


def place(caller: Caller, form: dict[str, str]) -> dict[str, object]:
    """`POST /gtt/triggers`.

    Raises:
        KiteError: the form cannot be used, or the triggers make no sense at this price.
    """
    wanted = _read(caller, form)
    active = [t for t in caller.account.triggers.values() if t.status is TriggerStatus.ACTIVE]
    if len(active) >= MAX_ACTIVE:
        raise input_error(f"Maximum number of active triggers ({MAX_ACTIVE}) reached.")
    world = caller.clock.world
    made = world.triggers.place(
        caller.account, wanted.market, product=PRODUCTS[wanted.product], legs=wanted.legs, now=caller.now
    )
    if isinstance(made, Refused):
        raise _refused(made)
    _remember(made, wanted)
    return {"trigger_id": made.number}


def modify(caller: Caller, number: str, form: dict[str, str]) -> dict[str, object]:
    """`PUT /gtt/triggers/{id}`: everything is sent again.

    Raises:
        KiteError: as `place`; no such trigger, or it is not active.
    """
    order = _find(caller, number)
    wanted = _read(caller, form)
    if wanted.market.instrument.key != f"{order.exchange}:{order.symbol}":
        raise input_error("The instrument of a trigger cannot be changed.")
    refused = caller.clock.world.triggers.modify(order, wanted.legs, caller.now)
    if refused is not None:
        raise _refused(refused)
    _remember(order, wanted)
    order.product = PRODUCTS[wanted.product]
    return {"trigger_id": order.number}


def delete(caller: Caller, number: str) -> dict[str, object]:
    """`DELETE /gtt/triggers/{id}`.

    Raises:
        KiteError: no such trigger, or it is not active.
    """
    order = _find(caller, number)
    refused = caller.clock.world.triggers.cancel(order, caller.now)
    if refused is not None:
        raise _refused(refused)
    return {"trigger_id": order.number}


def listed(caller: Caller) -> list[dict[str, object]]:
    """`GET /gtt/triggers`: a world lasts a day, so that none is older than the seven days of the list."""
    return [_row(caller, order) for order in caller.account.triggers.values()]


def one(caller: Caller, number: str) -> dict[str, object]:
    """`GET /gtt/triggers/{id}`.

    Raises:
        KiteError: no such trigger.
    """
    return _row(caller, _find(caller, number))


def _find(caller: Caller, number: str) -> TriggerOrder:
    order = caller.account.triggers.get(int(number)) if number.isascii() and number.isdecimal() else None
    if order is None:
        raise KiteError(404, "GeneralException", "Couldn't find that trigger.")
    return order


def _remember(order: TriggerOrder, wanted: _Form) -> None:
    order.memo = {"type": wanted.kind, "product": wanted.product}


def _read(caller: Caller, form: dict[str, str]) -> _Form:
    kind = form.get("type", "")
    if kind not in _TYPES:
        raise input_error("Invalid `type`.")
    condition = _decoded(form, "condition", _Condition)
    orders = _decoded(form, "orders", list[_Order])
    market = find_market(caller.clock.world.markets, condition.exchange, condition.tradingsymbol)
    if market is None or market.instrument.kind == "INDEX":
        raise input_error("The instrument you are placing an order for has either expired or does not exist.")
    values = [price_of(value, "trigger_values") for value in condition.trigger_values]
    if not len(values) == len(orders) == _TYPES[kind]:
        raise input_error(f"Invalid `condition`: {kind} needs {_TYPES[kind]} trigger values and orders.")
    legs = [_leg(order, market, value) for order, value in zip(orders, values, strict=True)]
    products = {order.product for order in orders}
    if len(products) > 1:
        raise input_error("Invalid `orders`: the product must be the same.")
    if kind == "two-leg":
        _check_two(caller, market, legs)
    return _Form(kind, market, products.pop(), legs)


def _decoded(form: dict[str, str], name: str, shape: type[_T]) -> _T:
    try:
        return msgspec.json.decode(form.get(name, ""), type=shape)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        raise input_error(f"Invalid `{name}`.") from None


def _leg(order: _Order, market: Market, trigger: int) -> TriggerLeg:
    if order.order_type != "LIMIT":
        raise input_error("Invalid `order_type`: only LIMIT orders can be placed by a trigger.")
    if order.product not in ("CNC", "NRML"):
        raise input_error("Invalid `product`: CNC or NRML.")
    if order.transaction_type not in SIDES or order.quantity <= 0:
        raise input_error("Invalid `orders`.")
    if (order.exchange or market.instrument.exchange) != market.instrument.exchange:
        raise input_error("Invalid `orders`: the instrument is another than the condition's.")
    price = price_of(order.price, "price")
    if price == 0:
        raise input_error("Missing or empty field `price`")
    return TriggerLeg(trigger=trigger, price=price, quantity=order.quantity, side=SIDES[order.transaction_type])


def _check_two(caller: Caller, market: Market, legs: list[TriggerLeg]) -> None:
    if market.instrument.kind == "EQ" and any(leg.side is Side.BUY for leg in legs):
        raise input_error("Two-leg triggers that buy are not allowed for equity.")
    last = last_price(caller.clock.world.markets, market.instrument.key)
    first, second = (leg.trigger for leg in legs)
    if last in (first, second):
        raise input_error(EQUAL)
    if second < last:
        raise input_error(SECOND_BELOW)
    if first > last:
        raise input_error(FIRST_ABOVE)


def _refused(refused: Refused) -> KiteError:
    if refused.kind is RejectKind.THROUGH:
        return input_error(EQUAL)
    if refused.kind is RejectKind.NOT_MODIFIABLE:
        return input_error("Trigger cannot be changed: it is not active.")
    return input_error(f"Trigger cannot be created: {refused.message}.")


def _row(caller: Caller, order: TriggerOrder) -> dict[str, object]:
    market = caller.clock.world.markets[f"{order.exchange}:{order.symbol}"]
    named = {"exchange": order.exchange, "tradingsymbol": kite_symbol(market.instrument)}
    return {
        "id": order.number,
        "user_id": order.client_id,
        "parent_trigger": None,
        "type": order.memo["type"],
        "created_at": stamp(order.created_at),
        "updated_at": stamp(order.updated_at),
        "expires_at": stamp(order.expires_at),
        "status": _STATUS[order.status],
        "condition": {
            **named,
            "instrument_token": kite_token(market.instrument),
            "last_price": rupees(order.last_price),
            "trigger_values": [rupees(leg.trigger) for leg in order.legs],
        },
        "orders": [_leg_row(named, order, leg) for leg in order.legs],
        "meta": {},
    }


def _leg_row(named: dict[str, str], order: TriggerOrder, leg: TriggerLeg) -> dict[str, object]:
    row: dict[str, object] = {
        **named,
        "transaction_type": "BUY" if leg.side is Side.BUY else "SELL",
        "quantity": leg.quantity,
        "order_type": "LIMIT",
        "product": order.memo["product"],
        "price": rupees(leg.price),
    }
    return {**row, "result": _result(row, leg)}


def _result(row: dict[str, object], leg: TriggerLeg) -> dict[str, object] | None:
    """What became of the leg's order: nothing before it fired; a rejected one keeps no id."""
    if leg.order is None:
        return None
    failed = leg.order.sim.status is OrderStatus.REJECTED
    return {
        **row,
        "timestamp": stamp(leg.fired_at),
        "triggered_at": rupees(leg.fired_price),
        "order_result": {
            "status": "failed" if failed else "success",
            "order_id": "" if failed else leg.order.order_id,
            "rejection_reason": leg.order.sim.message if failed else "",
        },
    }
