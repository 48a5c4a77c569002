"""BrokerAccount: one account at one broker, and the one door through which its orders leave."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AwareDatetime, Field

from algo_crds.resources.conditions import Conditions
from algo_crds.resources.metadata import Resource, short_name
from algo_crds.resources.rules import Checked, Rule, SpecPart, StatusPart, TransitionRule
from algo_crds.resources.values import Halt, ObjectRef, Text, Word


class Broker(StrEnum):
    """Brokers that this platform can trade with, and the practice account."""

    PAPER = "paper"
    ZERODHA = "zerodha"
    DHAN = "dhan"
    FYERS = "fyers"
    ANGELONE = "angelone"


class Environment(StrEnum):
    """Whether the broker is the real one."""

    PRODUCTION = "Production"
    SIMULATOR = "Simulator"


MAX_ORDERS_PER_SECOND: Final = 9
"""Below the 10 a second from which an exchange demands a registered algorithm."""

OrdersPerSecond = Annotated[
    int,
    Checked(
        {"type": "integer", "format": "int64"},
        Rule(
            cel=f"self >= 1 && self <= {MAX_ORDERS_PER_SECOND}",
            message="ordersPerSecond must be from 1 to 9: at 10 a second the exchange demands a registered algorithm",
            holds=lambda value: 1 <= value <= MAX_ORDERS_PER_SECOND,
        ),
    ),
]


class Egress(SpecPart):
    """How orders leave for the broker: regulators want them to come from one registered address."""

    proxy_url: Annotated[str, Field(max_length=256, pattern="^https?://[^/@]+(/.*)?$")] | None = Field(
        default=None,
        description="HTTP proxy with the registered address, without user or password, on port 443, 3128 or 8443 of "
        "a public address: network policies let a gateway reach no other. None: the cluster's NAT.",
    )
    registered_address: Annotated[str, Field(max_length=45)] | None = Field(
        default=None,
        description="IP address that is registered with the broker; status shows the one in use beside it.",
    )


class AccountLimits(SpecPart):
    """Limits shared by all strategies of the account."""

    orders_per_second: OrdersPerSecond = Field(
        default=8, description="Orders a second to this broker, of all strategies together."
    )


class BrokerAccountSpec(SpecPart):
    """Which account, and how it is reached."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.broker != 'paper' || has(self.marketDataSourceRef)",
            message="a paper account needs marketDataSourceRef: it has no broker to get prices from",
            holds=lambda spec: spec.broker != Broker.PAPER or spec.market_data_source_ref is not None,
        ),
        Rule(
            cel="self.broker == 'paper' || !has(self.marketDataSourceRef)",
            message="only a paper account has marketDataSourceRef: a broker account is its own source of prices",
            holds=lambda spec: spec.broker == Broker.PAPER or spec.market_data_source_ref is None,
        ),
        Rule(
            cel="self.broker == 'paper' || has(self.clientId)",
            message="clientId is required: the client id (user id) of the account at its broker",
            holds=lambda spec: spec.broker == Broker.PAPER or spec.client_id is not None,
        ),
    )

    broker: Broker = Field(description="The broker, or paper for an account with practice money.")
    client_id: Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9_.-]+$")] | None = Field(
        default=None, description="Client id of the account at its broker; not needed for paper."
    )
    environment: Environment = Field(
        default=Environment.PRODUCTION,
        description="Production is the real broker; Simulator is the platform's own market, where the chart has one.",
    )
    session_secret_ref: ObjectRef | None = Field(
        default=None,
        description="Secret with the login session (key session.json); `<name of the account>-session` if not given.",
    )
    market_data_source_ref: ObjectRef | None = Field(
        default=None, description="The MarketDataSource that a paper account trades against; for paper only."
    )
    egress: Egress | None = Field(default=None, description="How orders leave for the broker.")
    limits: AccountLimits = Field(
        default=AccountLimits(), description="Limits shared by all strategies of the account."
    )
    algo_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="The exchange's registration number of the algorithm, where there is one."
    )
    halt: Halt | None = Field(
        default=None,
        description="Kill switch of the account: no entry, positions are closed, until a person removes this field.",
    )


class Breaker(StrEnum):
    """State of the circuit breaker before the broker."""

    CLOSED = "Closed"
    OPEN = "Open"
    HALF_OPEN = "HalfOpen"


class GatewayStatus(StatusPart):
    """The process that talks to the broker."""

    pod: Annotated[str, Field(max_length=253)] | None = Field(default=None, description="Name of the gateway's pod.")


class BrokerAccountStatus(StatusPart):
    """State of the account; written by the operator only."""

    conditions: Conditions = Field(default=(), description="Ready, BrokerSession, FeedFresh, EgressAddress, Deleting.")
    account_id: Word | None = Field(default=None, description="The platform's id of the account (brk_...).")
    observed_generation: int | None = Field(default=None, ge=0, description="Generation of the spec in force.")
    simulated: bool | None = Field(default=None, description="True: no real money can move.")
    session_valid_until: AwareDatetime | None = Field(default=None, description="When the broker's session ends.")
    feed_connected: bool | None = Field(default=None, description="Whether market data is connected.")
    breaker: Breaker | None = Field(default=None, description="State of the circuit breaker: Closed lets entries pass.")
    egress_address: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="The address that order calls leave from, as an outside service sees it."
    )
    orders_today: int | None = Field(default=None, ge=0, description="Orders sent today.")
    halted: bool | None = Field(default=None, description="Whether a halt of the account or its tenant is in force.")
    message: Text | None = Field(default=None, description="What a person should know or do next.")
    gateway: GatewayStatus | None = Field(default=None, description="The process that talks to the broker.")


class BrokerAccount(Resource):
    """An account at a broker; its gateway alone holds the session and sends orders."""

    rules: ClassVar[tuple[Rule, ...]] = (short_name(55, "the pod and service gw-<name>"),)
    transitions: ClassVar[tuple[TransitionRule, ...]] = (
        TransitionRule(
            cel="self.spec.broker == oldSelf.spec.broker",
            message="broker cannot change; make another BrokerAccount",
            holds=lambda old, new: old.spec.broker == new.spec.broker,
        ),
        TransitionRule(
            cel=(
                "!has(oldSelf.spec.clientId) || "
                "(has(self.spec.clientId) && self.spec.clientId == oldSelf.spec.clientId)"
            ),
            message="clientId cannot change; make another BrokerAccount",
            holds=lambda old, new: old.spec.client_id is None or old.spec.client_id == new.spec.client_id,
        ),
        TransitionRule(
            cel="self.spec.environment == oldSelf.spec.environment",
            message="environment cannot change; make another BrokerAccount",
            holds=lambda old, new: old.spec.environment == new.spec.environment,
        ),
    )

    api_version: Literal["algo.trading/v1alpha1"] = Field(default="algo.trading/v1alpha1", description="API version.")
    kind: Literal["BrokerAccount"] = Field(default="BrokerAccount", description="Kind.")
    spec: BrokerAccountSpec = Field(description="Which account, and how it is reached.")
    status: BrokerAccountStatus | None = Field(
        default=None, description="State of the account; the operator writes it."
    )


def session_secret_name(account: str, spec: Mapping[str, Any]) -> str:
    """Name of the Secret that holds an account's session; `spec` as the API server has it."""
    named = (spec.get("sessionSecretRef") or {}).get("name")
    return str(named or f"{account}-session")
