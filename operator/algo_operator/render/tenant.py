"""A tenant's namespace and what bounds it: quota, defaults, bindings, the operator's public key, first resources."""

from dataclasses import dataclass

from algo_crds.resources.tenant import tenant_namespace

from algo_operator.render.metadata import labels, manifest
from algo_operator.settings import TenancySettings
from algo_operator.vocabulary import (
    ANNOTATION_USER,
    BROKER_ACCOUNT,
    CONFIG_MAP,
    DEFAULT_PAPER_ACCOUNT,
    DEFAULT_SOURCE,
    LIMIT_RANGE,
    MARKET_DATA_SOURCE,
    NAMESPACE,
    OPERATOR_KEY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    Manifest,
)

_COMPONENT = "tenant"
_PODS_BESIDE_STRATEGIES = 20
"""Gateways, and pods that still end while their successor starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantInput:
    """All that a tenant's objects are made of."""

    name: str
    owner: str
    max_strategies: int
    cpu: str
    memory: str

    @property
    def namespace(self) -> str:
        """The tenant's namespace."""
        return tenant_namespace(self.name)

    def labels(self) -> dict[str, str]:
        """Labels of every object of the tenant."""
        return labels(tenant=self.name, component=_COMPONENT)


def render_namespace(tenant: TenantInput) -> Manifest:
    """The namespace. It has no owner reference: the garbage collector must not delete it before its strategies are
    flat."""
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return manifest(NAMESPACE, tenant.namespace, labels={**tenant.labels(), **security})


def render_quota(tenant: TenantInput) -> Manifest:
    """How much the tenant may run. The count of strategies is the tenant's own limit; pods leave room for gateways."""
    hard = {
        "count/strategies.algo.trading": str(tenant.max_strategies),
        "pods": str(tenant.max_strategies + _PODS_BESIDE_STRATEGIES),
        "requests.cpu": tenant.cpu,
        "requests.memory": tenant.memory,
    }
    return manifest(RESOURCE_QUOTA, "tenant", namespace=tenant.namespace, labels=tenant.labels(), spec={"hard": hard})


def render_limit_range(tenant: TenantInput) -> Manifest:
    """Requests for a container that names none, without which the quota would refuse it."""
    limit = {
        "type": "Container",
        "default": {"memory": "256Mi"},
        "defaultRequest": {"cpu": "20m", "memory": "64Mi"},
    }
    return manifest(LIMIT_RANGE, "tenant", namespace=tenant.namespace, labels=tenant.labels(), spec={"limits": [limit]})


def render_key(tenant: TenantInput, public_key: str) -> Manifest:
    """The operator's public key (PEM): gateways check tokens with it."""
    return manifest(
        CONFIG_MAP,
        OPERATOR_KEY,
        namespace=tenant.namespace,
        labels=tenant.labels(),
        data={"operator.pub": public_key},
    )


def render_bindings(tenant: TenantInput, tenancy: TenancySettings, system_namespace: str) -> list[Manifest]:
    """Binds the chart's ClusterRoles to API and operator in this namespace only."""
    wanted = (
        ("algo-api", tenancy.api_cluster_role, tenancy.api_service_account),
        ("algo-operator", tenancy.operator_cluster_role, tenancy.operator_service_account),
    )
    return [
        manifest(
            ROLE_BINDING,
            name,
            namespace=tenant.namespace,
            labels=tenant.labels(),
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            subjects=[{"kind": "ServiceAccount", "name": account, "namespace": system_namespace}],
        )
        for name, role, account in wanted
        if role
    ]


def render_first_source(tenant: TenantInput) -> Manifest:
    """The market-data source of the paper account: a synthetic world of the tenant's own, so that nobody waits for a
    stranger's participants."""
    return manifest(
        MARKET_DATA_SOURCE,
        DEFAULT_SOURCE,
        namespace=tenant.namespace,
        labels=tenant.labels(),
        annotations={ANNOTATION_USER: tenant.owner},
        spec={"synthetic": {"world": tenant.name, "seed": 1}},
    )


def render_paper_account(tenant: TenantInput) -> Manifest:
    """The paper account that strategies without `brokerAccountRef` use."""
    return manifest(
        BROKER_ACCOUNT,
        DEFAULT_PAPER_ACCOUNT,
        namespace=tenant.namespace,
        labels=tenant.labels(),
        annotations={ANNOTATION_USER: tenant.owner},
        spec={
            "broker": "paper",
            "clientId": tenant.name,
            "environment": "Simulator",
            "marketDataSourceRef": {"name": DEFAULT_SOURCE},
        },
    )
