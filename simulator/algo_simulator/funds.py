"""An account's money: a flat model that every broker's funds and margin calls show in its own words.

Intraday needs a fifth of the value, delivery all of it; there are no charges. Shares of the demat may be sold without
money. Amounts are `Price` units (1/10 000 rupee).
"""

from typing import Final, NamedTuple

from algo_crds.contracts.orders import FINAL, OrderType, Product, Side

from algo_simulator.accounts import Account
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, Position, positions_of

INTRADAY_LEVERAGE: Final = 5
Markets = dict[str, Market]


class Funds(NamedTuple):
    """What the account has and what of it is bound."""

    opening: int
    """Cash at the start of the day."""
    free: int
    """What a new order may use; gains of the day included."""
    used: int
    """Bound by positions and live opening orders."""
    realised: int
    """Of the day's closed quantities."""
    unrealised: int


def margin_needed(product: Product, value: int) -> int:
    """What must be free to open a position of that value."""
    return value // INTRADAY_LEVERAGE if product is Product.INTRADAY else value


def funds_of(markets: Markets, account: Account, *, besides: AccountOrder | None = None) -> Funds:
    """The account's funds now. `besides` is an order that does not count (the one that is being judged)."""
    positions = positions_of(account.trades)
    used = sum(_bound(markets, account, position) for position in positions)
    for order in account.orders.values():
        if order is besides or order.sim.status in FINAL or order.sim.type is OrderType.STOP_LIMIT:
            continue
        opening = _opening(account, positions, order, order.sim.remaining)
        used += margin_needed(order.product, opening * order.sim.price)
    realised = sum(realised_of(position) for position in positions)
    unrealised = sum(unrealised_of(position, last_price(markets, position.key)) for position in positions)
    opening_cash = account.spec.cash * 10_000
    # What was sold out of the demat is money in hand, not a short position.
    proceeds = sum(_delivered(account, p) * last_price(markets, p.key) for p in positions)
    free = opening_cash + realised + unrealised + proceeds - used
    return Funds(opening_cash, free, used, realised, unrealised)


def margin_short(markets: Markets, account: Account, order: AccountOrder) -> tuple[int, int] | None:
    """(needed, free) where the account's money does not cover an order; an order that only closes needs none."""
    opening = _opening(account, positions_of(account.trades), order, order.sim.quantity)
    if opening <= 0:
        return None
    needed = margin_needed(order.product, opening * order.sim.price)
    free = funds_of(markets, account, besides=order).free
    return None if needed <= free else (needed, free)


def realised_of(position: Position) -> int:
    """Gain of the quantity that was both bought and sold."""
    closed = min(position.bought, position.sold)
    if not closed:
        return 0
    return closed * position.sold_value // position.sold - closed * position.bought_value // position.bought


def unrealised_of(position: Position, last: int) -> int:
    """Gain of what is still open, at a price."""
    return position.sold_value - position.bought_value + position.net * last - realised_of(position)


def held_quantity(account: Account, key: str) -> int:
    """Shares of `EXCHANGE:SYMBOL` in the demat when the day began."""
    return sum(h.quantity + h.t1_quantity for h in account.spec.holdings if h.key == key)


def last_price(markets: Markets, key: str) -> int:
    """Last price, or the previous close before the first trade."""
    market = markets[key]
    return market.stats.last or market.previous_close


def _delivered(account: Account, position: Position) -> int:
    """How many shares of the demat a position has sold."""
    if position.product is not Product.DELIVERY:
        return 0
    return min(max(0, -position.net), held_quantity(account, position.key))


def _bound(markets: Markets, account: Account, position: Position) -> int:
    shares = abs(position.net) - _delivered(account, position)
    return margin_needed(position.product, shares * last_price(markets, position.key))


def _opening(account: Account, positions: list[Position], order: AccountOrder, quantity: int) -> int:
    """How much of a quantity would open a position, beyond what it closes."""
    sign = 1 if order.sim.side is Side.BUY else -1
    net = sum(p.net for p in positions if p.symbol == order.symbol and p.product is order.product)
    if order.product is Product.DELIVERY:
        net += held_quantity(account, f"{order.exchange}:{order.symbol}")
    return max(0, quantity - max(0, -net * sign))
