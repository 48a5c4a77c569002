"""Reading the bodies of place and modify: Dhan's words into the exchange's, with Dhan's refusals.

Market orders become limit orders with market protection, as the broker does for API users since March 2026.
"""

import re
from typing import Final, NamedTuple

from algo_crds.contracts.orders import OrderType, Product, Side

from algo_simulator.dhan import bodies
from algo_simulator.dhan.bodies import Body
from algo_simulator.dhan.errors import input_error, order_error
from algo_simulator.dhan.names import ORDER_TYPES, PRODUCTS, SEGMENT_CODES, SIDES, find_market
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder
from algo_simulator.protection import protected_limit

_CORRELATION: Final = re.compile(r"[A-Za-z0-9 _-]{0,25}\Z")
AMO_TIMES: Final = ("PRE_OPEN", "OPEN", "OPEN_30", "OPEN_60")
DISCLOSED_PERCENT: Final = 30
STOPS: Final = ("STOP_LOSS", "STOP_LOSS_MARKET")
STOP_MARKET_TEXT: Final = "Stop Loss Market orders are not allowed. Place a Stop Loss Limit order"


class OrderForm(NamedTuple):
    """A new order as the exchange sees it. `word` is Dhan's product."""

    market: Market
    side: Side
    type: OrderType
    quantity: int
    price: int
    trigger: int
    product: Product
    word: str
    tag: str
    validity: str
    disclosed: int


def read_order(body: Body, client_id: str, markets: dict[str, Market], *, stop_market_at_once: bool) -> OrderForm:
    """A place body.

    Args:
        stop_market_at_once: whether STOP_LOSS_MARKET loses its trigger instead of being refused (reports differ).

    Raises:
        DhanError: DH-905 a field is missing or cannot be used; DH-906 the order makes no sense.
    """
    bodies.check_client(body, client_id)
    side = SIDES[bodies.word(body, "transactionType", tuple(SIDES))]
    market = read_market(body, markets)
    word = read_product(body, market)
    kind = bodies.word(body, "orderType", ORDER_TYPES)
    validity = bodies.word(body, "validity", ("DAY", "IOC"))
    quantity = bodies.quantity(body, "quantity")
    disclosed = bodies.quantity(body, "disclosedQuantity", 0)
    if quantity <= 0:
        raise input_error("Invalid quantity")
    if disclosed and not quantity * DISCLOSED_PERCENT / 100 < disclosed <= quantity:
        raise input_error("Disclosed quantity must be more than 30% of the quantity")
    if bodies.flag(body, "afterMarketOrder"):
        bodies.word(body, "amoTime", AMO_TIMES)
        raise order_error("After market orders are not simulated")
    if kind == "STOP_LOSS_MARKET":
        if not stop_market_at_once:
            raise order_error(STOP_MARKET_TEXT)
        bodies.price(body, "triggerPrice")
        kind = "MARKET"
    trigger = bodies.price(body, "triggerPrice") if kind == "STOP_LOSS" else 0
    price = bodies.price(body, "price") if kind != "MARKET" else protected_limit(market, side)
    check_prices(market, side, price, trigger if kind == "STOP_LOSS" else None)
    return OrderForm(
        market=market,
        side=side,
        type=OrderType.STOP_LIMIT if kind == "STOP_LOSS" else OrderType.LIMIT,
        quantity=quantity,
        price=price,
        trigger=trigger,
        product=PRODUCTS[word],
        word=word,
        tag=read_correlation(body),
        validity=validity,
        disclosed=disclosed,
    )


def read_market(body: Body, markets: dict[str, Market]) -> Market:
    """The instrument that a body names.

    Raises:
        DhanError: none of that segment and id.
    """
    segment = bodies.word(body, "exchangeSegment", tuple(SEGMENT_CODES))
    market = find_market(markets, segment, bodies.text(body, "securityId"))
    if market is None:
        raise input_error("Invalid securityId for the exchange segment")
    return market


def read_product(body: Body, market: Market) -> str:
    """Dhan's product word, where it fits the instrument.

    Raises:
        DhanError: DH-905 no product; DH-906 one that the instrument or the simulator has not.
    """
    word = bodies.word(body, "productType", (*PRODUCTS, "CO", "BO"))
    derivative = market.instrument.expiry is not None
    if word in ("CO", "BO", "MTF"):
        raise order_error(f"Product {word} is not simulated")
    if word == "CNC" and derivative:
        raise order_error("CNC is not allowed in this segment")
    return word


def read_correlation(body: Body) -> str:
    """The caller's own id of the order: at most 25 characters, whatever the documentation says.

    Raises:
        DhanError: too long, or with other characters.
    """
    tag = bodies.text(body, "correlationId", "")
    if not _CORRELATION.match(tag):
        raise input_error("Invalid correlationId")
    return tag


def check_prices(market: Market, side: Side, price: int, trigger: int | None) -> None:
    """Ticks, and the sense of a stop: these two are refused in the answer, not in the book.

    Raises:
        DhanError: DH-906.
    """
    tick = market.instrument.tick_size
    if price <= 0 or (trigger is not None and trigger <= 0):
        raise input_error("Invalid price or triggerPrice")
    if price % tick or (trigger or 0) % tick:
        raise order_error("Price should be in multiples of tick size")
    if trigger is None:
        return
    if side is Side.SELL and trigger <= price:
        raise order_error("Trigger Price should be greater than Price")
    if side is Side.BUY and trigger >= price:
        raise order_error("Trigger Price should be less than Price")


def read_changes(body: Body, client_id: str, order: AccountOrder, market: Market) -> dict[str, int | OrderType]:
    """A modify body: what it does not name stays. `quantity` is the total, what has traded included.

    Raises:
        DhanError: DH-905 or DH-906, as in `read_order`.
    """
    bodies.check_client(body, client_id)
    if bodies.text(body, "orderId", order.order_id) != order.order_id:
        raise input_error("Invalid orderId")
    kind = bodies.word(body, "orderType", ORDER_TYPES)
    bodies.word(body, "validity", ("DAY", "IOC"), "DAY")
    sim = order.sim
    if kind == "STOP_LOSS_MARKET":
        raise order_error(STOP_MARKET_TEXT)
    quantity = bodies.quantity(body, "quantity", sim.quantity) or sim.quantity
    if kind == "MARKET":
        return {"type": OrderType.LIMIT, "quantity": quantity, "price": protected_limit(market, sim.side), "trigger": 0}
    price = bodies.price(body, "price", sim.price / 10_000)
    trigger = 0
    if kind == "STOP_LOSS":
        trigger = bodies.price(body, "triggerPrice", sim.trigger / 10_000)
    check_prices(market, sim.side, price, trigger if kind == "STOP_LOSS" else None)
    wanted = OrderType.STOP_LIMIT if kind == "STOP_LOSS" else OrderType.LIMIT
    return {"type": wanted, "quantity": quantity, "price": price, "trigger": trigger}
