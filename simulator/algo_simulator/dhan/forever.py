"""Forever orders (GTT), single and OCO, on the shared trigger orders.

A row a leg: an OCO shows its stop and its target under one order id. Leg names are those that the list shows: ENTRY_LEG
for a single one, STOP_LOSS_LEG and TARGET_LEG for an OCO.
"""

from typing import Final

from algo_crds.contracts.orders import RejectKind
from algo_market.order_rules import Refused

from algo_simulator.dhan import bodies
from algo_simulator.dhan.bodies import Body
from algo_simulator.dhan.errors import input_error, order_error, refusal_text
from algo_simulator.dhan.names import PRODUCTS, SIDE_WORDS, SIDES, product_word
from algo_simulator.dhan.order_forms import read_correlation, read_market, read_product
from algo_simulator.dhan.rows import contract, named, rupees, stamp
from algo_simulator.dhan.state import FOREVER_CHILD_TAG, DhanState, quirk
from algo_simulator.front import Caller
from algo_simulator.orders import AccountOrder
from algo_simulator.trigger_orders import TriggerLeg, TriggerOrder, TriggerStatus

ENTRY: Final = "ENTRY_LEG"
STOP: Final = "STOP_LOSS_LEG"
TARGET: Final = "TARGET_LEG"
_FLAGS: Final = ("SINGLE", "OCO")
_STATUS: Final = {
    TriggerStatus.ACTIVE: "CONFIRM",
    TriggerStatus.TRIGGERED: "TRADED",
    TriggerStatus.CANCELLED: "CANCELLED",
}


def place(caller: Caller, state: DhanState, body: Body) -> dict[str, object]:
    """`POST /forever/orders`. The first triple of fields is the stop of an OCO, the second (`...1`) its target.

    Raises:
        DhanError: a field is missing or cannot be used, or the order makes no sense.
    """
    world, account = caller.clock.world, caller.account
    bodies.check_client(body, account.spec.client_id)
    if state.kill_switch:
        raise order_error("Kill Switch is active. Trading is disabled for the day")
    oco = bodies.word(body, "orderFlag", _FLAGS) == "OCO"
    market = read_market(body, world.markets)
    word = read_product(body, market)
    if word == "INTRADAY":
        raise order_error("Forever orders are not allowed for INTRADAY")
    legs = [_leg(body, STOP if oco else ENTRY, "")]
    if oco:
        legs.append(_leg(body, TARGET, "1"))
    bodies.word(body, "validity", ("DAY", "IOC"), "DAY")
    tag = read_correlation(body)
    placed = world.triggers.place(account, market, product=PRODUCTS[word], legs=legs, tag=tag, now=caller.now)
    if isinstance(placed, Refused):
        raise _refused(placed, legs[0])
    placed.memo = {"product": word}
    if not quirk(account, FOREVER_CHILD_TAG):
        # What a forever order sends is known by `algoOrdNo` of its updates; nothing says that it carries the tag.
        placed.child_tag = ""
    return {"orderId": order_id(caller, placed), "orderStatus": "PENDING"}


def _leg(body: Body, name: str, suffix: str) -> TriggerLeg:
    market_order = bodies.word(body, "orderType", ("LIMIT", "MARKET")) == "MARKET"
    price = bodies.price(body, f"price{suffix}", 0)
    if not market_order and price <= 0:
        raise input_error(f"Invalid price{suffix}")
    return TriggerLeg(
        trigger=bodies.price(body, f"triggerPrice{suffix}"),
        price=0 if market_order else price,
        quantity=bodies.quantity(body, f"quantity{suffix}"),
        side=SIDES[bodies.word(body, "transactionType", tuple(SIDES))],
        name=name,
    )


def _refused(refused: Refused, leg: TriggerLeg) -> Exception:
    if refused.kind in (RejectKind.QUANTITY, RejectKind.PRICE):
        return input_error(refused.message)
    return order_error(refusal_text(refused, leg.side))


def modify(caller: Caller, wanted: str, body: Body) -> dict[str, object]:
    """`PUT /forever/orders/{orderId}`: one leg, by the name that the list shows.

    The documentation calls the leg of a single order TARGET_LEG, its users echo what they read: any name is taken for
    the only leg.

    Raises:
        DhanError: no such order or leg, it is not active, or a field cannot be used.
    """
    bodies.check_client(body, caller.account.spec.client_id)
    order = _find(caller, wanted)
    name = bodies.word(body, "legName", (ENTRY, STOP, TARGET), ENTRY)
    legs = [_copy(leg) for leg in order.legs]
    chosen = legs[0] if len(legs) == 1 else next((leg for leg in legs if leg.name == name), None)
    if chosen is None:
        raise input_error("Invalid legName")
    kind = bodies.word(body, "orderType", ("LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_MARKET"))
    chosen.quantity = bodies.quantity(body, "quantity", chosen.quantity)
    chosen.trigger = bodies.price(body, "triggerPrice", chosen.trigger / 10_000)
    market_order = kind in ("MARKET", "STOP_LOSS_MARKET")
    chosen.price = 0 if market_order else bodies.price(body, "price", chosen.price / 10_000)
    if not market_order and chosen.price <= 0:
        raise input_error("Invalid price")
    refused = caller.clock.world.triggers.modify(order, legs, caller.now)
    if refused is not None:
        raise _refused(refused, chosen)
    return {"orderId": wanted, "orderStatus": "PENDING"}


def _copy(leg: TriggerLeg) -> TriggerLeg:
    return TriggerLeg(trigger=leg.trigger, price=leg.price, quantity=leg.quantity, side=leg.side, name=leg.name)


def cancel(caller: Caller, wanted: str) -> dict[str, object]:
    """`DELETE /forever/orders/{orderId}`.

    Raises:
        DhanError: no such order, or it is not active.
    """
    refused = caller.clock.world.triggers.cancel(_find(caller, wanted), caller.now)
    if refused is not None:
        raise order_error(refused.message)
    return {"orderId": wanted, "orderStatus": "CANCELLED"}


def rows(caller: Caller) -> list[dict[str, object]]:
    """`GET /forever/orders`."""
    return [_row(caller, order, leg) for order in caller.account.triggers.values() for leg in order.legs]


def order_id(caller: Caller, order: TriggerOrder) -> str:
    """Dhan's id of a trigger order."""
    return f"5{caller.clock.world.spec.date:%y%m%d}{order.number:06}"


def parent_id(caller: Caller, order: AccountOrder) -> str:
    """The id of the forever order that sent an order; empty for every other."""
    for found in caller.account.triggers.values():
        if any(leg.order is order for leg in found.legs):
            return order_id(caller, found)
    return ""


def _find(caller: Caller, wanted: str) -> TriggerOrder:
    for order in caller.account.triggers.values():
        if order_id(caller, order) == wanted:
            return order
    raise input_error("Invalid orderId")


def _row(caller: Caller, order: TriggerOrder, leg: TriggerLeg) -> dict[str, object]:
    instrument = caller.clock.world.markets[f"{order.exchange}:{order.symbol}"].instrument
    changed = order.updated_at != order.created_at
    status = _STATUS[order.status]
    if order.status is TriggerStatus.TRIGGERED and leg.order is None:
        status = "CANCELLED"
    return {
        "dhanClientId": order.client_id,
        "orderId": order_id(caller, order),
        "orderStatus": status,
        "transactionType": SIDE_WORDS[leg.side],
        **named(instrument),
        "productType": str(order.memo.get("product") or product_word(order.product, instrument)),
        "orderType": "OCO" if len(order.legs) > 1 else "SINGLE",
        "quantity": leg.quantity,
        "price": rupees(leg.price),
        "triggerPrice": rupees(leg.trigger),
        "legName": leg.name,
        "createTime": stamp(order.created_at),
        "updateTime": stamp(order.updated_at) if changed else None,
        "exchangeTime": stamp(leg.fired_at) if leg.fired_at else None,
        **contract(instrument, None),
    }
