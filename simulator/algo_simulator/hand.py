"""The trader's own hand and the exchange's: orders, changes and cancels that no strategy asked for."""

from typing import Literal

import msgspec
from algo_crds.contracts.money import NotAPriceError, parse_price
from algo_crds.contracts.orders import FINAL, OrderType, Product, Side
from algo_market.order_rules import Refused

from algo_simulator.clock import Clock
from algo_simulator.orders import AccountOrder
from algo_simulator.world import WorldError
from algo_simulator.worlds import NotFoundError


class ManualAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a hand does; prices in rupees."""

    client_id: str
    action: Literal["place", "modify", "cancel", "exchange_cancel"]
    symbol: str = ""
    """`EXCHANGE:SYMBOL`, to place."""
    side: Side = Side.SELL
    quantity: int = 0
    price: str = ""
    trigger: str = ""
    product: Product = Product.INTRADAY
    order_id: str = ""
    """To modify or cancel; `exchange_cancel` without one takes all live orders."""
    message: str = "The order was cancelled by the exchange"


def act(clock: Clock, wanted: ManualAction) -> list[AccountOrder]:
    """Do it at once; returns the orders concerned.

    Raises:
        NotFoundError: no such account, symbol or order.
        WorldError: a price cannot be read, or exchange or order refuses.
    """
    world = clock.world
    account = world.accounts.get(wanted.client_id)
    if account is None:
        raise NotFoundError(f"world {world.name} has no account {wanted.client_id!r}")
    price, trigger = _price(wanted.price), _price(wanted.trigger)
    world.prepare()
    if wanted.action == "place":
        market = world.markets.get(wanted.symbol)
        if market is None:
            raise NotFoundError(f"world {world.name} has no symbol {wanted.symbol!r}")
        order = world.exchange.new_order(
            account,
            market,
            side=wanted.side,
            type=OrderType.STOP_LIMIT if trigger else OrderType.LIMIT,
            quantity=wanted.quantity,
            price=price,
            trigger=trigger,
            product=wanted.product,
            now=world.now,
        )
        world.exchange.submit(order, world.now)
        return [order]
    if wanted.order_id and wanted.order_id not in account.orders:
        raise NotFoundError(f"account {wanted.client_id} has no order {wanted.order_id!r}")
    orders = [account.orders[wanted.order_id]] if wanted.order_id else _live(account.orders, wanted.action)
    for order in orders:
        refused = _change(clock, wanted, order, price, trigger)
        if refused is not None:
            raise WorldError(f"order {order.order_id}: {refused.message}")
    return orders


def _live(orders: dict[str, AccountOrder], action: str) -> list[AccountOrder]:
    if action != "exchange_cancel":
        raise WorldError(f"{action} needs order_id")
    return [order for order in orders.values() if order.sim.status not in FINAL]


def _change(clock: Clock, wanted: ManualAction, order: AccountOrder, price: int, trigger: int) -> Refused | None:
    world = clock.world
    if wanted.action == "cancel":
        return world.exchange.cancel(order, world.now)
    if wanted.action == "exchange_cancel":
        return world.exchange.cancel(order, world.now, wanted.message)
    changes: dict[str, int | OrderType] = {}
    for name, value in (("price", price), ("trigger", trigger), ("quantity", wanted.quantity)):
        if value:
            changes[name] = value
    return world.exchange.modify(order, changes, world.now)


def _price(text: str) -> int:
    try:
        return int(parse_price(text)) if text else 0
    except NotAPriceError as error:
        raise WorldError(str(error)) from error
