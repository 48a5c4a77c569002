"""What the broker itself does with an order, away from the exchange: keep it for the morning, or turn it away.

An order outside market hours becomes an after-market order by itself. It waits at the broker, can be changed and
cancelled there, and goes to the exchange when the session opens.
"""

from typing import Final

from algo_crds.contracts.orders import FINAL, OrderStatus, OrderType
from algo_market.order_rules import Refused

from algo_simulator.front import Caller
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, Stage, record

LOCK_MS: Final = 30 * 60_000
"""Reports name 08:30 and 08:45 for its beginning."""
_FIELDS: Final = ("quantity", "price", "trigger", "type")


def after_market(order: AccountOrder, market: Market) -> bool:
    """Whether the order came in outside the hours of its market."""
    return not market.session.open <= order.placed_at < market.session.last_new_order


def waits(order: AccountOrder, market: Market) -> bool:
    """Whether the order still waits at the broker for the session."""
    return after_market(order, market) and not order.at_exchange and order.sim.status not in FINAL


def locked(caller: Caller, market: Market) -> bool:
    """Whether it is the last half hour before the session, in which what waits cannot be cancelled."""
    return market.session.open - LOCK_MS <= caller.now < market.session.open


def keep_for_opening(caller: Caller, order: AccountOrder, market: Market) -> None:
    """Let the order go to the exchange when the session opens; after the last session it waits for ever."""
    world = caller.clock.world
    if caller.now >= market.session.open:
        return

    def submit() -> None:
        if order.sim.status not in FINAL:
            world.exchange.submit(order, world.now)

    world.at(market.session.open, submit)


def change_waiting(caller: Caller, order: AccountOrder, changes: dict[str, int | OrderType]) -> None:
    """Change an order that waits; the exchange checks it in the morning."""
    for name in _FIELDS:
        if name in changes:
            setattr(order.sim, name, changes[name])
    order.modifications += 1
    _tell(caller, order, Stage.MODIFIED)


def cancel_waiting(caller: Caller, order: AccountOrder) -> None:
    """Cancel an order that waits."""
    order.sim.status = OrderStatus.CANCELLED
    _tell(caller, order, Stage.CANCELLED)


def turn_away(caller: Caller, order: AccountOrder, refused: Refused) -> None:
    """Reject an order before it reaches the exchange."""
    order.sim.status, order.sim.reject_kind, order.sim.message = OrderStatus.REJECTED, refused.kind, refused.message
    _tell(caller, order, Stage.REJECTED)


def _tell(caller: Caller, order: AccountOrder, stage: Stage) -> None:
    snapshot = record(order, stage, caller.clock.world.now)
    for listener in caller.account.listeners:
        listener(order, snapshot)
