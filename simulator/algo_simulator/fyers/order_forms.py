"""Reading orders and changes of orders: Fyers' words into the exchange's, with Fyers' codes of refusal."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from algo_crds.contracts.orders import OrderStatus, OrderType, Product, Side

from algo_simulator.fyers.bodies import price_field, text_field, whole_field
from algo_simulator.fyers.errors import FyersError, bad_field
from algo_simulator.fyers.names import find_market
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder
from algo_simulator.protection import protected_limit

LIMIT, MARKET, STOP_MARKET, STOP_LIMIT = 1, 2, 3, 4
STOPS: Final = (STOP_MARKET, STOP_LIMIT)
SIDES: Final = {1: Side.BUY, -1: Side.SELL}
_PRODUCTS: Final = {"INTRADAY": Product.INTRADAY, "CNC": Product.DELIVERY, "MARGIN": Product.DELIVERY}
_GONE: Final = ("CO", "BO", "MTF")
_TAG: Final = re.compile(r"[A-Za-z0-9]{1,30}\Z")
BAD_SYMBOL: Final = -300
BAD_TYPE: Final = -101
BAD_QUANTITY: Final = -310
BAD_SIDE: Final = -313
BAD_PRODUCT: Final = -314
BAD_LIMIT: Final = -308
BAD_STOP: Final = -309
STOP_PASSED: Final = -390
STOP_BEYOND_LIMIT: Final = -315
BAD_VALIDITY: Final = -326
BAD_DISCLOSED: Final = -327
BAD_OFFLINE: Final = -328
BAD_TICK: Final = -392


class OrderForm(NamedTuple):
    """A new order as the exchange sees it."""

    market: Market
    side: Side
    type: OrderType
    quantity: int
    price: int
    trigger: int
    product: Product
    tag: str
    validity: str
    disclosed: int
    sliced: bool


def read_order(form: Mapping[str, Any], markets: dict[str, Market], client_id: str) -> OrderForm:
    """A new order.

    Raises:
        FyersError: a field is missing or cannot be used; the code tells which.
    """
    market = read_market(form, markets)
    kind = whole_field(form, "type", BAD_TYPE)
    if kind not in (LIMIT, MARKET, STOP_MARKET, STOP_LIMIT):
        raise bad_field("Please provide a valid order type", BAD_TYPE)
    side = read_side(form)
    trigger = _checked_price(form, "stopPrice", BAD_STOP, market) if kind in STOPS else 0
    price = _checked_price(form, "limitPrice", BAD_LIMIT, market) if kind in (LIMIT, STOP_LIMIT) else 0
    if kind in (MARKET, STOP_MARKET):
        price = protected_limit(market, side, trigger)
    if kind in STOPS:
        _check_stop(market, side, trigger, price)
    validity = text_field(form, "validity")
    if validity not in ("DAY", "IOC"):
        raise bad_field("Please provide a valid validity", BAD_VALIDITY)
    if form.get("offlineOrder") not in (None, False):
        raise bad_field("Offline orders are not simulated", BAD_OFFLINE)
    if form.get("takeProfit") or form.get("stopLoss"):
        raise bad_field("takeProfit and stopLoss are not simulated")
    return OrderForm(
        market=market,
        side=side,
        type=OrderType.STOP_LIMIT if kind in STOPS else OrderType.LIMIT,
        quantity=read_quantity(form),
        price=price,
        trigger=trigger,
        product=read_product(form, market),
        tag=read_tag(form, client_id),
        validity=validity,
        disclosed=_disclosed(form),
        sliced=form.get("isSliceOrder") is True,
    )


def read_market(form: Mapping[str, Any], markets: dict[str, Market]) -> Market:
    """The market of `symbol`.

    Raises:
        FyersError: this world does not trade it.
    """
    market = find_market(markets, text_field(form, "symbol"))
    if market is None:
        raise bad_field("Please provide a valid symbol", BAD_SYMBOL)
    return market


def read_side(form: Mapping[str, Any]) -> Side:
    """`side`: 1 or -1.

    Raises:
        FyersError: anything else.
    """
    side = SIDES.get(whole_field(form, "side", BAD_SIDE))
    if side is None:
        raise bad_field("Please provide a valid side", BAD_SIDE)
    return side


def read_quantity(form: Mapping[str, Any], name: str = "qty") -> int:
    """A quantity above zero.

    Raises:
        FyersError: it is none.
    """
    quantity = whole_field(form, name, BAD_QUANTITY)
    if quantity <= 0:
        raise bad_field("Please provide a valid quantity", BAD_QUANTITY)
    return quantity


def read_product(form: Mapping[str, Any], market: Market) -> Product:
    """`productType`, as far as the instrument can be kept in it.

    Raises:
        FyersError: unknown, or not of this instrument.
    """
    name = text_field(form, "productType")
    product = _PRODUCTS.get(name)
    share = market.instrument.kind in ("EQ", "INDEX")
    if product is None or name == ("MARGIN" if share else "CNC"):
        why = f"{name} is not available" if name in (*_GONE, *_PRODUCTS) else "Please provide a valid productType"
        raise bad_field(why, BAD_PRODUCT)
    return product


def read_tag(form: Mapping[str, Any], client_id: str) -> str:
    """`orderTag`: letters and digits, at most 30, neither the client's id nor a word of Fyers'.

    Raises:
        FyersError: anything else.
    """
    tag = form.get("orderTag") or ""
    if tag and (not isinstance(tag, str) or not _TAG.match(tag) or tag in (client_id, "Untagged")):
        raise bad_field("Please provide a valid orderTag: 1 to 30 letters and digits")
    return str(tag)


def _disclosed(form: Mapping[str, Any]) -> int:
    shares = whole_field(form, "disclosedQty", BAD_DISCLOSED)
    if shares < 0:
        raise bad_field("Please provide a valid disclosedQty", BAD_DISCLOSED)
    return shares


def _checked_price(form: Mapping[str, Any], name: str, code: int, market: Market) -> int:
    price = price_field(form, name, code)
    if price <= 0:
        raise bad_field(f"Please provide a valid {name}", code)
    check_tick(price, market)
    return price


def check_tick(price: int, market: Market) -> None:
    """Whether a price is a multiple of the tick.

    Raises:
        FyersError: -392.
    """
    if price % market.instrument.tick_size:
        raise bad_field("Price should be in multiples of tick size", BAD_TICK)


def _check_stop(market: Market, side: Side, trigger: int, price: int) -> None:
    last = market.stats.last
    if last and (trigger < last if side is Side.BUY else trigger > last):
        where = "greater" if side is Side.BUY else "less"
        raise bad_field(f"Stop price should be {where} than the last traded price", STOP_PASSED)
    if trigger >= price if side is Side.BUY else trigger <= price:
        where = "less" if side is Side.BUY else "greater"
        raise bad_field(f"Stop price should be {where} than the limit price", STOP_BEYOND_LIMIT)


def read_changes(form: Mapping[str, Any], order: AccountOrder, market: Market) -> dict[str, int | OrderType]:
    """What a modification changes: only what is sent; `qty` is the whole quantity.

    Raises:
        FyersError: a field cannot be used.
    """
    changes: dict[str, int | OrderType] = {}
    kind = whole_field(form, "type", BAD_TYPE) if "type" in form else 0
    if kind:
        if kind not in (LIMIT, MARKET, STOP_MARKET, STOP_LIMIT):
            raise bad_field("Please provide a valid order type", BAD_TYPE)
        changes["type"] = OrderType.STOP_LIMIT if kind in STOPS else OrderType.LIMIT
    if form.get("qty"):
        changes["quantity"] = read_quantity(form)
    if form.get("limitPrice") and kind not in (MARKET, STOP_MARKET):
        changes["price"] = _checked_price(form, "limitPrice", BAD_LIMIT, market)
    stop = changes.get("type", order.sim.type) is OrderType.STOP_LIMIT
    if form.get("stopPrice") and stop:
        changes["trigger"] = _checked_price(form, "stopPrice", BAD_STOP, market)
    if kind in (MARKET, STOP_MARKET):
        trigger = int(changes.get("trigger", order.sim.trigger)) if kind == STOP_MARKET else 0
        changes["price"] = protected_limit(market, order.sim.side, trigger)
    if not stop:
        changes["trigger"] = 0
    elif order.sim.status is not OrderStatus.TRIGGERED:
        trigger, price = (int(changes.get(name, getattr(order.sim, name))) for name in ("trigger", "price"))
        _check_stop(market, order.sim.side, trigger, price)
    return changes


def rejected(text: str) -> FyersError:
    """The order system's refusal in an answer."""
    return FyersError(400, -99, text)
