"""Place, modify, cancel and the books, as Angel One answers them."""

from algo_crds.contracts.orders import FINAL, OrderType, RejectKind
from algo_market.order_rules import Refused

from algo_simulator.angelone.desk import (
    after_market,
    cancel_waiting,
    change_waiting,
    keep_for_opening,
    locked,
    turn_away,
    waits,
)
from algo_simulator.angelone.errors import BAD_CANCEL, BAD_VARIETY, answered_refusal, bad_input, refusal
from algo_simulator.angelone.names import angel_symbol, product_fits, varieties
from algo_simulator.angelone.order_forms import VARIETIES, Form, OrderForm, read_changes, read_order, text
from algo_simulator.angelone.rows import NOT_MODIFIED, as_text, change_refused, ids, order_row, trade_row, unique_id
from algo_simulator.angelone.rules import rules_of
from algo_simulator.front import Caller
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, Snapshot
from algo_simulator.refusals import by_fault


def place(caller: Caller, form: Form) -> dict[str, object]:
    """`placeOrder`: the order is stored and on its way; its row tells what became of it.

    Raises:
        AngelError: it is refused as a request.
    """
    world, account = caller.clock.world, caller.account
    wanted = read_order(form, world.markets, rules_of(account.spec))
    if refused := by_fault(account.faults, wanted.side, in_answer=True):
        raise answered_refusal(refused, wanted.side)
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
    order.validity, order.disclosed_quantity = wanted.duration, wanted.disclosed
    order.product_word = wanted.product_word
    _send(caller, order, wanted)
    return {"script": angel_symbol(wanted.market.instrument), **ids(order)}


def _send(caller: Caller, order: AccountOrder, wanted: OrderForm) -> None:
    world, market = caller.clock.world, wanted.market
    if not product_fits(wanted.product_word, market.instrument):
        refused = Refused(RejectKind.PRODUCT, f"{wanted.product_word} in {market.instrument.exchange}")
        world.defer(lambda: turn_away(caller, order, refused))
        return
    if after_market(order, market):
        keep_for_opening(caller, order, market)
        return
    world.submit(order)


def modify(caller: Caller, form: Form) -> dict[str, object]:
    """`modifyOrder`: the complete new state.

    Raises:
        AngelError: no such order, it is final, or the body cannot be used.
    """
    order = _find(caller, text(form, "orderid"))
    market = _market(caller, order)
    variety = text(form, "variety")
    fits = (*varieties(order), "STOPLOSS" if text(form, "ordertype").startswith("STOPLOSS") else "NORMAL")
    if variety not in VARIETIES or variety not in fits:
        raise refusal("AB1008", BAD_VARIETY)
    changes = read_changes(form, market, rules_of(caller.account.spec))
    if order.sim.status in FINAL:
        raise bad_input(f"Order cannot be modified as it is {order.sim.status.lower()}")
    if caller.account.whole_quantity(order, int(changes["quantity"])) < order.sim.filled:
        raise bad_input("Quantity is below the traded quantity")
    world = caller.clock.world

    def change() -> None:
        if waits(order, market):
            change_waiting(caller, order, changes)
        else:
            world.exchange.modify(order, _kept(order, changes), world.now)

    world.defer(change)
    return ids(order)


def _kept(order: AccountOrder, changes: dict[str, int | OrderType]) -> dict[str, int | OrderType]:
    """Without the trigger of what has triggered: the whole state is sent, the trigger is history."""
    same = changes.get("trigger") == order.sim.trigger
    return {name: value for name, value in changes.items() if name != "trigger" or not same}


def cancel(caller: Caller, form: Form) -> dict[str, object]:
    """`cancelOrder`: the variety must be the order's.

    Raises:
        AngelError: no such order, another variety, it is final, or waits for a session that begins soon.
    """
    variety = text(form, "variety")
    if variety not in VARIETIES:
        raise refusal("AB1008", BAD_VARIETY)
    order = _find(caller, text(form, "orderid"))
    if variety not in varieties(order):
        raise refusal("AB1008", BAD_VARIETY)
    world, market = caller.clock.world, _market(caller, order)
    if order.sim.status in FINAL or (waits(order, market) and locked(caller, market)):
        raise bad_input(BAD_CANCEL)

    def withdraw() -> None:
        if waits(order, market):
            cancel_waiting(caller, order)
        else:
            world.exchange.cancel(order, world.now)

    world.defer(withdraw)
    return ids(order)


def _find(caller: Caller, order_id: str) -> AccountOrder:
    order = caller.account.orders.get(order_id)
    if order is None:
        raise refusal("AB1013", "Order Not Found")
    return order


def book(caller: Caller) -> list[dict[str, object]] | None:
    """`getOrderBook`: the newest state of every order of the day; null when there is none."""
    return [shown(caller, order, order.history[-1]) for order in caller.account.orders.values()] or None


def details(caller: Caller, identity: str) -> dict[str, object]:
    """`details/{uniqueorderid}`: one row; the plain order id is taken too, as in older versions.

    Raises:
        AngelError: no such order.
    """
    for order in caller.account.orders.values():
        if identity in (unique_id(order), order.order_id):
            return shown(caller, order, order.history[-1])
    raise refusal("AB1013", "Order Not Found")


def trades(caller: Caller) -> list[dict[str, object]] | None:
    """`getTradeBook`; null when there is none."""
    return [trade_row(trade, _market(caller, trade.order)) for trade in caller.account.trades] or None


def shown(caller: Caller, order: AccountOrder, snapshot: Snapshot, *, event: bool = False) -> dict[str, object]:
    """A row as the account sees it.

    Args:
        event: as the order socket tells it: a refused change has a status of its own there.
    """
    rules = rules_of(caller.account.spec)
    row = order_row(order, snapshot, _market(caller, order), caller.account.trades)
    if (event or rules.refused_changes_stay) and change_refused(order, snapshot):
        row["status"] = row["orderstatus"] = NOT_MODIFIED
    return as_text(row) if rules.text_numbers else row


def _market(caller: Caller, order: AccountOrder) -> Market:
    return caller.clock.world.markets[f"{order.exchange}:{order.symbol}"]
