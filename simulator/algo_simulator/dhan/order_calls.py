"""Place, slice, modify, cancel and the books, as Dhan answers them."""

from algo_crds.contracts.orders import FINAL

from algo_simulator.dhan.bodies import Body
from algo_simulator.dhan.errors import NOT_FOUND, DhanError, input_error, order_error, refusal_text
from algo_simulator.dhan.limits import MODIFICATIONS
from algo_simulator.dhan.order_forms import OrderForm, read_changes, read_order
from algo_simulator.dhan.rows import order_row, trade_row
from algo_simulator.dhan.state import (
    ORDER_OBJECT,
    STOP_MARKET_AT_ONCE,
    UNKNOWN_ORDER_IS_EMPTY,
    DhanState,
    quirk,
)
from algo_simulator.front import Caller
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder
from algo_simulator.refusals import CLOSED, by_fault

CLOSED_TO_CHANGES = "Market is Closed! You cannot modify/cancel an order now."
MAX_SLICES = 100


def place(caller: Caller, state: DhanState, body: Body) -> dict[str, object]:
    """`POST /orders`: the order is stored and on its way; the book tells what became of it.

    Raises:
        DhanError: it is refused as a request.
    """
    wanted = _read(caller, body)
    _check(caller, state, wanted)
    return _send(caller, wanted, wanted.quantity)


def place_slices(caller: Caller, state: DhanState, body: Body) -> list[dict[str, object]]:
    """`POST /orders/slicing`: as many orders as the exchange's freeze quantity makes necessary.

    Raises:
        DhanError: as `place`, or a quantity beyond reason.
    """
    wanted = _read(caller, body)
    instrument = wanted.market.instrument
    largest = max(instrument.freeze // instrument.lot * instrument.lot, 1)
    if wanted.quantity > largest * MAX_SLICES:
        raise input_error("Invalid quantity")
    _check(caller, state, wanted)
    answers = []
    for start in range(0, wanted.quantity, largest):
        answers.append(_send(caller, wanted, min(largest, wanted.quantity - start)))
    return answers


def _read(caller: Caller, body: Body) -> OrderForm:
    account = caller.account
    at_once = quirk(account, STOP_MARKET_AT_ONCE)
    return read_order(body, account.spec.client_id, caller.clock.world.markets, stop_market_at_once=at_once)


def _check(caller: Caller, state: DhanState, wanted: OrderForm) -> None:
    """What the broker refuses before the order is stored."""
    if state.kill_switch:
        raise order_error("Kill Switch is active. Trading is disabled for the day")
    if refused := by_fault(caller.account.faults, wanted.side, in_answer=True):
        raise order_error(refusal_text(refused, wanted.side))
    session = wanted.market.session
    if not session.open <= caller.now < session.last_new_order:
        raise order_error(refusal_text(CLOSED, wanted.side))


def _send(caller: Caller, wanted: OrderForm, quantity: int) -> dict[str, object]:
    world = caller.clock.world
    order = world.exchange.new_order(
        caller.account,
        wanted.market,
        side=wanted.side,
        type=wanted.type,
        quantity=quantity,
        price=wanted.price,
        trigger=wanted.trigger,
        product=wanted.product,
        tag=wanted.tag,
        now=caller.now,
    )
    order.validity, order.disclosed_quantity = wanted.validity, wanted.disclosed
    order.product_word = wanted.word
    world.submit(order)
    return {"orderId": order.order_id, "orderStatus": "TRANSIT"}


def modify(caller: Caller, order_id: str, body: Body) -> dict[str, object]:
    """`PUT /orders/{orderId}`.

    Raises:
        DhanError: no such order, it is final, changed too often, or the body cannot be used.
    """
    order = _live_order(caller, order_id, "modified")
    changes = read_changes(body, caller.account.spec.client_id, order, market_of(caller, order))
    if order.modifications >= MODIFICATIONS:
        raise order_error(f"Maximum {MODIFICATIONS} modifications are allowed for an order")
    world = caller.clock.world

    def change() -> None:
        world.exchange.modify(order, changes, world.now)

    world.defer(change)
    return {"orderId": order.order_id, "orderStatus": "TRANSIT"}


def cancel(caller: Caller, order_id: str) -> dict[str, object]:
    """`DELETE /orders/{orderId}`: the answer says CANCELLED; the book, whether it was.

    Raises:
        DhanError: no such order, or it is final.
    """
    order = _live_order(caller, order_id, "cancelled")
    world = caller.clock.world

    def withdraw() -> None:
        world.exchange.cancel(order, world.now)

    world.defer(withdraw)
    return {"orderId": order.order_id, "orderStatus": "CANCELLED"}


def _live_order(caller: Caller, order_id: str, verb: str) -> AccountOrder:
    order = caller.account.orders.get(order_id)
    if order is None:
        raise input_error("Invalid orderId")
    session = market_of(caller, order).session
    if not session.open <= caller.now < session.last_match:
        raise order_error(CLOSED_TO_CHANGES)
    if order.sim.status in FINAL:
        raise order_error(f"Order cannot be {verb} as it is already {order.sim.status.lower()}")
    return order


def book(caller: Caller) -> list[dict[str, object]]:
    """`GET /orders`: the newest state of every order of the day."""
    return [row_of(caller, order) for order in caller.account.orders.values()]


def one(caller: Caller, order_id: str) -> object:
    """`GET /orders/{orderId}`: an array of one, as recorded of the real server (the documentation shows an object).

    Raises:
        DhanError: no such order, unless the account's quirk asks for an empty array.
    """
    order = caller.account.orders.get(order_id)
    return _found(caller, [] if order is None else [order])


def by_correlation(caller: Caller, correlation: str) -> object:
    """`GET /orders/external/{correlationId}`: as `one`; the newest order first, for nothing makes the id unique.

    Raises:
        DhanError: as `one`.
    """
    orders = [order for order in caller.account.orders.values() if correlation and order.tag == correlation]
    return _found(caller, orders[::-1])


def _found(caller: Caller, orders: list[AccountOrder]) -> object:
    account = caller.account
    if not orders and not quirk(account, UNKNOWN_ORDER_IS_EMPTY):
        raise unknown_order()
    rows = [row_of(caller, order) for order in orders[:1]]
    return rows[0] if rows and quirk(account, ORDER_OBJECT) else rows


def unknown_order() -> DhanError:
    """The refusal of a read of an order that is not there."""
    return input_error(NOT_FOUND)


def trades(caller: Caller, order_id: str | None) -> list[dict[str, object]]:
    """`GET /trades` and `GET /trades/{orderId}`; of an unknown order there are none."""
    return [
        trade_row(trade, market_of(caller, trade.order))
        for trade in caller.account.trades
        if order_id in (None, trade.order.order_id)
    ]


def row_of(caller: Caller, order: AccountOrder) -> dict[str, object]:
    """The book's row of an order as it stands."""
    return order_row(order, order.history[-1], market_of(caller, order))


def market_of(caller: Caller, order: AccountOrder) -> Market:
    """The market of an order."""
    return caller.clock.world.markets[f"{order.exchange}:{order.symbol}"]
