"""The route of live events (server-sent events)."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from algo_api.deps import CallerDep, StreamsDep
from algo_api.errors import NotFoundError, UnauthenticatedError, UnavailableError, documented
from algo_api.health.metrics import OPEN_STREAMS
from algo_api.strategies.routes import StrategyId
from algo_api.streams.contract import StreamEvent

router = APIRouter(prefix="/strategies", tags=["strategies"])

LastEventId = Annotated[
    str | None,
    Header(pattern=r"^[0-9]{1,15}(-[0-9]{1,15})?$", description="Id of the last event that the client has seen."),
]


async def _opened(
    strategy_id: StrategyId, caller: CallerDep, streams: StreamsDep, last_event_id: LastEventId = None
) -> AsyncIterator[tuple[StreamEvent, AsyncIterator[StreamEvent]]]:
    """The first event and the rest: opened before the answer begins, so that a refusal is a status and not a stream."""
    async with aclosing(streams.follow(caller, strategy_id, last_id=last_event_id)) as events:  # type: ignore[type-var]
        yield await anext(events), events


@router.get(
    "/{strategy_id}/stream",
    response_class=EventSourceResponse,
    responses=documented(UnauthenticatedError, NotFoundError, UnavailableError),
)
async def stream_strategy(
    opened: Annotated[tuple[StreamEvent, AsyncIterator[StreamEvent]], Depends(_opened)],
) -> AsyncIterator[ServerSentEvent]:
    """Live events: `snapshot` first (the present state), then phase, condition, order, fill, alert, queue, command as
    they happen, each with an id to resume after. Ends with the access token; connect again with a new one."""
    first, rest = opened
    with OPEN_STREAMS.track_inprogress():
        yield _sse(first)
        async for event in rest:
            yield _sse(event)


def _sse(event: StreamEvent) -> ServerSentEvent:
    return ServerSentEvent(data=event.data, event=event.kind, id=event.id)
