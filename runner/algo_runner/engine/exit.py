"""Exit: sell what is held, never more than is held, until flat.

The resting stop becomes the exit by `Modify` where the broker lets it; otherwise cancel, its final row, place the
remainder. While the outcome of any sell is unknown no other sell is placed.
"""

from typing import Final

from algo_crds.contracts.orders import Leg, OrderClass, OrderStatus, OrderType
from algo_crds.contracts.runtime import Desired, ExitReason
from msgspec.structs import replace

from algo_runner.engine import levels
from algo_runner.engine.calls import backoff, limit_ask, modify, place, press_cancel, read_quote
from algo_runner.engine.orders import (
    any_unknown_sell,
    filled,
    held,
    is_final,
    live_entries,
    live_sells,
    primary,
    sellable,
    sells,
    status,
    waits,
    working,
)
from algo_runner.engine.protect import begin_exit, is_protected, is_triggered
from algo_runner.engine.session import can_place, can_write, desired
from algo_runner.engine.state import Order
from algo_runner.engine.turn import Turn

QUOTE_WAIT_MS: Final = 500
"""How long an exit that is not urgent waits for a quote when the last price is old."""
NEAR_TRIGGER_BP: Final = 50
"""A price this close to a stop's trigger may have gone through it unseen. The widest range within three seconds (the
age of a recent price and the way of a row) on three recorded days, one of them violent, is 39 basis points (SBIN,
2021-04-12)."""
REFUSED_PAUSE_MS: Final = 1_000
"""Least time between two tries when the price has changed since a refusal."""
URGENT: Final = frozenset({ExitReason.STOP, ExitReason.SOFTWARE_STOP, ExitReason.UNSAFE, ExitReason.DAY_LIMIT})


def consider(t: Turn) -> None:
    """Begin an exit that is due for a reason other than the price."""
    s = t.s
    if s.exit_reason is not None:
        return
    shares = held(s)
    if shares <= 0 and not live_entries(s):
        return
    wanted = desired(s)
    if s.killed or s.spec.halts:
        begin_exit(t, ExitReason.KILL, "; ".join(s.spec.halts) or "kill")
    elif wanted is Desired.STOP_EXIT:
        begin_exit(t, ExitReason.COMMAND, "stopped" if not s.spec.deleting else "deleted")
    elif s.exit_at and t.due(s.exit_at):
        at_sell_time = s.exit_at == s.sell_at
        begin_exit(t, ExitReason.TIME, "sell time" if at_sell_time else "ahead of the broker's square-off")
    elif shares > 0 and s.feed_stale and not is_protected(t) and not any_unknown_sell(s):
        begin_exit(t, ExitReason.UNSAFE, "no price and no confirmed stop")


def sells_ended(t: Turn) -> None:
    """Learn from each exit order that has come to its end."""
    s = t.s
    for order in tuple(sells(s)):
        if order.leg is not Leg.EXIT or not is_final(order) or order.handled:
            continue
        t.put(replace(order, handled=True), tell=False)
        state = status(order)
        if order.absent or state is OrderStatus.FILLED:
            s.exit_rejects = 0
        elif state in (OrderStatus.REJECTED, OrderStatus.NOT_SENT):
            s.exit_rejects += 1
            s.exit_retry_at = max(order.retry_at, t.now + backoff(t, s.exit_rejects))
            s.exit_refused_at, s.exit_refused_price = t.now, order.ask.price
            t.alert("critical", "ExitRefused", f"exit order {order.tag} was refused: {order.message or state}")
        elif not order.cancel_asked:
            s.exit_retry_at = t.now + backoff(t, 1)
            t.alert("critical", "ExitCancelled", f"exit order {order.tag} was cancelled by the exchange or by hand")


def decide(t: Turn) -> None:
    """Bring the exit forward. The entry's cancel stands in `entry`; this sells what is held without waiting for it."""
    s = t.s
    if s.exit_reason is None or s.instrument is None or s.capability is None:
        return
    shares = sellable(s)
    if shares <= 0:
        return
    for order in live_sells(s):
        if not order.late:
            _advance(t, order, shares)
    _top_up(t, shares)


def _advance(t: Turn, order: Order, shares: int) -> None:
    """One live sell: leave it, convert it, re-price it, or cancel it."""
    s = t.s
    if order.busy or not order.broker_order_id or not can_write(t):
        return
    line = primary(order)
    if order.cancel_asked:
        press_cancel(t, order, _class(t))
        return
    if order.refused_at and (line is None or line.read_at <= order.refused_at):
        return  # a refused change usually means that it triggered or filled: believe only rows
    if order.leg is Leg.STOP and not order.converted:
        if is_triggered(t, order) or _inferred(t, order):
            _tend_triggered(t, order, shares)
            return
        if order.refused_at and order.refused_convert and line is not None and line.status is not OrderStatus.PENDING:
            s.no_convert = True  # it still waits after a refused conversion: remembered for the day
        _convert(t, order, shares)
        return
    if (
        order.converted
        and line is not None
        and line.read_at > order.ask.at + UNAPPLIED_MS
        and waits(order, has_trigger_status=True)
    ):
        _convert(t, order, shares)  # the outcome of the conversion was not seen, and its row says that it was not done
        return
    _reprice(t, order, shares)


UNAPPLIED_MS: Final = 1_000


def _inferred(t: Turn, order: Order) -> bool:
    """Where no trigger status exists, a fresh price through the trigger of a live stop says that it has triggered."""
    s = t.s
    if s.capability is None or s.capability.has_trigger_status or s.exit_reason is not ExitReason.STOP:
        return False
    return primary(order) is not None


def _modifiable(t: Turn, order: Order) -> bool:
    capability = t.s.capability
    if capability is None or order.no_modify or order.modifications >= capability.max_modifications:
        return False
    if capability.modify_quantity_is_total:
        return True
    # Where a change may name the remainder, a fill that crosses it on the wire would be sold once more: only an order
    # that cannot be filling yet is changed, any other goes by cancel, final row, place.
    waiting = filled(order) == 0 and not order.converted and order.ask.type is OrderType.STOP_LIMIT
    return waiting and not _may_have_triggered(t, order)


def _may_have_triggered(t: Turn, order: Order) -> bool:
    """Whether the stop may be filling by now, whatever its last row says: rows and prices come late, so only a recent
    price well short of the trigger says that it is not."""
    s = t.s
    if s.exit_reason in (ExitReason.STOP, ExitReason.SOFTWARE_STOP) or is_triggered(t, order):
        return True
    return not _price_is_recent(t) or levels.near(s.market.price, order.ask.trigger, t.sign, NEAR_TRIGGER_BP)


def _wanted(t: Turn, order: Order, shares: int) -> int:
    """Total quantity that this order should have: all that is held, less what other sells may still sell."""
    others = working(t.s) - _remaining(order)
    return filled(order) + max(shares - max(others, 0), 0)


def _remaining(order: Order) -> int:
    line = primary(order)
    asked = order.ask.quantity if line is None else max(line.quantity, order.ask.quantity)
    return max(asked - filled(order), 0)


def _convert(t: Turn, order: Order, shares: int) -> None:
    s = t.s
    if s.capability is None or not s.capability.convert_stop_to_exit or s.no_convert or not _modifiable(t, order):
        _replace(t, order)
        return
    quantity = order.ask.quantity if any_unknown_sell(s) else _wanted(t, order, shares)
    price = exit_price(t, s.exit_doublings)
    if price <= 0 or quantity <= filled(order) or not _may_retry(t, order, price):
        return
    modify(t, order, limit_ask(t, quantity, price), _class(t), convert=True)


def _replace(t: Turn, order: Order) -> None:
    """Cancel, its final row, place the remainder: only while something new may be placed, or nothing would sell."""
    if can_place(t):
        press_cancel(t, order, _class(t))


def _tend_triggered(t: Turn, order: Order, shares: int) -> None:
    """A triggered stop is left alone while it fills or the market is at or inside its limit."""
    s = t.s
    line = primary(order)
    if line is None:
        return
    since = max(line.changed_at, order.ask.at, s.progress_at)
    beyond = s.market.price_at >= since and s.market.price > 0 and t.sign * (s.market.price - line.price) < 0
    if not beyond and not t.due(since + s.constants.reprice_ms):
        _grow(t, order, shares)
        return
    _change_price(t, order, shares)


def _reprice(t: Turn, order: Order, shares: int) -> None:
    s = t.s
    line = primary(order)
    since = max(order.ask.at, line.changed_at if line is not None else 0)
    if not t.due(since + s.constants.reprice_ms):
        _grow(t, order, shares)
        return
    _change_price(t, order, shares)


def _grow(t: Turn, order: Order, shares: int) -> None:
    """A later entry fill goes to the exit."""
    s = t.s
    if any_unknown_sell(s) or not _modifiable(t, order) or order.ask.type is not OrderType.LIMIT:
        return
    quantity = _wanted(t, order, shares)
    if quantity > order.ask.quantity and t.due(order.retry_at):
        modify(t, order, limit_ask(t, quantity, order.ask.price), _class(t))


def _change_price(t: Turn, order: Order, shares: int) -> None:
    """Re-price towards the market: price and band read anew, the band doubled, no modify that changes nothing."""
    s = t.s
    line = primary(order)
    current = line.price if line is not None else order.ask.price
    price = exit_price(t, s.exit_doublings + 1)
    if price <= 0 or s.instrument is None:
        return
    if current > 0 and t.sign * (price - current) > 0 and levels.in_band(current, s.instrument):
        price = current  # towards the market only
    outer = levels.edge(s.instrument, t.sign)
    if order.reprices >= s.constants.reprice_modifications and outer:
        price = outer
    quantity = order.ask.quantity if any_unknown_sell(s) else max(_wanted(t, order, shares), filled(order) + 1)
    same_type = line is None or line.type is OrderType.LIMIT
    if same_type and (price, quantity) == (order.ask.price, order.ask.quantity) and price == current:
        if outer and price == outer and not s.reported_blocked:
            s.reported_blocked = True
            t.alert("critical", "NobodyBuys", "the exit stands at the edge of the price band and is not filled")
        t.wake_at(t.now + s.constants.reprice_ms)
        return
    if not _may_retry(t, order, price):
        return
    if not _modifiable(t, order):
        _replace(t, order)
        return
    s.exit_doublings += 1
    modify(t, replace(order, reprices=order.reprices + 1), limit_ask(t, quantity, price), _class(t))


def _may_retry(t: Turn, order: Order, price: int) -> bool:
    """Back-off after refusals; at once again (a second apart) when the price to ask has changed."""
    if t.now >= order.retry_at:
        return True
    if price != order.ask.price and order.refused_price and price != order.refused_price:
        return t.due(order.last_refusal + REFUSED_PAUSE_MS)
    t.wake_at(order.retry_at)
    return False


def _top_up(t: Turn, shares: int) -> None:
    """Place what no live or unknown sell covers."""
    s = t.s
    missing = shares - working(s)
    if missing <= 0 or any_unknown_sell(s):
        return
    if not can_place(t):
        return
    if any(_grows(t, order) for order in live_sells(s)):
        return  # the order under way takes it over at its next change
    price = exit_price(t, s.exit_doublings)
    if price <= 0:
        return
    if t.now < s.exit_retry_at:
        changed = s.exit_refused_price not in (0, price)
        if not (changed and t.due(s.exit_refused_at + REFUSED_PAUSE_MS)):
            t.wake_at(s.exit_retry_at)
            return
    place(t, Leg.EXIT, _class(t), limit_ask(t, missing, price))


def _grows(t: Turn, order: Order) -> bool:
    """Whether a later fill can be added to this live sell."""
    return not order.late and not order.cancel_asked and bool(order.broker_order_id) and _modifiable(t, order)


def _price_is_recent(t: Turn) -> bool:
    market = t.s.market
    return market.price > 0 and t.now - market.price_at <= t.s.constants.quote_age_ms


def exit_price(t: Turn, doublings: int) -> int:
    """The limit of an exit now; 0 to wait for a quote (not longer than half a second, and only where no hurry is)."""
    s = t.s
    if s.instrument is None:
        return 0
    market = s.market
    if _price_is_recent(t):
        s.quote_wait = 0
        return levels.exit_limit(market.price, doublings, t.sign, s.instrument)
    read_quote(t)
    if s.exit_reason not in URGENT:
        s.quote_wait = s.quote_wait or t.now
        if not t.due(s.quote_wait + QUOTE_WAIT_MS):
            return 0
    last = levels.edge(s.instrument, t.sign)
    return last or (levels.exit_limit(market.price, doublings + 2, t.sign, s.instrument) if market.price else 0)


def _class(t: Turn) -> OrderClass:
    return OrderClass.URGENT_EXIT if t.s.exit_reason in URGENT else OrderClass.EXIT


def clear_backoffs(t: Turn) -> None:
    """Price band, session or a halt has changed: try again at once."""
    s = t.s
    s.stop_retry_at = s.exit_retry_at = 0
    for tag, order in tuple(s.orders.items()):
        if order.retry_at and not is_final(order):
            s.orders[tag] = replace(order, retry_at=0)
