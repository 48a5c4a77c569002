"""Between resources and the runtime contracts: what the engine is given, and what it reports.

Money is `Decimal` on the side of resources and `Price` (integer of 1/10 000 rupee) on the other; every conversion is
exact, or refused.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from algo_crds.contracts import clock, money, runtime
from algo_crds.resources import strategy as resources
from algo_crds.resources.rules import SpecPart

BASIS_POINTS: Final = 100
"""In one percent."""
NO_TIME: Final = 0


def runtime_spec(spec: resources.StrategySpec) -> runtime.StrategySpec:
    """The part of a spec that the engine needs.

    Raises:
        NotAPriceError: an amount has more than four decimals (a validated spec has none).
    """
    trailing = spec.trailing
    limits = spec.limits or resources.StrategyLimits()
    return runtime.StrategySpec(
        exchange=spec.exchange.value,
        symbol=spec.symbol,
        side=spec.side,
        quantity=spec.quantity,
        buy_time=seconds_of_day(spec.buy_time),
        sell_time=seconds_of_day(spec.sell_time),
        stop_loss=_level(spec.stop_loss),
        target=_level(spec.target) if spec.target else None,
        trailing=_level(trailing) if trailing else None,
        trailing_step=_step(trailing) if trailing else None,
        product=spec.product,
        live=spec.mode is resources.Mode.LIVE,
        repeat_daily=spec.repeat is resources.Repeat.DAILY,
        keep_on_stop=spec.on_stop is resources.OnStop.KEEP_PROTECTED,
        max_loss_per_day=None if limits.max_loss_per_day is None else money.parse_price(limits.max_loss_per_day),
        max_slippage_bp=None if limits.max_slippage_percent is None else _basis_points(limits.max_slippage_percent),
    )


def desired(spec: resources.StrategySpec) -> runtime.Desired:
    """What the strategy shall do, from `desiredState` and `onStop`."""
    if spec.desired_state is resources.DesiredState.RUNNING:
        return runtime.Desired.RUN
    keep = spec.on_stop is resources.OnStop.KEEP_PROTECTED
    return runtime.Desired.STOP_KEEP if keep else runtime.Desired.STOP_EXIT


def seconds_of_day(text: str) -> int:
    """`HH:MM:SS` as seconds of the exchange's day."""
    at = clock.parse_time(text)
    return at.hour * 3600 + at.minute * 60 + at.second


def strategy_status(view: runtime.StrategyView, *, pod: str | None = None, epoch: int | None = None) -> dict[str, Any]:
    """`.status` of a Strategy from the view of its runner, as the schema has it: camelCase, money as `Decimal`.

    `epoch` is the newest that the operator has minted; the view's own is taken where none is given. What is unknown or
    none is left out, so that server-side apply takes it away.
    """
    status: dict[str, Any] = {
        "phase": view.phase.value,
        "conditions": conditions(view.conditions.items(), generation=view.generation),
        "orders": [_order(order) for order in view.orders[-resources.MAX_ORDERS :]],
        "errors": [_text(error) for error in view.errors[-16:]],
        "pnl": money.to_decimal(view.pnl),
        "strategyId": view.strategy_id,
        "observedGeneration": view.generation,
        "runner": _some({"pod": pod, "epoch": view.epoch if epoch is None else epoch}),
    }
    optional: dict[str, Any] = {
        "reason": view.reason[:64] or None,
        "message": _text(view.message) or None,
        "lastPrice": _amount(view.last_price),
        "stopPrice": _amount(view.stop_price) if view.held else None,
        "protectedSince": _instant(view.protected_since),
        "exitReason": view.exit_reason.value if view.exit_reason else None,
        "lastAction": _text(view.last_action) or None,
    }
    if view.held:
        optional["position"] = {"quantity": view.held, "averagePrice": money.to_decimal(view.entry_price)}
    return status | _some(optional)


def conditions(
    items: Iterable[tuple[str, runtime.ConditionView]], *, generation: int | None = None
) -> list[dict[str, Any]]:
    """Conditions by type, sorted, as `.status` has them."""
    return [
        _some(
            {
                "type": name,
                "status": view.status,
                "reason": view.reason or "Unknown",
                "message": _text(view.message) or None,
                "lastTransitionTime": clock.format_instant(view.since),
                "observedGeneration": generation,
            }
        )
        for name, view in sorted(items)
    ]


def _order(order: runtime.OrderView) -> dict[str, Any]:
    return _some(
        {
            "tag": order.tag,
            "brokerOrderId": order.broker_order_id,
            "leg": order.leg.value,
            "side": order.side.value,
            "type": order.type.value,
            "price": money.to_decimal(order.price),
            "trigger": _amount(order.trigger),
            "quantity": order.quantity,
            "filled": order.filled,
            "averagePrice": _amount(order.average_price),
            "status": order.status.value,
            "message": _text(order.message) or None,
            "time": clock.format_instant(order.time),
            "wallTime": _instant(order.wall_time),
        }
    )


def _level(part: SpecPart) -> runtime.Level:
    price: Decimal | None = getattr(part, "price", None)
    percent: Decimal | None = getattr(part, "percent", None)
    points: Decimal | None = getattr(part, "points", None)
    return runtime.Level(
        price=None if price is None else money.parse_price(price),
        bp=None if percent is None else _basis_points(percent),
        points=None if points is None else money.parse_price(points),
    )


def _step(trailing: resources.Trailing) -> runtime.Level | None:
    if trailing.step is None:
        return None
    if trailing.percent is not None:
        return runtime.Level(bp=_basis_points(trailing.step))
    return runtime.Level(points=money.parse_price(trailing.step))


def _basis_points(percent: Decimal) -> int:
    points = percent * BASIS_POINTS
    if points != points.to_integral_value():
        raise money.NotAPriceError(f"{percent} percent must be a multiple of 0.01")
    return int(points)


def _amount(price: int) -> Decimal | None:
    return money.to_decimal(price) if price else None


def _instant(at: int) -> str | None:
    return clock.format_instant(at) if at != NO_TIME else None


def _text(text: str) -> str:
    return text if len(text) <= 1024 else text[:1021] + "..."


def _some(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
