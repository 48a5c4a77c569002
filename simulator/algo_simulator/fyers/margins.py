"""`POST /multiorder/margin`: what a list of orders would need, with the shared model of margins."""

from typing import Final

from algo_simulator.front import Caller
from algo_simulator.funds import funds_of, margin_needed
from algo_simulator.fyers.bodies import price_field, read_object
from algo_simulator.fyers.errors import bad_field
from algo_simulator.fyers.order_forms import BAD_LIMIT, read_market, read_product, read_quantity
from algo_simulator.fyers.rows import rupees

MAX_ORDERS: Final = 50


def order_margins(caller: Caller, body: bytes) -> dict[str, object]:
    """Margin of the orders alone (`margin_new_order`), with what is bound already (`margin_total`), and what is free.

    Raises:
        FyersError: no list of orders, or a field that cannot be used.
    """
    orders = read_object(body).get("data")
    if not isinstance(orders, list) or not 0 < len(orders) <= MAX_ORDERS:
        raise bad_field(f"data must be a list of 1 to {MAX_ORDERS} orders")
    needed = 0
    for form in orders:
        if not isinstance(form, dict):
            raise bad_field("data must be a list of objects")
        market = read_market(form, caller.clock.world.markets)
        price = price_field(form, "limitPrice", BAD_LIMIT) or market.stats.last or market.previous_close
        needed += margin_needed(read_product(form, market), read_quantity(form) * price)
    funds = funds_of(caller.clock.world.markets, caller.account)
    figures = {
        "margin_avail": rupees(funds.free),
        "margin_total": rupees(funds.used + needed),
        "margin_new_order": rupees(needed),
    }
    return {"data": figures}
