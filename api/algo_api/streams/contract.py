"""What streams offer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

from algo_api.identity import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One event to send. Without an id a client keeps the last one that it has seen."""

    kind: str
    data: Any
    id: str | None = None


class FollowStrategy(Protocol):
    """The events of a strategy of the caller: a snapshot, then each event after `last_id` or from now on. Ends when the
    caller's token does.

    Raises (before the first event):
        NotFoundError: no such strategy, or not the caller's.
        UnavailableError: Redis is away.
    """

    def __call__(self, caller: Caller, strategy_id: str, *, last_id: str | None) -> AsyncIterator[StreamEvent]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamService:
    """Live events."""

    follow: FollowStrategy
