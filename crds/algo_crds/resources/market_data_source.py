"""MarketDataSource: where a paper account gets its prices from."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from algo_crds.resources.conditions import Conditions
from algo_crds.resources.metadata import Resource
from algo_crds.resources.rules import Checked, Rule, SpecPart, StatusPart
from algo_crds.resources.values import Name, ObjectRef, Text, Word, exactly_one, type_number

Speed = Annotated[
    Decimal,
    type_number,
    Checked(
        {"type": "number"},
        Rule(
            cel="self >= 0.0 && self <= 100000.0",
            message="speed must be from 0 (as fast as everyone can follow) to 100000",
            holds=lambda value: 0 <= value <= 100_000,
        ),
    ),
]


class BrokerFeed(SpecPart):
    """Prices of a broker account's own feed."""

    account_ref: ObjectRef = Field(description="The BrokerAccount whose feed is used.")


class Replay(SpecPart):
    """A recorded session, replayed by the simulator in lockstep with those who trade on it."""

    world: Name = Field(description="Name of the simulator's world.")
    speed: Speed | None = Field(
        default=None, description="Upper bound of session seconds a second; 0 is as fast as everyone can follow."
    )


class Synthetic(SpecPart):
    """A made-up session, the same for the same seed."""

    world: Name = Field(description="Name of the simulator's world.")
    seed: int | None = Field(default=None, ge=0, le=2**53 - 1, description="Seed of the made-up prices.")


class MarketDataSourceSpec(SpecPart):
    """Exactly one of broker, replay, synthetic."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("broker", "replay", "synthetic", what="a market data source"),)

    broker: BrokerFeed | None = Field(default=None, description="Prices of a broker account's own feed.")
    replay: Replay | None = Field(default=None, description="A recorded session.")
    synthetic: Synthetic | None = Field(default=None, description="A made-up session.")


class MarketDataSourceStatus(StatusPart):
    """State of the source; written by the operator only."""

    conditions: Conditions = Field(default=(), description="Ready: the source can be used.")
    source_id: Word | None = Field(default=None, description="The platform's id of the source (src_... or brk_...).")
    observed_generation: int | None = Field(default=None, ge=0, description="Generation of the spec in force.")
    message: Text | None = Field(default=None, description="What a person should know or do next.")


class MarketDataSource(Resource):
    """Where prices come from: a broker's feed, a recorded session or a synthetic one."""

    api_version: Literal["algo.trading/v1alpha1"] = Field(default="algo.trading/v1alpha1", description="API version.")
    kind: Literal["MarketDataSource"] = Field(default="MarketDataSource", description="Kind.")
    spec: MarketDataSourceSpec = Field(description="Where prices come from.")
    status: MarketDataSourceStatus | None = Field(
        default=None, description="State of the source; the operator writes it."
    )
