"""Place, modify, cancel and the books, as Kite answers them."""

from collections.abc import Callable

from algo_crds.contracts.orders import FINAL, OrderType, RejectKind
from algo_market.order_rules import Refused

from algo_simulator.front import Caller
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder
from algo_simulator.refusals import CLOSED, by_fault
from algo_simulator.zerodha.errors import KiteError, input_error, refusal_text
from algo_simulator.zerodha.limits import MODIFICATIONS
from algo_simulator.zerodha.order_forms import OrderForm, read_changes, read_order
from algo_simulator.zerodha.rows import order_row, trade_row


def place(caller: Caller, variety: str, form: dict[str, str], count: Callable[[], None]) -> dict[str, object]:
    """`POST /orders/{variety}`: the order is stored and on its way; its row tells what became of it.

    Args:
        count: takes it into the caps of orders a minute and a day.

    Raises:
        KiteError: it is refused as a request.
    """
    world, account = caller.clock.world, caller.account
    wanted = read_order(form, variety, world.markets)
    count()
    if refused := by_fault(account.faults, wanted.side, in_answer=True):
        raise _refused(refused, wanted)
    _check_hours(caller, wanted)
    order = world.exchange.new_order(
        account,
        wanted.market,
        side=wanted.side,
        type=wanted.type,
        quantity=wanted.quantity,
        price=wanted.price,
        trigger=wanted.trigger,
        product=wanted.product,
        tag=wanted.tag,
        now=caller.now,
    )
    order.validity, order.disclosed_quantity = wanted.validity, wanted.disclosed
    order.memo = {"ttl": wanted.ttl_minutes, "protection": wanted.protection}

    def lapse() -> None:
        if order.sim.status not in FINAL:
            world.exchange.cancel(order, world.now)

    world.submit(order)
    if wanted.ttl_minutes:
        world.defer(lambda: world.at(world.now + wanted.ttl_minutes * 60_000, lapse))
    return {"order_id": order.order_id}


def _check_hours(caller: Caller, wanted: OrderForm) -> None:
    session = wanted.market.session
    if not session.open <= caller.now < session.last_new_order:
        raise _refused(CLOSED, wanted)


def _refused(refused: Refused, wanted: OrderForm) -> KiteError:
    kind = "MarginException" if refused.kind is RejectKind.MARGIN else "InputException"
    return KiteError(400, kind, refusal_text(refused, wanted.side))


def modify(caller: Caller, order_id: str, form: dict[str, str]) -> dict[str, object]:
    """`PUT /orders/{variety}/{order_id}`.

    Raises:
        KiteError: no such order, it is final, changed too often, or the form cannot be used.
    """
    order = _live_order(caller, order_id, "modified")
    changes = read_changes(form)
    if order.modifications >= MODIFICATIONS:
        raise input_error(f"Maximum allowed order modifications exceeded ({MODIFICATIONS}).")
    world = caller.clock.world
    if changes.get("type") is OrderType.LIMIT:
        changes["trigger"] = 0

    def change() -> None:
        world.exchange.modify(order, changes, world.now)

    world.defer(change)
    return {"order_id": order.order_id}


def cancel(caller: Caller, order_id: str) -> dict[str, object]:
    """`DELETE /orders/{variety}/{order_id}`.

    Raises:
        KiteError: no such order, or it is final.
    """
    order = _live_order(caller, order_id, "cancelled")
    world = caller.clock.world

    def withdraw() -> None:
        world.exchange.cancel(order, world.now)

    world.defer(withdraw)
    return {"order_id": order.order_id}


def _live_order(caller: Caller, order_id: str, verb: str) -> AccountOrder:
    order = find_order(caller, order_id)
    if order.sim.status in FINAL:
        raise KiteError(400, "OrderException", f"Order cannot be {verb} as it is already {order.sim.status.lower()}.")
    return order


def find_order(caller: Caller, order_id: str) -> AccountOrder:
    """An order of the account.

    Raises:
        KiteError: there is none of that id.
    """
    order = caller.account.orders.get(order_id)
    if order is None:
        raise KiteError(404, "OrderException", "Couldn't find that `order_id`.")
    return order


def book(caller: Caller) -> list[dict[str, object]]:
    """`GET /orders`: the newest state of every order of the day."""
    return [order_row(o, o.history[-1], _market(caller, o)) for o in caller.account.orders.values()]


def history(caller: Caller, order_id: str) -> list[dict[str, object]]:
    """`GET /orders/{order_id}`: one row a change, oldest first.

    Raises:
        KiteError: no such order.
    """
    order = find_order(caller, order_id)
    return [order_row(order, snapshot, _market(caller, order)) for snapshot in order.history]


def trades(caller: Caller, order_id: str | None) -> list[dict[str, object]]:
    """`GET /trades` and `GET /orders/{order_id}/trades`.

    Raises:
        KiteError: no such order.
    """
    if order_id is not None:
        find_order(caller, order_id)
    return [
        trade_row(trade, _market(caller, trade.order))
        for trade in caller.account.trades
        if order_id in (None, trade.order.order_id)
    ]


def _market(caller: Caller, order: AccountOrder) -> Market:
    return caller.clock.world.markets[f"{order.exchange}:{order.symbol}"]
