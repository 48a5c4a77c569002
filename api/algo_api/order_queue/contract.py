"""What the order queue offers. Only the engine makes orders: a command tells it to decide anew, never to send again."""

from dataclasses import dataclass
from typing import Protocol

from algo_api.identity import Caller
from algo_api.order_queue.schemas import OrderQueueOut, QueueEntryOut
from algo_api.strategies.schemas import StrategyOut


class ListQueue(Protocol):
    """What waits.

    Raises:
        NotFoundError: no such strategy, or not the caller's.
        UnavailableError: Redis is away.
    """

    async def __call__(self, caller: Caller, strategy_id: str) -> OrderQueueOut: ...


class CommandEntry(Protocol):
    """Gives the runner a command about one entry, and returns the entry as it stands until the runner has acted.

    Raises:
        NotFoundError: no such strategy or entry, or not the caller's.
        UnavailableError: Redis is away, the command was not given.
    """

    async def __call__(self, caller: Caller, strategy_id: str, tag: str) -> QueueEntryOut: ...


class ClearFailedRun(Protocol):
    """Clears a run that failed, so that the next one may begin; the note says what became of its shares.

    Raises:
        NotFoundError: no such strategy, or not the caller's.
        ConflictError: its run has not failed.
        UnavailableError: Redis is away, the command was not given.
    """

    async def __call__(self, caller: Caller, strategy_id: str, *, note: str) -> StrategyOut: ...


class ForceSecondSell(Protocol):
    """Calls a sell of unknown outcome absent on the caller's word, so that it blocks no other; the first may live.

    Raises:
        NotFoundError: no such strategy or order, or not the caller's.
        ConflictError: the order is an entry, or its outcome is known.
        UnavailableError: Redis is away, the command was not given.
    """

    async def __call__(self, caller: Caller, strategy_id: str, tag: str) -> StrategyOut: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQueueService:
    """The order queue."""

    list: ListQueue
    retry: CommandEntry
    discard: CommandEntry
    clear: ClearFailedRun
    force: ForceSecondSell
