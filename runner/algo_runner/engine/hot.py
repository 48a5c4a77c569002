"""The shortest way from the target's price to the exit: one `Modify`, everything else a step later.

Only where all is calm: a confirmed stop for all that is held, no other order that is live or unknown, a broker that
lets a stop become the exit. `plan_for` says so at the end of every other step; the order that leaves is the same that
`exit` would send, and a `Clock` at once brings everything up to date.
"""

from typing import Final

from algo_crds.contracts import wire
from algo_crds.contracts.orders import OrderClass, OrderType
from algo_crds.contracts.runtime import ExitReason
from msgspec.structs import replace

from algo_runner.engine.actions import Action, WakeAt
from algo_runner.engine.calls import KEPT_ASKS
from algo_runner.engine.levels import exit_limit, reached
from algo_runner.engine.orders import filled, is_final
from algo_runner.engine.protect import is_protected, main_stop
from algo_runner.engine.session import can_write
from algo_runner.engine.state import Ask, Call, Plan, State
from algo_runner.engine.turn import Turn

_LIMIT: Final = OrderType.LIMIT
_EXIT: Final = OrderClass.EXIT
_TARGET: Final = ExitReason.TARGET
"""By name: a look into an enum's class runs its metaclass, code that nothing else on this way needs."""


def plan_for(t: Turn) -> Plan | None:
    """The plan of this state, where all is calm."""
    s = t.s
    capability = s.capability
    if capability is None or not capability.convert_stop_to_exit or s.no_convert or s.target_level <= 0:
        return None
    if s.feed_stale or s.breach_at or not can_write(t) or not is_protected(t):
        return None
    order = main_stop(t)
    others = [o for o in s.orders.values() if o is not order and not is_final(o)]
    if order is None or others or order.busy or order.no_modify or filled(order) or order.retry_at > t.now:
        return None
    if order.modifications >= capability.max_modifications or any(line for line in order.lines[1:]):
        return None
    return Plan(sign=t.sign, tag=order.tag, broker_order_id=order.broker_order_id, quantity=order.ask.quantity)


def exit_at_target(state: State, tick: wire.Tick, now: int) -> tuple[State, tuple[Action, ...]] | None:
    """The step of a good tick that reaches the target; None where the plan does not hold."""
    plan, instrument, market, price = state.plan, state.instrument, state.market, tick.price
    if plan is None or instrument is None or not reached(price, state.target_level, plan.sign):
        return None
    broker, session = state.broker, state.session
    if broker is None or broker.session_valid_until <= now or session is None or not now < session.last_match:
        return None
    if now < state.last_now or now >= state.exit_at or not market.time < tick.time < market.closed:
        return None
    if tick.source != market.source or tick.polled:
        return None
    if instrument.band_high > 0 and not instrument.band_low <= price <= instrument.band_high:
        return None
    if now - market.tick_at >= state.constants.freshness_ms:
        return None
    limit = exit_limit(price, 0, plan.sign, instrument)
    req, order = state.next_req, state.orders[plan.tag]
    ask = Ask(at=now, type=_LIMIT, quantity=plan.quantity, price=limit)
    action = wire.Modify(
        req=req,
        broker_order_id=plan.broker_order_id,
        tag=plan.tag,
        order_class=_EXIT,
        type=_LIMIT,
        quantity=plan.quantity,
        price=limit,
        send_before=now + state.constants.send_before_ms,
    )
    changed = replace(
        order,
        busy=req,
        ask=ask,
        asks=(*order.asks, ask)[-KEPT_ASKS:],
        modifications=order.modifications + 1,
        converted=True,
        refused_at=0,
    )
    s = replace(  # one call for the copy and its changes: 10 us less than one after the other where caches are cold
        state,
        next_req=req + 1,
        calls={**state.calls, req: Call(kind="modify", at=now, tag=plan.tag, convert=True, previous=order.ask)},
        orders={**state.orders, plan.tag: changed},
        exit_reason=_TARGET,
        progress_at=now,
        last_now=now,
        wake_at=now,
        exit_doublings=0,
        breach_at=0,
        plan=None,
        untold="the price has reached the target",
    )
    market.price = market.price_streamed = price
    market.time = tick.time
    market.volume = tick.volume
    market.tick_at = market.price_at = now
    market.seen += 1
    market.second.clear()
    market.low = market.high = 0
    return s, (action, WakeAt(at=now))
