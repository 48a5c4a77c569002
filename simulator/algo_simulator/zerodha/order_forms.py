"""Reading the forms of place and modify: Kite's words into the exchange's, with Kite's refusals."""

import math
import re
from typing import Final, NamedTuple

from algo_crds.contracts.money import price_from_float
from algo_crds.contracts.orders import OrderType, Product, Side

from algo_simulator.market import Market
from algo_simulator.protection import protected_limit, usual_percent
from algo_simulator.quotes import quote_of
from algo_simulator.zerodha.errors import NOT_PROTECTED, input_error
from algo_simulator.zerodha.names import find_market

_TAG: Final = re.compile(r"[A-Za-z0-9]{0,20}\Z")
_VARIETIES: Final = ("regular", "amo", "co", "iceberg", "auction")
SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
PRODUCTS: Final = {"MIS": Product.INTRADAY, "CNC": Product.DELIVERY, "NRML": Product.DELIVERY}
_MAX_QUANTITY: Final = 10**9
MAX_TTL_MINUTES: Final = 1440


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
    ttl_minutes: int
    disclosed: int
    protection: float
    """Percent of a market order's protection; 0: it was none."""


def read_order(form: dict[str, str], variety: str, markets: dict[str, Market]) -> OrderForm:
    """A place form.

    Raises:
        KiteError: a field is missing or cannot be used.
    """
    if variety != "regular":
        known = variety in _VARIETIES
        raise input_error(f"Variety `{variety}` is not simulated." if known else "Invalid `variety`.")
    market = find_market(markets, form.get("exchange", ""), form.get("tradingsymbol", ""))
    if market is None:
        raise input_error("The instrument you are placing an order for has either expired or does not exist.")
    tag = form.get("tag", "")
    if not _TAG.match(tag):
        raise input_error("Invalid `tag`: letters and digits, at most 20.")
    kind = _word(form, "order_type", ("LIMIT", "SL", "MARKET", "SL-M"))
    stop = kind in ("SL", "SL-M")
    trigger = read_price(form, "trigger_price") if stop else 0
    price = read_price(form, "price") if kind in ("LIMIT", "SL") else 0
    side = SIDES[_word(form, "transaction_type", tuple(SIDES))]
    protection = 0.0
    if kind in ("MARKET", "SL-M"):
        protection = read_protection(form, market, trigger)
        price = protected_limit(market, side, trigger, protection)
    validity = form.get("validity", "DAY")
    if validity not in ("DAY", "IOC", "TTL"):
        raise input_error("Invalid `validity`.")
    ttl = read_quantity(form, "validity_ttl") if validity == "TTL" else 0
    if validity == "TTL" and not 0 < ttl <= MAX_TTL_MINUTES:
        raise input_error("Invalid `validity_ttl`.")
    return OrderForm(
        market=market,
        side=side,
        type=OrderType.STOP_LIMIT if stop else OrderType.LIMIT,
        quantity=read_quantity(form, "quantity"),
        price=price,
        trigger=trigger,
        product=PRODUCTS[_word(form, "product", tuple(PRODUCTS))],
        tag=tag,
        validity=validity,
        ttl_minutes=ttl,
        protection=protection,
        disclosed=read_quantity(form, "disclosed_quantity") if form.get("disclosed_quantity") else 0,
    )


def read_changes(form: dict[str, str]) -> dict[str, int | OrderType]:
    """A modify form: only what is sent changes.

    Raises:
        KiteError: a field cannot be used, or MARKET is asked for.
    """
    changes: dict[str, int | OrderType] = {}
    if form.get("order_type"):
        kind = _word(form, "order_type", ("LIMIT", "SL", "MARKET", "SL-M"))
        if kind in ("MARKET", "SL-M"):
            raise input_error(NOT_PROTECTED)
        changes["type"] = OrderType.LIMIT if kind == "LIMIT" else OrderType.STOP_LIMIT
    if form.get("quantity"):
        changes["quantity"] = read_quantity(form, "quantity")
    if form.get("price"):
        changes["price"] = read_price(form, "price")
    if form.get("trigger_price") and changes.get("type") is not OrderType.LIMIT:
        changes["trigger"] = read_price(form, "trigger_price")
    if changes.get("trigger") == 0:
        del changes["trigger"]
    return changes


def read_protection(form: dict[str, str], market: Market, trigger: int) -> float:
    """The protection of a market order in percent; without one the order is refused.

    Raises:
        KiteError: no protection, or one that is no number from 0 to 100 (or -1).
    """
    text = form.get("market_protection") or "0"
    try:
        percent = float(text)
    except ValueError:
        message = f"Invalid request (failed to decode market_protection, got: {text[:20]} (expected decimal))"
        raise input_error(message) from None
    if percent == 0:
        raise input_error(NOT_PROTECTED)
    if not (percent == -1 or 0 < percent <= 100):
        raise input_error("Invalid `market_protection`.")
    if percent > 0:
        return percent
    return usual_percent(trigger or quote_of(market).last, option=market.instrument.option)


def read_price(form: dict[str, str], name: str) -> int:
    """A price in rupees as `Price`.

    Raises:
        KiteError: missing, no number, negative or absurd.
    """
    try:
        value = float(form[name])
    except KeyError:
        raise input_error(f"Missing or empty field `{name}`") from None
    except ValueError:
        raise input_error(f"Invalid `{name}`.") from None
    return price_of(value, name)


def price_of(value: float, name: str) -> int:
    """An amount of rupees as `Price`.

    Raises:
        KiteError: negative or absurd.
    """
    if not math.isfinite(value) or not 0 <= value < 10**9:
        raise input_error(f"Invalid `{name}`.")
    return int(price_from_float(value))


def read_quantity(form: dict[str, str], name: str) -> int:
    """A number of shares.

    Raises:
        KiteError: missing, no whole number, negative or absurd.
    """
    text = form.get(name, "")
    if not (text.isascii() and text.isdecimal()) or len(text) > 10 or int(text) > _MAX_QUANTITY:
        raise input_error(f"Invalid `{name}`.")
    return int(text)


def _word(form: dict[str, str], name: str, allowed: tuple[str, ...]) -> str:
    word = form.get(name, "")
    if word not in allowed:
        raise input_error(f"Invalid `{name}`." if word else f"Missing or empty field `{name}`")
    return word
