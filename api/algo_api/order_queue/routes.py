"""Routes of the order queue."""

from typing import Annotated

from fastapi import APIRouter, Path, status

from algo_api.deps import CallerDep, OrderQueueDep
from algo_api.errors import ConflictError, NotFoundError, UnauthenticatedError, UnavailableError, documented
from algo_api.order_queue.schemas import ClearIn, OrderQueueOut, QueueEntryOut
from algo_api.strategies.routes import StrategyId
from algo_api.strategies.schemas import StrategyOut

router = APIRouter(prefix="/strategies/{strategy_id}", tags=["strategies"])

Tag = Annotated[str, Path(pattern="^[0-9a-z]{1,19}$", description="Tag of the order, as the queue tells it.")]
_ANSWERS = documented(UnauthenticatedError, NotFoundError, UnavailableError)


@router.get("/order-queue", responses=_ANSWERS)
async def list_order_queue(strategy_id: StrategyId, caller: CallerDep, queue: OrderQueueDep) -> OrderQueueOut:
    """What was refused, not sent, or has an unknown outcome, and is not settled yet."""
    return await queue.list(caller, strategy_id)


@router.post("/order-queue/{tag}/retry", status_code=status.HTTP_202_ACCEPTED, responses=_ANSWERS)
async def retry_order(strategy_id: StrategyId, tag: Tag, caller: CallerDep, queue: OrderQueueDep) -> QueueEntryOut:
    """Tell the strategy to decide anew without waiting: an exit for what is held now, an entry only if every rule
    allows it at today's price and time. An order is never sent a second time."""
    return await queue.retry(caller, strategy_id, tag)


@router.post("/order-queue/{tag}/discard", status_code=status.HTTP_202_ACCEPTED, responses=_ANSWERS)
async def discard_order(strategy_id: StrategyId, tag: Tag, caller: CallerDep, queue: OrderQueueDep) -> QueueEntryOut:
    """Take the entry off the queue. It cancels nothing at the broker, and an exit goes on until all is sold."""
    return await queue.discard(caller, strategy_id, tag)


@router.post(
    "/clear",
    status_code=status.HTTP_202_ACCEPTED,
    responses=documented(UnauthenticatedError, NotFoundError, ConflictError, UnavailableError),
)
async def clear_failed_run(
    strategy_id: StrategyId, cleared: ClearIn, caller: CallerDep, queue: OrderQueueDep
) -> StrategyOut:
    """Clear a run that failed, with a note on what became of its shares; until then no new run begins."""
    return await queue.clear(caller, strategy_id, note=cleared.note)


@router.post(
    "/orders/{tag}/force-second-sell",
    status_code=status.HTTP_202_ACCEPTED,
    responses=documented(UnauthenticatedError, NotFoundError, ConflictError, UnavailableError),
)
async def force_second_sell(strategy_id: StrategyId, tag: Tag, caller: CallerDep, queue: OrderQueueDep) -> StrategyOut:
    """Call a sell of unknown outcome absent, so that the strategy may sell again. Only after the broker's own order
    page shows that it is not there: if it lives after all, both may sell."""
    return await queue.force(caller, strategy_id, tag)
