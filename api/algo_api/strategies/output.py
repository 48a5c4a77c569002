"""The API's form of a strategy's row."""

from collections.abc import Mapping

from algo_crds.contracts.runtime import StrategyView
from algo_crds.resources.strategy import StrategySpec

from algo_api.strategies.models import Strategy
from algo_api.strategies.schemas import LevelOut, LimitsOut, StrategyOut
from algo_api.strategies.translate import api_status, state_of


def strategy_out(row: Strategy, view: StrategyView | None, accounts: Mapping[str, str]) -> StrategyOut:
    """What was asked for and what it is doing; `accounts` gives the id of the owner's accounts by resource name."""
    spec = StrategySpec.model_validate(row.spec)
    state = state_of(row.resource_status, view)
    account = spec.broker_account_ref.name
    return StrategyOut(
        **dict(state),
        id=row.id,
        resource=f"{row.namespace}/{row.resource}",
        user_id=row.user_id,
        tenant_id=row.tenant_id,
        status=api_status(state.phase, spec.desired_state),
        deleting=row.deleting,
        symbol=spec.symbol,
        exchange=spec.exchange,
        side=spec.side,
        quantity=spec.quantity,
        buy_time=spec.buy_time,
        sell_time=spec.sell_time,
        stop_loss=LevelOut.model_validate(spec.stop_loss, from_attributes=True),
        target=LevelOut.model_validate(spec.target, from_attributes=True) if spec.target else None,
        product=spec.product,
        mode=spec.mode,
        broker_account=account,
        broker_account_id=accounts.get(account),
        desired_state=spec.desired_state,
        repeat=spec.repeat,
        on_stop=spec.on_stop,
        limits=LimitsOut.model_validate(spec.limits, from_attributes=True) if spec.limits else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
        generation=row.generation,
    )
