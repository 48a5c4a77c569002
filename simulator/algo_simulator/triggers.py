"""Lasting trigger orders (GTT, forever orders): they rest at the broker, not at the exchange, beyond the day's end.

One condition (single) or two of which one wins (OCO). A trade of the record that reaches a trigger sends an ordinary
order; what becomes of it is told like that of any order. Each broker's front end keeps its own words, ids and rules of
placing; the conditions and their life are here.
"""

from collections.abc import Callable
from typing import Final

from algo_crds.contracts.money import format_price
from algo_crds.contracts.orders import OrderType, Product, RejectKind
from algo_market.order_rules import Refused

from algo_simulator.accounts import Account
from algo_simulator.exchange import Exchange
from algo_simulator.funds import last_price
from algo_simulator.market import Market
from algo_simulator.protection import protected_limit
from algo_simulator.trigger_orders import TriggerLeg, TriggerOrder, TriggerStatus

LIFE_MS: Final = 365 * 86_400_000


class Triggers:
    """The trigger orders of a world's accounts, in `Account.triggers` by number."""

    def __init__(self, markets: dict[str, Market], accounts: dict[str, Account], exchange: Exchange) -> None:
        self._markets = markets
        self._accounts = accounts
        self._exchange = exchange
        self._numbers = 0
        self.listeners: list[Callable[[Account, TriggerOrder], None]] = []
        """Called after every change of a trigger order."""

    def place(
        self, account: Account, market: Market, *, product: Product, legs: list[TriggerLeg], tag: str = "", now: int
    ) -> TriggerOrder | Refused:
        """Store a trigger order, or say which rule of all brokers it breaks.

        Those are: lot and tick, a trigger at the last price, and the legs of an OCO on the same side of it.
        """
        last = last_price(self._markets, market.instrument.key)
        refused = _armed(market, legs, last)
        if refused is not None:
            return refused
        self._numbers += 1
        order = TriggerOrder(
            number=self._numbers,
            client_id=account.spec.client_id,
            exchange=market.instrument.exchange,
            symbol=market.instrument.symbol,
            product=product,
            legs=legs,
            tag=tag,
            created_at=now,
            updated_at=now,
            expires_at=now + LIFE_MS,
            last_price=last,
        )
        account.triggers[order.number] = order
        self._tell(account, order)
        return order

    def modify(self, order: TriggerOrder, legs: list[TriggerLeg], now: int) -> Refused | None:
        """Replace the legs of an active order; a refusal leaves it as it was."""
        if order.status is not TriggerStatus.ACTIVE:
            return Refused(RejectKind.NOT_MODIFIABLE, f"the trigger order is {order.status.lower()}")
        key = f"{order.exchange}:{order.symbol}"
        last = last_price(self._markets, key)
        refused = _armed(self._markets[key], legs, last)
        if refused is None:
            order.legs, order.updated_at, order.last_price = legs, now, last
            self._tell(self._accounts[order.client_id], order)
        return refused

    def cancel(self, order: TriggerOrder, now: int) -> Refused | None:
        """End an active order."""
        if order.status is not TriggerStatus.ACTIVE:
            return Refused(RejectKind.NOT_MODIFIABLE, f"the trigger order is {order.status.lower()}")
        order.status, order.updated_at = TriggerStatus.CANCELLED, now
        self._tell(self._accounts[order.client_id], order)
        return None

    def trade(self, market: Market, price: int, now: int) -> None:
        """A trade of the record: fire what it reaches, one leg an order."""
        symbol, exchange = market.instrument.symbol, market.instrument.exchange
        for account in self._accounts.values():
            for order in account.triggers.values():
                if order.status is not TriggerStatus.ACTIVE or (order.symbol, order.exchange) != (symbol, exchange):
                    continue
                for leg in order.legs:
                    if price >= leg.trigger if leg.above else price <= leg.trigger:
                        self._fire(account, market, order, leg, price, now)
                        break

    def _fire(
        self, account: Account, market: Market, order: TriggerOrder, leg: TriggerLeg, price: int, now: int
    ) -> None:
        order.status, order.updated_at = TriggerStatus.TRIGGERED, now
        leg.fired_at, leg.fired_price = now, price
        leg.order = self._exchange.new_order(
            account,
            market,
            side=leg.side,
            type=OrderType.LIMIT,
            quantity=leg.quantity,
            price=leg.price or protected_limit(market, leg.side),
            product=order.product,
            tag=order.tag if order.child_tag is None else order.child_tag,
            now=now,
        )
        self._exchange.submit(leg.order, now)
        self._tell(account, order)

    def _tell(self, account: Account, order: TriggerOrder) -> None:
        for listener in self.listeners:
            listener(account, order)


def _armed(market: Market, legs: list[TriggerLeg], last: int) -> Refused | None:
    """Check the legs and set which way each fires."""
    instrument = market.instrument
    for leg in legs:
        if leg.quantity <= 0 or leg.quantity % instrument.lot:
            return Refused(RejectKind.QUANTITY, f"the quantity must be a positive multiple of {instrument.lot}")
        if leg.trigger <= 0 or leg.price < 0:
            return Refused(RejectKind.PRICE, "trigger and price must be above zero")
        if leg.trigger % instrument.tick_size or leg.price % instrument.tick_size:
            tick = format_price(instrument.tick_size)
            return Refused(RejectKind.TICK_SIZE, f"the price or trigger is not a multiple of tick size {tick}")
        if leg.trigger == last:
            return Refused(RejectKind.THROUGH, "a trigger equals the last price")
    above = [leg.trigger > last for leg in legs]
    if len(legs) > 1 and len(set(above)) != len(legs):
        return Refused(RejectKind.THROUGH, "one trigger must lie above the last price and the other below")
    for leg, is_above in zip(legs, above, strict=True):
        leg.above = is_above
    return None
