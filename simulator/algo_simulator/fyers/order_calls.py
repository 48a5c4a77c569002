"""Place, modify, cancel and the books, as Fyers answers them: one order, or up to ten in a list."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from algo_crds.contracts.orders import FINAL, OrderStatus

from algo_simulator.front import Caller
from algo_simulator.fyers.bodies import read_objects, text_field
from algo_simulator.fyers.errors import BAD_ORDER_ID, FyersError, envelope, refusal_text
from algo_simulator.fyers.order_forms import OrderForm, read_changes, read_order, rejected
from algo_simulator.fyers.rows import fyers_uuid, order_row, trade_row
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder
from algo_simulator.refusals import CLOSED, by_fault

PLACED: Final = 1101
MODIFIED: Final = 1102
CANCELLED: Final = 1103
UNACKNOWLEDGED: Final = 201
MAX_ORDERS: Final = 10
MAX_SLICES: Final = 10
Form = Mapping[str, Any]
_DONE: Final = {
    OrderStatus.CANCELLED: (-161, "Order is already cancelled"),
    OrderStatus.FILLED: (-162, "Order is already traded"),
    OrderStatus.REJECTED: (-164, "Order is already rejected"),
}


def place(caller: Caller, form: Form) -> dict[str, object]:
    """A new order, on its way; its row tells what became of it.

    Raises:
        FyersError: it is refused as a request.
    """
    world, account = caller.clock.world, caller.account
    wanted = read_order(form, world.markets, account.spec.client_id)
    if refused := by_fault(account.faults, wanted.side, in_answer=True):
        raise rejected(refusal_text(refused, wanted.side))
    session = wanted.market.session
    if not session.open <= caller.now < session.last_new_order:
        raise rejected(refusal_text(CLOSED, wanted.side))
    replies = [_send(caller, wanted, quantity) for quantity in _slices(wanted)]
    if not wanted.sliced:
        return replies[0]
    rows = [{"statusCode": 200, "body": reply, "statusDescription": "OK"} for reply in replies]
    return {"code": 200, "data": rows}


def _slices(wanted: OrderForm) -> list[int]:
    most = wanted.market.instrument.freeze // wanted.market.instrument.lot * wanted.market.instrument.lot
    if not wanted.sliced or wanted.quantity <= most:
        return [wanted.quantity]
    if wanted.quantity > most * MAX_SLICES:
        raise rejected(f"At most {MAX_SLICES} slices are allowed")
    whole, rest = divmod(wanted.quantity, most)
    return [most] * whole + ([rest] if rest else [])


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
    world.submit(order)
    if "unacknowledged" in caller.account.spec.quirks:
        return {"s": "ok", "code": UNACKNOWLEDGED, "message": "Request sent. Please check the order book."}
    text = f"Order submitted successfully. Your Order Ref. No.{order.order_id}"
    return {"s": "ok", "code": PLACED, "message": text, "id": order.order_id}


def modify(caller: Caller, form: Form) -> dict[str, object]:
    """Change a live order.

    Raises:
        FyersError: no such order, it is final, or a field cannot be used.
    """
    order = _live_order(caller, text_field(form, "id"))
    changes = read_changes(form, order, _market(caller, order))
    world = caller.clock.world

    def change() -> None:
        world.exchange.modify(order, changes, world.now)

    world.defer(change)
    return {"s": "ok", "code": MODIFIED, "message": "Successfully modified order", "id": order.order_id}


def cancel(caller: Caller, form: Form) -> dict[str, object]:
    """Cancel a live order.

    Raises:
        FyersError: no such order, or it is final.
    """
    order = _live_order(caller, text_field(form, "id"))
    world = caller.clock.world

    def withdraw() -> None:
        world.exchange.cancel(order, world.now)

    world.defer(withdraw)
    return {"s": "ok", "code": CANCELLED, "message": "Successfully cancelled order", "id": order.order_id}


def several(caller: Caller, body: bytes, one: Callable[[Caller, Form], dict[str, object]]) -> dict[str, object]:
    """A list of orders, each judged by itself.

    Raises:
        FyersError: no list, or more than ten.
    """
    rows = []
    for form in read_objects(body, MAX_ORDERS):
        try:
            rows.append({"statusCode": 200, "body": one(caller, form), "statusDescription": "OK"})
        except FyersError as error:
            rows.append({"statusCode": error.status, "body": envelope(error), "statusDescription": "Bad Request"})
    return {"data": rows}


def queued(reply: dict[str, object]) -> dict[str, object]:
    """The answer of the asynchronous twin of a call: the order's other id, and nothing of what became of it."""
    order_id = str(reply.get("id", "0"))
    return {"code": reply["code"], "message": "Order queued successfully.", "id_fyers": fyers_uuid(order_id)}


def _live_order(caller: Caller, order_id: str) -> AccountOrder:
    order = caller.account.orders.get(order_id)
    if order is None:
        raise FyersError(400, *BAD_ORDER_ID)
    if order.sim.status in FINAL:
        raise FyersError(400, *_DONE[order.sim.status])
    return order


def book(caller: Caller, order_id: str = "", tag: str = "") -> dict[str, object]:
    """`GET /orders`: all of the day, those of an id, or those of a tag with its prefix.

    Raises:
        FyersError: no order of that id.
    """
    rows = [
        order_row(order, number, _market(caller, order))
        for number, order in enumerate(caller.account.orders.values(), start=1)
    ]
    if order_id:
        rows = [row for row in rows if row["id"] == order_id]
        if not rows:
            raise FyersError(400, *BAD_ORDER_ID)
    return {"orderBook": [row for row in rows if not tag or row["orderTag"] == tag]}


def trades(caller: Caller, tag: str = "") -> dict[str, object]:
    """`GET /tradebook`."""
    rows = [
        trade_row(trade, number, _market(caller, trade.order))
        for number, trade in enumerate(caller.account.trades, start=1)
    ]
    return {"tradeBook": [row for row in rows if not tag or row["orderTag"] == tag]}


def _market(caller: Caller, order: AccountOrder) -> Market:
    return caller.clock.world.markets[f"{order.exchange}:{order.symbol}"]
