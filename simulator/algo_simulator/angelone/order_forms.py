"""Reading the bodies of place and modify: Angel One's words into the exchange's, with Angel One's refusals.

Every field may come as text or as a number.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from algo_crds.contracts.money import NotAPriceError, parse_price
from algo_crds.contracts.orders import OrderType, Product, Side

from algo_simulator.angelone.errors import (
    BAD_VARIETY,
    LONG_TAG,
    WIDE_GAP,
    bad_input,
    refusal,
)
from algo_simulator.angelone.names import PRODUCTS, SIDES, angel_symbol, find_market
from algo_simulator.angelone.rules import GAP_PERCENT, OPTION_GAP_PERCENT, BrokerRules
from algo_simulator.market import Market
from algo_simulator.protection import protected_limit

Form = Mapping[str, object]
VARIETIES: Final = ("NORMAL", "STOPLOSS", "ROBO")
_STOPS: Final = ("STOPLOSS_LIMIT", "STOPLOSS_MARKET")
_AT_MARKET: Final = ("MARKET", "STOPLOSS_MARKET")
_MAX_TAG: Final = 20
_MAX_QUANTITY: Final = 10**9
_MAX_PRICE: Final = 10**13


class OrderForm(NamedTuple):
    """A new order as the exchange sees it."""

    market: Market
    side: Side
    type: OrderType
    quantity: int
    price: int
    trigger: int
    product: Product
    product_word: str
    tag: str
    duration: str
    disclosed: int


def read_body(body: bytes) -> dict[str, object]:
    """A JSON object.

    Raises:
        AngelError: the body is none.
    """
    try:
        return msgspec.json.decode(body or b"{}", type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise bad_input("Invalid request body") from None


def read_order(form: Form, markets: Mapping[str, Market], rules: BrokerRules) -> OrderForm:
    """A body of `placeOrder`.

    Raises:
        AngelError: a field is missing or cannot be used.
    """
    kind = _variety_and_type(form)
    market = instrument_of(form, markets)
    tag = text(form, "ordertag")
    if len(tag) >= _MAX_TAG:
        raise refusal("AB4008", LONG_TAG)
    word = text(form, "producttype")
    if word not in PRODUCTS:
        raise refusal("AB1012", "Invalid Product Type")
    side = SIDES.get(text(form, "transactiontype"))
    if side is None:
        raise bad_input("Invalid Transaction Type")
    duration = _duration(form, rules)
    trigger = read_price(form, "triggerprice") if kind in _STOPS else 0
    if kind in _AT_MARKET:
        _check_market_allowed(rules)
        price = protected_limit(market, side, trigger)
    else:
        price = read_price(form, "price")
    stop = kind in _STOPS
    if stop:
        check_gap(market, trigger, price)
    return OrderForm(
        market=market,
        side=side,
        type=OrderType.STOP_LIMIT if stop else OrderType.LIMIT,
        quantity=read_quantity(form, "quantity"),
        price=price,
        trigger=trigger,
        product=PRODUCTS[word],
        product_word=word,
        tag=tag,
        duration=duration,
        disclosed=read_quantity(form, "disclosedquantity") if text(form, "disclosedquantity") else 0,
    )


def read_changes(form: Form, market: Market, rules: BrokerRules) -> dict[str, int | OrderType]:
    """A body of `modifyOrder`: the complete new state of the order.

    Raises:
        AngelError: a field is missing or cannot be used.
    """
    kind = _word(form, "ordertype", ("LIMIT", "MARKET", *_STOPS))
    if text(form, "producttype") not in PRODUCTS:
        raise refusal("AB1012", "Invalid Product Type")
    _duration(form, rules)
    if instrument_of(form, {market.instrument.key: market}) is not market:
        raise refusal("AB1009", "Symbol Not Found")
    if kind in _AT_MARKET:
        raise bad_input("MARKET is not permitted for API orders; use LIMIT")
    changes: dict[str, int | OrderType] = {
        "type": OrderType.STOP_LIMIT if kind in _STOPS else OrderType.LIMIT,
        "quantity": read_quantity(form, "quantity"),
        "price": read_price(form, "price"),
        "trigger": 0,
    }
    if kind in _STOPS:
        trigger = changes["trigger"] = read_price(form, "triggerprice")
        check_gap(market, trigger, int(changes["price"]))
    return changes


def _variety_and_type(form: Form) -> str:
    variety = text(form, "variety")
    if variety not in VARIETIES:
        raise refusal("AB1008", BAD_VARIETY)
    if variety == "ROBO":
        raise refusal("AB2002", "ROBO order is block")
    kind = _word(form, "ordertype", ("LIMIT", "MARKET", *_STOPS))
    if (kind in _STOPS) != (variety == "STOPLOSS"):
        raise refusal("AB1008", BAD_VARIETY)
    return kind


def _duration(form: Form, rules: BrokerRules) -> str:
    duration = _word(form, "duration", ("DAY", "IOC"))
    if duration == "IOC" and not rules.ioc_orders:
        raise bad_input("IOC is not permitted for API orders; use DAY")
    return duration


def _check_market_allowed(rules: BrokerRules) -> None:
    if not rules.market_orders:
        raise bad_input("MARKET is not permitted for API orders; use LIMIT")


def check_gap(market: Market, trigger: int, price: int) -> None:
    """Trigger and limit of a stop must lie close to each other.

    Raises:
        AngelError: they do not.
    """
    percent = OPTION_GAP_PERCENT if market.instrument.option else GAP_PERCENT
    if abs(trigger - price) * 100 > trigger * percent:
        raise bad_input(WIDE_GAP.format(percent=percent))


def instrument_of(form: Form, markets: Mapping[str, Market]) -> Market:
    """The market of `exchange` and `symboltoken`; `tradingsymbol` must belong to the token.

    Raises:
        AngelError: there is none, or the two do not belong together.
    """
    market = find_market(markets, text(form, "exchange"), text(form, "symboltoken"))
    if market is None or text(form, "tradingsymbol") != angel_symbol(market.instrument):
        raise refusal("AB1009", "Symbol Not Found")
    return market


def text(form: Form, name: str) -> str:
    """A field as text; empty where it is missing, null or no plain value."""
    value = form.get(name)
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def read_price(form: Form, name: str) -> int:
    """A price in rupees as `Price`.

    Raises:
        AngelError: missing, no number, negative or absurd.
    """
    try:
        price = int(parse_price(text(form, name)))
    except NotAPriceError:
        raise bad_input(f"Invalid {name}") from None
    if not 0 <= price < _MAX_PRICE:
        raise bad_input(f"Invalid {name}")
    return price


def read_quantity(form: Form, name: str) -> int:
    """A number of units.

    Raises:
        AngelError: missing, no whole number, negative or absurd.
    """
    word = text(form, name)
    if not (word.isascii() and word.isdecimal()) or len(word) > 10 or int(word) > _MAX_QUANTITY:
        raise bad_input(f"Invalid {name}")
    return int(word)


def _word(form: Form, name: str, allowed: tuple[str, ...]) -> str:
    word = text(form, name)
    if word not in allowed:
        raise bad_input(f"Invalid {name}")
    return word
