"""Routes of strategies."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, status

from algo_api.deps import CallerDep, StrategiesDep
from algo_api.errors import (
    ConflictError,
    NotFoundError,
    TradingRuleError,
    UnauthenticatedError,
    UnavailableError,
    documented,
)
from algo_api.strategies.schemas import StrategyChange, StrategyIn, StrategyOut, StrategyPage

router = APIRouter(prefix="/strategies", tags=["strategies"])

StrategyId = Annotated[str, Path(pattern="^str_[0-9a-hjkmnp-tv-z]{26}$", description="Id of the strategy.")]
_WRITE = documented(UnauthenticatedError, TradingRuleError, NotFoundError, ConflictError, UnavailableError)
_READ = documented(UnauthenticatedError, NotFoundError, UnavailableError)


@router.post("", status_code=status.HTTP_201_CREATED, responses=_WRITE)
async def create_strategy(new: StrategyIn, caller: CallerDep, strategies: StrategiesDep) -> StrategyOut:
    """Create a strategy; it becomes a resource and then a pod. A strategy without a stop-loss is refused."""
    return await strategies.create(caller, new)


@router.get("", responses=documented(UnauthenticatedError, UnavailableError))
async def list_strategies(
    caller: CallerDep,
    strategies: StrategiesDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(pattern="^str_[0-9a-hjkmnp-tv-z]{26}$")] = None,
) -> StrategyPage:
    """The caller's strategies, newest first, also those made with kubectl."""
    return await strategies.list(caller, limit=limit, before=before)


@router.get("/{strategy_id}", responses=_READ)
async def get_strategy(strategy_id: StrategyId, caller: CallerDep, strategies: StrategiesDep) -> StrategyOut:
    """One strategy and what it is doing."""
    return await strategies.get(caller, strategy_id)


@router.patch("/{strategy_id}", responses=_WRITE)
async def change_strategy(
    strategy_id: StrategyId, change: StrategyChange, caller: CallerDep, strategies: StrategiesDep
) -> StrategyOut:
    """Change some fields. While a position is open most are frozen and the stop-loss may only come nearer."""
    return await strategies.change(caller, strategy_id, change)


@router.delete("/{strategy_id}", status_code=status.HTTP_202_ACCEPTED, responses=_WRITE)
async def delete_strategy(strategy_id: StrategyId, caller: CallerDep, strategies: StrategiesDep) -> StrategyOut:
    """Ask for its deletion: a position is closed first, then it goes."""
    return await strategies.delete(caller, strategy_id)


@router.post("/{strategy_id}/start", responses=_WRITE)
async def start_strategy(strategy_id: StrategyId, caller: CallerDep, strategies: StrategiesDep) -> StrategyOut:
    """Ask it to run. A halt of the account or tenant holds until a person takes it away."""
    return await strategies.start(caller, strategy_id)


@router.post("/{strategy_id}/stop", responses=_WRITE)
async def stop_strategy(
    strategy_id: StrategyId,
    caller: CallerDep,
    strategies: StrategiesDep,
    keep: Annotated[bool, Query(description="Leave a position with its stop instead of closing it.")] = False,
) -> StrategyOut:
    """Ask it to stop; the answer does not wait for it."""
    return await strategies.stop(caller, strategy_id, keep=keep)
