"""What follows from orders and their rows: status, fills, what is held and what may still sell. Never stored twice."""

from collections.abc import Iterator
from typing import Final

from algo_crds.contracts.orders import FINAL, Leg, OrderStatus, OrderType

from algo_runner.engine.levels import sign_of
from algo_runner.engine.state import Line, Order, State

ENTRY: Final = Leg.ENTRY
"""By name: a look into an enum's class runs its metaclass, and the way of an exit asks what is held."""
UNBOUNDED: Final = 1 << 40
"""What an order of unknown quantity may still sell."""


def line_live(line: Line) -> bool:
    """Whether the broker may still fill this order."""
    return line.status not in FINAL


def filled(order: Order) -> int:
    """Shares filled under this tag, over all broker orders that carry it."""
    lines = order.lines
    if len(lines) == 1:
        return lines[0].filled
    return sum(line.filled for line in lines)


def average(order: Order) -> int:
    """Average price of the fills that have a believable one; 0 if none has."""
    shares = sum(line.filled for line in order.lines if line.average_price > 0)
    if not shares:
        return 0
    value = sum(line.filled * line.average_price for line in order.lines if line.average_price > 0)
    return value // shares


def primary(order: Order) -> Line | None:
    """The line that we modify and cancel."""
    return order.lines[0] if order.lines else None


def status(order: Order) -> OrderStatus:
    """The one state of an attempt."""
    if order.own is OrderStatus.UNKNOWN or not order.lines:
        return order.own
    for line in order.lines:
        if line.status not in FINAL:
            return line.status
    return order.lines[0].status


def is_unknown(order: Order) -> bool:
    """An outcome that nobody saw."""
    return order.own is OrderStatus.UNKNOWN


def is_final(order: Order) -> bool:
    """Whether nothing more is expected of this attempt (a larger filled quantity is believed all the same)."""
    return status(order) in FINAL


def may_still_trade(order: Order) -> int:
    """Shares that this attempt may still trade, counting what is unknown as live and every quantity asked lately."""
    if order.own is OrderStatus.UNKNOWN or not order.lines:
        if order.own in FINAL:
            return 0
        asked = max(order.ask.quantity, *(line.quantity for line in order.lines)) if order.lines else order.ask.quantity
        return max(asked - filled(order), 0) if asked > 0 else UNBOUNDED
    total = 0
    for index, line in enumerate(order.lines):
        if line.status in FINAL:
            continue
        quantity = max(line.quantity, order.ask.quantity) if index == 0 else line.quantity
        total += max(quantity - line.filled, 0)
    return total


def entries(state: State) -> Iterator[Order]:
    """Orders that buy (open the position)."""
    return (order for order in state.orders.values() if order.leg is Leg.ENTRY)


def sells(state: State) -> Iterator[Order]:
    """Orders that close the position, whatever they were born as."""
    return (order for order in state.orders.values() if order.leg is not Leg.ENTRY)


def bought(state: State) -> int:
    """Entry fills of the day."""
    return sum(filled(order) for order in state.orders.values() if order.leg is Leg.ENTRY)


def held(state: State) -> int:
    """Entry fills less exit fills less manual fills; negative only if more was sold than bought."""
    total = -state.manual
    for order in state.orders.values():
        if order.lines:
            total += filled(order) if order.leg is ENTRY else -filled(order)
    return total


def sellable(state: State) -> int:
    """Shares that may be sold: what is held, or the account's whole position where that is known to be smaller."""
    shares = max(held(state), 0)
    return shares if state.position_cut < 0 else min(shares, state.position_cut)


def working(state: State) -> int:
    """What live or unknown stops and exits may still sell."""
    return sum(may_still_trade(order) for order in state.orders.values() if order.leg is not Leg.ENTRY)


def any_unknown_sell(state: State) -> bool:
    """Whether the outcome of any sell is unknown."""
    return any(order.own is OrderStatus.UNKNOWN for order in state.orders.values() if order.leg is not Leg.ENTRY)


def live_sells(state: State) -> list[Order]:
    """Sells that the broker may still fill and whose outcome is known."""
    return [
        order
        for order in state.orders.values()
        if order.leg is not Leg.ENTRY and order.own is not OrderStatus.UNKNOWN and not is_final(order)
    ]


def live_entries(state: State) -> list[Order]:
    """Entries that are live or unknown."""
    return [order for order in state.orders.values() if order.leg is Leg.ENTRY and not is_final(order)]


def believed_average(order: Order, sign: int) -> int:
    """Average price of an entry; its limit price stands for it until a believable one (not 0, not worse than the
    limit) is known."""
    value = average(order)
    limit = order.ask.price
    if value > 0 and (limit <= 0 or sign * (value - limit) <= 0):
        return value
    return limit


def entry_average(state: State) -> int:
    """Average price of what was bought in this run, 0 with no fill."""
    sign = sign_of(state.spec.spec.side)
    shares = value = 0
    for order in entries(state):
        count = filled(order)
        if count and order.run == state.run:
            shares += count
            value += count * believed_average(order, sign)
    return value // shares if shares else 0


def exit_average(state: State) -> int:
    """Average price of what was sold in this run, manual fills included; 0 with no fill."""
    shares, value = state.manual, state.manual_value
    for order in sells(state):
        count = filled(order)
        if count and order.run == state.run:
            shares += count
            value += count * (average(order) or order.ask.price)
    return value // shares if shares else 0


def waits(order: Order, *, has_trigger_status: bool) -> bool:
    """Whether the broker's row shows a stop that still waits for its trigger.

    Two brokers have no such status: there a stop waits while its type is stop-limit with a trigger.
    """
    line = primary(order)
    if line is None or line.status in FINAL or line.type is not OrderType.STOP_LIMIT or line.trigger <= 0:
        return False
    return line.status is not OrderStatus.TRIGGERED and (
        line.status in (OrderStatus.TRIGGER_PENDING, OrderStatus.PENDING) or not has_trigger_status
    )


def confirmed(order: Order, quantity: int, *, has_trigger_status: bool) -> bool:
    """Whether a row read after the last write shows a resting stop exactly as asked, for all of `quantity`."""
    line = primary(order)
    if (
        line is None
        or order.leg is not Leg.STOP
        or order.converted
        or order.cancel_asked
        or order.own is OrderStatus.UNKNOWN
    ):
        return False
    ask = order.ask
    return (
        line.status is not OrderStatus.PENDING
        and waits(order, has_trigger_status=has_trigger_status)
        and line.exchange_order_id != ""
        and line.read_at >= ask.at
        and line.trigger == ask.trigger
        and line.price == ask.price
        and line.quantity == ask.quantity
        and line.quantity - line.filled == quantity
    )


def own_pnl(state: State) -> int:
    """Profit of the day over all runs, realised and at the last price, in `Price` units."""
    sign = sign_of(state.spec.spec.side)
    value = state.manual_value
    for order in state.orders.values():
        count = filled(order)
        if count:
            price = believed_average(order, sign) if order.leg is Leg.ENTRY else average(order) or order.ask.price
            value += -count * price if order.leg is Leg.ENTRY else count * price
    return sign * (value + held(state) * state.market.price)
