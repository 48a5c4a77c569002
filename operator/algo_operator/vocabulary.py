"""Names that the operator writes into the cluster: kinds, labels, annotations, finalizer, conditions.

They are an interface (people select by them, the API and the chart read them), so they stand in one place.
"""

from dataclasses import dataclass
from typing import Any, Final

from algo_crds.resources.metadata import (
    ABANDON_ANNOTATION,
    API_VERSION,
    FORCE_SELL_ANNOTATION,
    GROUP,
    TENANT_LABEL,
    USER_ANNOTATION,
)

Manifest = dict[str, Any]
"""A Kubernetes object as JSON: the one untyped value of the operator, read through `observed` and typed models."""

FINALIZER: Final = f"{GROUP}/cleanup"
FOREGROUND_FINALIZER: Final = "foregroundDeletion"

MANAGER: Final = "algo-operator"
"""Field manager of children."""
STATUS_MANAGER: Final = "algo-operator-status"
"""Field manager of `.status`; fixed, so that a restarted operator owns what its predecessor wrote."""

LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_TENANT: Final = TENANT_LABEL
LABEL_STRATEGY: Final = "algo.trading/strategy"
LABEL_ACCOUNT: Final = "algo.trading/account"
MANAGED_SELECTOR: Final = f"{LABEL_MANAGED_BY}={MANAGER}"

ANNOTATION_USER: Final = USER_ANNOTATION
ANNOTATION_ABANDON: Final = ABANDON_ANNOTATION
ANNOTATION_FORCE_SELL: Final = FORCE_SELL_ANNOTATION
ANNOTATION_APPLIED: Final = "algo.trading/applied"
"""Digest of the manifest last applied: tells that a field was dropped from it, which comparing values cannot."""
ANNOTATION_TEMPLATE: Final = "algo.trading/template"
"""Digest of what a pod was made from: another digest means the pod is out of date."""
ANNOTATION_EPOCH: Final = "algo.trading/epoch"

RUNNER: Final = "runner"
GATEWAY: Final = "gateway"


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A kind of object and where the API server keeps it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True


TENANT: Final = Kind(API_VERSION, "Tenant", "tenants", namespaced=False)
BROKER_ACCOUNT: Final = Kind(API_VERSION, "BrokerAccount", "brokeraccounts")
MARKET_DATA_SOURCE: Final = Kind(API_VERSION, "MarketDataSource", "marketdatasources")
STRATEGY: Final = Kind(API_VERSION, "Strategy", "strategies")
OWN_KINDS: Final = (TENANT, MARKET_DATA_SOURCE, BROKER_ACCOUNT, STRATEGY)

NAMESPACE: Final = Kind("v1", "Namespace", "namespaces", namespaced=False)
NODE: Final = Kind("v1", "Node", "nodes", namespaced=False)
POD: Final = Kind("v1", "Pod", "pods")
SECRET: Final = Kind("v1", "Secret", "secrets")
CONFIG_MAP: Final = Kind("v1", "ConfigMap", "configmaps")
SERVICE: Final = Kind("v1", "Service", "services")
RESOURCE_QUOTA: Final = Kind("v1", "ResourceQuota", "resourcequotas")
LIMIT_RANGE: Final = Kind("v1", "LimitRange", "limitranges")
NETWORK_POLICY: Final = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
ROLE: Final = Kind("rbac.authorization.k8s.io/v1", "Role", "roles")
ROLE_BINDING: Final = Kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings")
LEASE: Final = Kind("coordination.k8s.io/v1", "Lease", "leases")
EVENT: Final = Kind("v1", "Event", "events")

_KINDS: Final = {
    (kind.api_version, kind.kind): kind
    for kind in (
        *OWN_KINDS, NAMESPACE, NODE, POD, SECRET, CONFIG_MAP, SERVICE, RESOURCE_QUOTA, LIMIT_RANGE,
        NETWORK_POLICY, ROLE, ROLE_BINDING, LEASE, EVENT,
    )
}  # fmt: skip


def kind_of(manifest: Manifest) -> Kind:
    """The kind of a manifest that this operator renders.

    Raises:
        KeyError: a kind that the operator does not handle.
    """
    return _KINDS[manifest["apiVersion"], manifest["kind"]]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Names one object of ours; what the work queue holds."""

    kind: Kind
    namespace: str
    """Empty for a cluster-scoped object."""
    name: str

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"


def runner_name(strategy: str) -> str:
    """Pod and Secret of a strategy."""
    return f"run-{strategy}"


def gateway_name(account: str) -> str:
    """Pod, Service and Secret of a broker account."""
    return f"gw-{account}"


def watched_name(account: str) -> str:
    """A person's own ConfigMap of symbols whose prices are copied though nobody trades them; it need not exist."""
    return f"{gateway_name(account)}-watched"


OPERATOR_KEY: Final = "algo-operator-key"
"""ConfigMap in each tenant namespace with the public key under `operator.pub`."""
DEFAULT_PAPER_ACCOUNT: Final = "paper"
DEFAULT_SOURCE: Final = "default"
