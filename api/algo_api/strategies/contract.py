"""What the strategy service offers."""

from dataclasses import dataclass
from typing import Protocol

from algo_api.identity import Caller
from algo_api.strategies.schemas import StrategyChange, StrategyIn, StrategyOut, StrategyPage


class CreateStrategy(Protocol):
    """Applies a new Strategy resource.

    Raises:
        TradingRuleError: it breaks a rule, for example it has no stop-loss.
        MalformedError: a field has a wrong form.
        NotFoundError: the broker account is not the caller's.
        UnavailableError: the tenant's namespace is not there yet, or the cluster is away.
    """

    async def __call__(self, caller: Caller, new: StrategyIn) -> StrategyOut: ...


class ListStrategies(Protocol):
    """The caller's strategies, newest first."""

    async def __call__(self, caller: Caller, *, limit: int, before: str | None) -> StrategyPage: ...


class GetStrategy(Protocol):
    """One strategy with its state.

    Raises:
        NotFoundError: no such strategy, or not the caller's.
    """

    async def __call__(self, caller: Caller, strategy_id: str) -> StrategyOut: ...


class ChangeStrategy(Protocol):
    """Changes some fields.

    Raises:
        TradingRuleError: a rule is broken, also one that holds only while a position is open.
        NotFoundError, ConflictError, UnavailableError: as elsewhere.
    """

    async def __call__(self, caller: Caller, strategy_id: str, change: StrategyChange) -> StrategyOut: ...


class StartStrategy(Protocol):
    """Asks it to run. A halt holds until a person takes it away; starting does not."""

    async def __call__(self, caller: Caller, strategy_id: str) -> StrategyOut: ...


class StopStrategy(Protocol):
    """Asks it to stop, without waiting. `keep` leaves a position with its stop instead of closing it."""

    async def __call__(self, caller: Caller, strategy_id: str, *, keep: bool) -> StrategyOut: ...


class DeleteStrategy(Protocol):
    """Asks for its deletion; it goes when it is flat."""

    async def __call__(self, caller: Caller, strategy_id: str) -> StrategyOut: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyService:
    """Strategies."""

    create: CreateStrategy
    list: ListStrategies
    get: GetStrategy
    change: ChangeStrategy
    start: StartStrategy
    stop: StopStrategy
    delete: DeleteStrategy
