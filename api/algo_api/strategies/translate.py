"""Between the API's form of a strategy and the Strategy resource; no I/O."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from algo_crds.contracts import clock
from algo_crds.contracts.money import to_decimal
from algo_crds.contracts.runtime import OrderView, Phase, StrategyView
from algo_crds.resources.rules import RULE_ERROR
from algo_crds.resources.strategy import DesiredState, Strategy, StrategySpec, StrategyStatus
from pydantic import ValidationError

from algo_api.errors import FieldProblem, MalformedError, TradingRuleError
from algo_api.strategies.schemas import (
    ApiStatus,
    ConditionOut,
    Json,
    LevelIn,
    OrderOut,
    PositionOut,
    StateOut,
    StrategyChange,
)

_FIELDS: Final = {
    "symbol": "symbol", "exchange": "exchange", "side": "side", "quantity": "quantity", "buy_time": "buyTime",
    "sell_time": "sellTime", "stop_loss": "stopLoss", "target": "target", "product": "product", "mode": "mode",
    "desired_state": "desiredState", "repeat": "repeat", "on_stop": "onStop", "limits": "limits",
}  # fmt: skip
_API_NAMES: Final = {camel: snake for snake, camel in _FIELDS.items()} | {
    "brokerAccountRef": "broker_account_id",
    "maxLossPerDay": "max_loss_per_day",
    "maxSlippagePercent": "max_slippage_percent",
}


def changed_spec(current: Mapping[str, Any], change: StrategyChange, account: str | None) -> Json:
    """The spec after a change, as JSON of the resource. A given null takes the field away."""
    spec = dict(current)
    for name, camel in _FIELDS.items():
        if name not in change.model_fields_set:
            continue
        value = getattr(change, name)
        if value is None:
            spec.pop(camel, None)
        else:
            spec[camel] = _plain(value)
    if "broker_account_id" in change.model_fields_set:
        spec.pop("brokerAccountRef", None)
        if account is not None:
            spec["brokerAccountRef"] = {"name": account}
    return spec


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"price": value}
    if isinstance(value, LevelIn):
        return value.model_dump(exclude_none=True)
    if hasattr(value, "max_loss_per_day"):
        dumped = value.model_dump(exclude_none=True)
        return {camel: dumped[snake] for camel, snake in _API_NAMES.items() if snake in dumped}
    return value


def validate_strategy(name: str, spec: Mapping[str, Any]) -> StrategySpec:
    """The spec if a Strategy of it would be accepted; the same rules and words as the API server's.

    Raises:
        TradingRuleError: it breaks a trading rule (mandatory stop-loss, times, quantity, ...).
        MalformedError: a field has a wrong form.
    """
    try:
        return Strategy.model_validate({"metadata": {"name": name}, "spec": dict(spec)}).spec
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problems = tuple(FieldProblem(field=_path(entry["loc"]), message=entry["msg"]) for entry in found)
        detail = "; ".join(f"{p.field}: {p.message}" if p.field else p.message for p in problems)
        if any(entry["type"] == RULE_ERROR for entry in found):
            raise TradingRuleError(detail, errors=problems) from None
        raise MalformedError(detail, errors=problems) from None


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(_API_NAMES.get(str(part), str(part)) for part in location if part != "spec")


def spec_json(spec: StrategySpec) -> Json:
    """The whole spec with its defaults, as the API applies it."""
    return spec.model_dump(by_alias=True, exclude_none=True)


def removed_fields(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Json:
    """Nulls for what is there and not wanted, at any depth: another field manager may own it."""
    nulls: Json = {}
    for name, value in current.items():
        if name not in wanted:
            nulls[name] = None
        elif isinstance(value, Mapping) and isinstance(wanted[name], Mapping):
            inner = removed_fields(value, wanted[name])
            if inner:
                nulls[name] = inner
    return nulls


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Json:
    """A JSON merge patch that writes `base` and the nulls of `over`."""
    result = dict(base)
    for name, value in over.items():
        result[name] = merged(base[name], value) if isinstance(value, Mapping) else value
    return result


def api_status(phase: Phase | None, desired: str) -> ApiStatus:
    """STOPPED, RUNNING or ACTIVE (contracts, vocabularies)."""
    if phase in (Phase.STOPPED, Phase.FAILED) or (phase is None and desired == DesiredState.STOPPED):
        return ApiStatus.STOPPED
    return ApiStatus.RUNNING if phase == Phase.BOUGHT else ApiStatus.ACTIVE


def state_of(status: Mapping[str, Any], view: StrategyView | None) -> StateOut:
    """What a strategy is doing: numbers from the runner's view, which is fresh; conditions from `.status`, because the
    operator also sees what a dead runner cannot say. What only one of them knows comes from that one."""
    told = _status(status)
    conditions = {
        condition.type: ConditionOut(
            type=condition.type,
            status=condition.status,
            reason=condition.reason,
            message=condition.message,
            last_transition_time=condition.last_transition_time,
        )
        for condition in told.conditions
    }
    if view is None:
        return StateOut(
            phase=told.phase,
            reason=told.reason,
            message=told.message,
            conditions=list(conditions.values()),
            position=PositionOut(quantity=told.position.quantity, average_price=told.position.average_price)
            if told.position
            else None,
            last_price=told.last_price,
            pnl=told.pnl,
            stop_price=told.stop_price,
            exit_reason=told.exit_reason,
            last_action=told.last_action or "",
            errors=list(told.errors),
        )
    for name, condition in view.conditions.items():
        conditions.setdefault(
            name,
            ConditionOut(
                type=name,
                status=condition.status,
                reason=condition.reason,
                message=condition.message,
                last_transition_time=clock.to_utc(condition.since) if condition.since else None,
            ),
        )
    return state_of_view(view, list(conditions.values()))


def state_of_view(view: StrategyView, conditions: list[ConditionOut]) -> StateOut:
    """The runner's view in the API's form."""
    return StateOut(
        phase=view.phase,
        reason=view.reason,
        message=view.message,
        conditions=conditions,
        position=PositionOut(quantity=view.held, average_price=to_decimal(view.entry_price)) if view.held else None,
        orders=[order_out(order) for order in view.orders],
        last_price=_price(view.last_price),
        pnl=to_decimal(view.pnl),
        entry_price=_price(view.entry_price),
        stop_price=_price(view.stop_price),
        target_price=_price(view.target_price),
        exit_price=_price(view.exit_price),
        exit_reason=view.exit_reason,
        unprotected_seconds=view.unprotected_ms / 1000,
        unprotected_session_seconds=view.unprotected_session_ms / 1000,
        ticks_seen=view.ticks_seen,
        ticks_rejected=view.ticks_rejected,
        last_action=view.last_action,
        errors=list(view.errors),
        final=view.final,
        now=view.now,
    )


def order_out(order: OrderView) -> OrderOut:
    """One order in the API's form."""
    return OrderOut(
        tag=order.tag,
        broker_order_id=order.broker_order_id,
        leg=order.leg,
        side=order.side,
        type=order.type,
        price=to_decimal(order.price),
        trigger=_price(order.trigger),
        quantity=order.quantity,
        filled=order.filled,
        average_price=_price(order.average_price),
        status=order.status,
        message=order.message,
        time=order.time,
        wall_time=order.wall_time or None,
    )


def _price(value: int) -> Decimal | None:
    return to_decimal(value) if value else None


def _status(status: Mapping[str, Any]) -> StrategyStatus:
    try:
        return StrategyStatus.model_validate(status)
    except ValidationError:  # written by another version: better no state than no answer
        return StrategyStatus()
