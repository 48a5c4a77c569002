"""Conditions of `.status`: what holds, since when and why, in the form that `kubectl wait` understands."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from algo_crds.resources.rules import StatusPart
from algo_crds.resources.values import Text, Word

READY: Final = "Ready"
"""The pod runs, has reconciled with the broker's book and is subscribed."""
PROTECTED: Final = "Protected"
"""A stop for all that is held is confirmed at the broker and the software watch is armed."""
FEED_FRESH: Final = "FeedFresh"
"""The last tick of the symbol is young enough to trade on."""
BROKER_SESSION: Final = "BrokerSession"
"""The broker account is logged in."""
EGRESS_ADDRESS: Final = "EgressAddress"
"""Orders of the account leave from the address that is registered with the broker."""
DELETING: Final = "Deleting"
"""The resource is being deleted and waits to be flat."""


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(StatusPart):
    """One observed fact about the resource."""

    type: Word = Field(
        description="What the condition is about: Ready, Protected, FeedFresh, BrokerSession, EgressAddress, Deleting."
    )
    status: ConditionStatus = Field(description="True, False or Unknown.")
    reason: Word = Field(description="Why, as one word in PascalCase.")
    message: Text = Field(default="", description="Why, as a sentence.")
    last_transition_time: AwareDatetime = Field(
        description="When the status last changed, by the clock of the strategy's market (a replay has its own)."
    )
    observed_generation: int | None = Field(
        default=None, ge=0, description="Generation of the spec that this is about."
    )


Conditions = Annotated[
    tuple[Condition, ...],
    Field(
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]
