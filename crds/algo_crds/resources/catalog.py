"""The four kinds and how kubectl names and prints them."""

from dataclasses import dataclass
from typing import Final

from algo_crds.resources.broker_account import BrokerAccount
from algo_crds.resources.conditions import BROKER_SESSION, EGRESS_ADDRESS, PROTECTED, READY
from algo_crds.resources.market_data_source import MarketDataSource
from algo_crds.resources.metadata import Resource
from algo_crds.resources.strategy import Strategy
from algo_crds.resources.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of `kubectl get`; priority 1 shows with `-o wide` only."""

    name: str
    path: str
    description: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of the group."""

    model: type[Resource]
    plural: str
    short: str
    namespaced: bool
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        """The kind's name."""
        return self.model.__name__


def _condition(kind: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].status'


_AGE: Final = Column(
    name="Age", path=".metadata.creationTimestamp", type="date", description="Time since the resource was made."
)

STRATEGY: Final = Kind(
    model=Strategy,
    plural="strategies",
    short="strat",
    namespaced=True,
    columns=(
        Column(name="Phase", path=".status.phase", description="Waiting, Bought, Sold, Stopped or Failed."),
        Column(name="Symbol", path=".spec.symbol", description="What is traded."),
        Column(name="Qty", path=".spec.quantity", type="integer", description="How many are traded."),
        Column(name="Stop", path=".status.stopPrice", type="number", description="Where the stop stands, in rupees."),
        Column(name="Last", path=".status.lastPrice", type="number", description="Last price in rupees."),
        Column(name="P&L", path=".status.pnl", type="number", description="Profit or loss of the day in rupees."),
        Column(
            name="Protected",
            path=_condition(PROTECTED),
            description="Whether the whole position has its stop at the broker.",
        ),
        Column(name="Mode", path=".spec.mode", description="Paper or Live."),
        _AGE,
        Column(name="Account", path=".spec.brokerAccountRef.name", priority=1, description="The broker account."),
        Column(name="Reason", path=".status.reason", priority=1, description="Why this phase."),
        Column(
            name="Epoch", path=".status.runner.epoch", type="integer", priority=1, description="Number of the runner."
        ),
    ),
)
BROKER_ACCOUNT: Final = Kind(
    model=BrokerAccount,
    plural="brokeraccounts",
    short="brk",
    namespaced=True,
    columns=(
        Column(name="Broker", path=".spec.broker", description="The broker."),
        Column(name="Client", path=".spec.clientId", description="Client id at the broker."),
        Column(name="Environment", path=".spec.environment", description="Production or Simulator."),
        Column(name="Session", path=_condition(BROKER_SESSION), description="Whether the account is logged in."),
        Column(
            name="Feed", path=".status.feedConnected", type="boolean", description="Whether market data is connected."
        ),
        Column(name="Breaker", path=".status.breaker", description="State of the circuit breaker."),
        Column(name="Halted", path=".status.halted", type="boolean", description="Whether trading is halted."),
        _AGE,
        Column(
            name="Address", path=".status.egressAddress", priority=1, description="The address that orders leave from."
        ),
        Column(
            name="Registered",
            path=_condition(EGRESS_ADDRESS),
            priority=1,
            description="Whether that is the registered address.",
        ),
        Column(
            name="Valid until",
            path=".status.sessionValidUntil",
            type="date",
            priority=1,
            description="When the session ends.",
        ),
    ),
)
MARKET_DATA_SOURCE: Final = Kind(
    model=MarketDataSource,
    plural="marketdatasources",
    short="src",
    namespaced=True,
    columns=(
        Column(name="Ready", path=_condition(READY), description="Whether the source can be used."),
        Column(name="Account", path=".spec.broker.accountRef.name", description="The account whose feed is used."),
        Column(name="Replay", path=".spec.replay.world", description="World that replays a recorded session."),
        Column(name="Synthetic", path=".spec.synthetic.world", description="World with a made-up session."),
        _AGE,
    ),
)
TENANT: Final = Kind(
    model=Tenant,
    plural="tenants",
    short="tnt",
    namespaced=False,
    columns=(
        Column(name="Name for people", path=".spec.displayName", description="Name for people."),
        Column(name="Ready", path=_condition(READY), description="Whether the namespace is set up."),
        Column(name="Namespace", path=".status.namespace", description="Namespace of the tenant."),
        Column(name="Strategies", path=".status.strategies", type="integer", description="How many strategies exist."),
        Column(name="Halted", path=".status.halted", type="boolean", description="Whether the kill switch is on."),
        _AGE,
        Column(name="Owner", path=".spec.owner", priority=1, description="The user who owns the tenant."),
    ),
)

KINDS: Final = (STRATEGY, BROKER_ACCOUNT, MARKET_DATA_SOURCE, TENANT)
