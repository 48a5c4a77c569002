"""The resources' specs as the operator needs them: small values read from objects that the API server has validated.

Defaults stand in the CRD; they are repeated here only for objects that were stored before a default existed.
"""

from dataclasses import dataclass

from algo_crds.contracts.ids import id_of_resource
from algo_crds.contracts.money import parse_price
from algo_crds.resources.broker_account import session_secret_name

from algo_operator.render.gateway import PAPER
from algo_operator.vocabulary import (
    ANNOTATION_USER,
    DEFAULT_PAPER_ACCOUNT,
    DEFAULT_SOURCE,
    LABEL_TENANT,
    Manifest,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSpec:
    """A Tenant."""

    name: str
    tenant_id: str
    owner: str
    max_strategies: int
    cpu: str
    memory: str
    halt: str | None
    max_loss_per_day: int | None = None
    """In `Price` units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSpec:
    """A BrokerAccount."""

    name: str
    account_id: str
    broker: str
    client_id: str
    environment: str
    session_secret: str
    source: str
    orders_per_second: int
    egress_proxy: str
    registered_address: str
    algo_id: str
    halt: str | None

    @property
    def paper(self) -> bool:
        """Whether it trades paper money."""
        return self.broker == PAPER


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """A MarketDataSource."""

    name: str
    source_id: str
    world: str
    """Empty for a source on a live account's feed."""
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyHead:
    """The parts of a Strategy that decide about its pod; the trading rules are translated elsewhere."""

    name: str
    namespace: str
    strategy_id: str
    account: str
    live: bool
    running: bool
    keep_on_stop: bool
    exchange: str
    symbol: str
    product: str


def tenant_spec(tenant: Manifest) -> TenantSpec:
    """Reads a Tenant."""
    spec, metadata = tenant["spec"], tenant["metadata"]
    quota = spec.get("quota", {})
    max_loss = (spec.get("risk") or {}).get("maxLossPerDay")
    return TenantSpec(
        name=metadata["name"],
        tenant_id=id_of_resource("tnt", metadata["name"], metadata["uid"]),
        owner=spec.get("owner", ""),
        max_strategies=int(quota.get("maxStrategies", 20)),
        cpu=str(quota.get("cpu", "4")),
        memory=str(quota.get("memory", "4Gi")),
        halt=halt_reason(tenant),
        max_loss_per_day=None if max_loss is None else parse_price(str(max_loss)),
    )


def account_spec(account: Manifest) -> AccountSpec:
    """Reads a BrokerAccount."""
    spec, metadata = account["spec"], account["metadata"]
    name = metadata["name"]
    egress = spec.get("egress", {})
    return AccountSpec(
        name=name,
        account_id=id_of_resource("brk", name, metadata["uid"]),
        broker=spec["broker"],
        client_id=spec.get("clientId", ""),
        environment=spec.get("environment", "Production"),
        session_secret=session_secret_name(name, spec),
        source=spec.get("marketDataSourceRef", {}).get("name") or DEFAULT_SOURCE,
        orders_per_second=int(spec.get("limits", {}).get("ordersPerSecond", 8)),
        egress_proxy=egress.get("proxyUrl", ""),
        registered_address=egress.get("registeredAddress", ""),
        algo_id=spec.get("algoId", ""),
        halt=halt_reason(account),
    )


def source_spec(source: Manifest) -> SourceSpec:
    """Reads a MarketDataSource."""
    spec, metadata = source["spec"], source["metadata"]
    world = (spec.get("replay") or spec.get("synthetic") or {}).get("world", "")
    account = (spec.get("broker") or {}).get("accountRef", "")
    return SourceSpec(
        name=metadata["name"],
        source_id=id_of_resource("src", metadata["name"], metadata["uid"]),
        world=world,
        account=account["name"] if isinstance(account, dict) else account,
    )


def strategy_head(strategy: Manifest) -> StrategyHead:
    """Reads a Strategy."""
    spec, metadata = strategy["spec"], strategy["metadata"]
    account = spec.get("brokerAccountRef") or DEFAULT_PAPER_ACCOUNT
    return StrategyHead(
        name=metadata["name"],
        namespace=metadata["namespace"],
        strategy_id=id_of_resource("str", metadata["name"], metadata["uid"]),
        account=account["name"] if isinstance(account, dict) else account,
        live=spec.get("mode", "Paper") == "Live",
        running=spec.get("desiredState", "Running") == "Running",
        keep_on_stop=spec.get("onStop", "ExitPosition") == "KeepProtected",
        exchange=spec.get("exchange", "NSE"),
        symbol=spec["symbol"],
        product=spec.get("product", "Intraday"),
    )


def halt_reason(resource: Manifest) -> str | None:
    """Why a tenant or account is halted; None when it is not. A halt without a reason is a halt."""
    halt = resource["spec"].get("halt")
    return None if halt is None else str(halt.get("reason") or "no reason given")


def tenant_of_namespace(namespace: Manifest | None) -> str | None:
    """Name of the Tenant that a namespace belongs to; None for a namespace that is none's."""
    labels: Manifest = (namespace or {}).get("metadata", {}).get("labels", {})
    name = labels.get(LABEL_TENANT)
    return name if isinstance(name, str) else None


def owner_of(resource: Manifest, tenant: TenantSpec) -> str:
    """The user a resource belongs to: its annotation, else the tenant's owner."""
    annotated = resource["metadata"].get("annotations", {}).get(ANNOTATION_USER)
    return str(annotated) if annotated else tenant.owner
