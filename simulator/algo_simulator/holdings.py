"""The shares in an account's demat: what was sold of them today, and whether a sale has shares to deliver."""

from typing import NamedTuple

from algo_crds.contracts.money import parse_price
from algo_crds.contracts.orders import FINAL, Product, RejectKind, Side
from algo_market.order_rules import Refused

from algo_simulator.accounts import Account
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, positions_of


class Held(NamedTuple):
    """One holding. Prices are `Price` units."""

    market: Market
    quantity: int
    """Settled shares at the start of the day."""
    t1_quantity: int
    sold: int
    """Sold today, of both."""
    average_price: int
    last: int
    close: int
    """Previous close."""

    @property
    def left(self) -> int:
        """What is still there, unsettled shares included."""
        return self.quantity + self.t1_quantity - self.sold

    @property
    def gain(self) -> int:
        """Of what is left, at the last price."""
        return (self.last - self.average_price) * self.left


def holdings_of(markets: dict[str, Market], account: Account) -> list[Held]:
    """The account's holdings, in the order of its spec.

    Only symbols of the world can be shown; `World.add_account` refuses others.
    """
    sold = {p.key: max(0, -p.net) for p in positions_of(account.trades) if p.product is Product.DELIVERY and p.net < 0}
    found = []
    for holding in account.spec.holdings:
        market = markets[holding.key]
        found.append(
            Held(
                market=market,
                quantity=holding.quantity,
                t1_quantity=holding.t1_quantity,
                sold=min(sold.get(holding.key, 0), holding.quantity + holding.t1_quantity),
                average_price=int(parse_price(holding.average_price)),
                last=market.stats.last or market.previous_close,
                close=market.previous_close,
            )
        )
    return found


def sell_refusal(account: Account, order: AccountOrder, market: Market) -> Refused | None:
    """Whether a delivery sale offers more than the account has: what it held, bought today, and does not offer yet.

    Shares cannot be sold short over night; contracts can.
    """
    if order.sim.side is not Side.SELL or order.product is not Product.DELIVERY or market.instrument.kind != "EQ":
        return None
    key = market.instrument.key
    owned = sum(h.quantity + h.t1_quantity for h in account.spec.holdings if h.key == key)
    owned += sum(p.net for p in positions_of(account.trades) if p.key == key and p.product is Product.DELIVERY)
    offered = sum(
        other.sim.remaining
        for other in account.orders.values()
        if other is not order
        and (other.exchange, other.symbol, other.product) == (order.exchange, order.symbol, order.product)
        and other.sim.side is Side.SELL
        and other.sim.status not in FINAL
        and other.at_exchange
    )
    left = owned - offered
    if order.sim.quantity <= left:
        return None
    return Refused(RejectKind.QUANTITY, f"the account has {max(left, 0)} shares to sell")
