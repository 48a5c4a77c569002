"""The order queue on the wire."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from algo_api.inputs import CLEAN, Request

Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), CLEAN]


class QueueEntryOut(BaseModel):
    """One order that was refused, not sent, or whose outcome nobody saw: a record, never an order to replay."""

    id: str = Field(description="Identifier `queue_…`: of strategy and tag, the same each time it is read.")
    tag: str = Field(description="Our tag of the attempt, the same at the broker.")
    state: str = Field(description="Waiting: for its next try, or for a person.")
    cause: str = Field(description="Why, as one word: a kind of refusal, NotSent or Unknown.")
    message: str = Field(description="What the broker or the order door said.")
    attempts: int = Field(description="How often it failed.")
    next_try: int = Field(description="When it is tried next: milliseconds by the market's clock; 0: not by itself.")
    time: int = Field(description="When it failed last: milliseconds by the market's clock.")
    wall_time: int = Field(description="When it failed last: milliseconds by the wall clock.")


class OrderQueueOut(BaseModel):
    """The order queue of a strategy."""

    items: list[QueueEntryOut] = Field(description="Entries, the oldest attempt first.")


class ClearIn(Request):
    """What became of the shares of a run that failed."""

    note: Note = Field(description="What became of the shares; kept in the audit log.")
