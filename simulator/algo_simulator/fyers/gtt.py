"""GTT orders, single and OCO: legs go by position (leg 1 fires above the last price, leg 2 below), exits are limits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from algo_crds.contracts.clock import IST
from algo_crds.contracts.orders import Product
from algo_market.order_rules import Refused

from algo_simulator.front import Caller
from algo_simulator.fyers.bodies import price_field, text_field
from algo_simulator.fyers.errors import BAD_ORDER_ID, FyersError, bad_field
from algo_simulator.fyers.names import (
    exchange_code,
    fyers_symbol,
    fyers_token,
    instrument_code,
    segment_code,
)
from algo_simulator.fyers.order_calls import CANCELLED, MODIFIED, PLACED
from algo_simulator.fyers.order_forms import (
    BAD_LIMIT,
    BAD_PRODUCT,
    BAD_STOP,
    check_tick,
    read_market,
    read_product,
    read_quantity,
    read_side,
    read_tag,
    rejected,
)
from algo_simulator.fyers.rows import change_percent, fyers_uuid, moment, product_name, rupees, side_code
from algo_simulator.market import Market
from algo_simulator.trigger_orders import TriggerLeg, TriggerOrder, TriggerStatus

Form = Mapping[str, Any]
_STATUS: Final = {TriggerStatus.ACTIVE: 6, TriggerStatus.TRIGGERED: 2, TriggerStatus.CANCELLED: 1}
_REPORT: Final = {TriggerStatus.CANCELLED: "CANCELLED"}
UNTAGGED: Final = "2:GTTUntagged"


def gtt_id(order: TriggerOrder) -> str:
    """Six digits of the day and eight that no ordinary order has."""
    return f"{datetime.fromtimestamp(order.created_at / 1000, IST):%y%m%d}9{order.number:07}"


def _find(caller: Caller, name: str) -> TriggerOrder:
    for order in caller.account.triggers.values():
        if gtt_id(order) == name:
            return order
    raise FyersError(400, *BAD_ORDER_ID)


def place(caller: Caller, form: Form) -> dict[str, object]:
    """`POST /gtt/orders/sync`.

    Raises:
        FyersError: a field cannot be used, or a leg stands on the wrong side of the last price.
    """
    world = caller.clock.world
    market, side = read_market(form, world.markets), read_side(form)
    product, tag = read_product(form, market), read_tag(form, caller.account.spec.client_id)
    if product is Product.INTRADAY:
        raise bad_field("INTRADAY is not available for GTT orders", BAD_PRODUCT)
    legs = _legs(form, market, side)
    placed = world.triggers.place(caller.account, market, product=product, legs=legs, tag=tag, now=caller.now)
    if isinstance(placed, Refused):
        raise rejected(placed.message)
    placed.child_tag = f"GTT{tag}" if tag else ""
    return {"code": PLACED, "message": "Successfully placed order", "id": gtt_id(placed)}


def modify(caller: Caller, form: Form) -> dict[str, object]:
    """`PATCH /gtt/orders/sync`: the legs are replaced as a whole.

    Raises:
        FyersError: no such order, it is not armed any more, or a leg cannot be used.
    """
    order = _find(caller, text_field(form, "id"))
    market = caller.clock.world.markets[f"{order.exchange}:{order.symbol}"]
    refused = caller.clock.world.triggers.modify(order, _legs(form, market, order.legs[0].side), caller.now)
    if refused is not None:
        raise rejected(refused.message)
    return {"code": MODIFIED, "message": "Successfully modified order", "id": gtt_id(order)}


def cancel(caller: Caller, form: Form) -> dict[str, object]:
    """`DELETE /gtt/orders/sync`.

    Raises:
        FyersError: no such order, or it is not armed any more.
    """
    order = _find(caller, text_field(form, "id"))
    refused = caller.clock.world.triggers.cancel(order, caller.now)
    if refused is not None:
        raise rejected(refused.message)
    return {"code": CANCELLED, "message": "Successfully cancelled order", "id": gtt_id(order)}


def _legs(form: Form, market: Market, side: Any) -> list[TriggerLeg]:
    info = form.get("orderInfo")
    if not isinstance(info, dict) or not isinstance(info.get("leg1"), dict):
        raise bad_field("Please provide orderInfo with leg1")
    legs = []
    for name in ("leg1", "leg2"):
        leg = info.get(name)
        if leg is None:
            continue
        if not isinstance(leg, dict):
            raise bad_field(f"{name} must be an object")
        price = price_field(leg, "price", BAD_LIMIT)
        trigger = price_field(leg, "triggerPrice", BAD_STOP)
        if price <= 0 or trigger <= 0:
            raise bad_field(f"Please provide price and triggerPrice of {name}")
        check_tick(price, market)
        check_tick(trigger, market)
        legs.append(TriggerLeg(trigger=trigger, price=price, quantity=read_quantity(leg), side=side, name=name))
    last = market.stats.last or market.previous_close
    if len(legs) == 2 and not legs[0].trigger > last > legs[1].trigger:
        raise bad_field("leg1 must trigger above the last traded price and leg2 below", BAD_STOP)
    return legs


def book(caller: Caller) -> dict[str, object]:
    """`GET /gtt/orders`: under `orderBook`; what was triggered or cancelled stays."""
    markets = caller.clock.world.markets
    triggers = caller.account.triggers.values()
    return {"orderBook": [_row(order, markets[f"{order.exchange}:{order.symbol}"]) for order in triggers]}


def _row(order: TriggerOrder, market: Market) -> dict[str, object]:
    instrument, first = market.instrument, order.legs[0]
    second = order.legs[1] if len(order.legs) > 1 else None
    last = market.stats.last or market.previous_close
    return {
        "clientId": order.client_id,
        "exchange": exchange_code(instrument),
        "segment": segment_code(instrument),
        "fy_token": fyers_token(instrument),
        "id_fyers": fyers_uuid(gtt_id(order)),
        "id": gtt_id(order),
        "instrument": instrument_code(instrument),
        "lot_size": instrument.lot,
        "multiplier": 0,
        "precision": 2,
        "tick_size": rupees(instrument.tick_size),
        "ord_status": _STATUS[order.status],
        "report_type": _REPORT.get(order.status, "PLACED"),
        "price_limit": rupees(first.price),
        "price2_limit": rupees(second.price) if second else 0,
        "price_trigger": rupees(first.trigger),
        "price2_trigger": rupees(second.trigger) if second else 0,
        "qty": first.quantity,
        "qty2": second.quantity if second else 0,
        "product_type": product_name(order.product, instrument),
        "tran_side": side_code(first.side),
        "gtt_oco_ind": len(order.legs),
        "symbol": fyers_symbol(instrument),
        "symbol_desc": instrument.name,
        "symbol_exch": instrument.underlying or instrument.symbol,
        "create_time": moment(order.created_at),
        "create_time_epoch": order.created_at // 1000,
        "oms_msg": "",
        "ltp": rupees(last),
        "ltp_ch": rupees(last - market.previous_close),
        "ltp_chp": change_percent(last, market.previous_close),
        "ordertag": f"1:GTT{order.tag}" if order.tag else UNTAGGED,
    }
