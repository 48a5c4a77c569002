"""The kinds that the platform touches, as data, and their paths in the API."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

ALGO_GROUP: Final = "algo.trading"


@dataclass(frozen=True, slots=True)
class Resource:
    """Group, version, plural and kind. An empty group is the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As in a manifest."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """Path below the server's address; without a namespace the collection of the whole cluster.

        Raises:
            ValueError: one object of a namespaced kind without its namespace.
        """
        parts = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", quote(namespace, safe="")]
        elif self.namespaced and name:
            raise ValueError(f"{self.kind} {name!r} needs a namespace")
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=""))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


STRATEGY: Final = Resource(ALGO_GROUP, "v1alpha1", "strategies", "Strategy")
BROKER_ACCOUNT: Final = Resource(ALGO_GROUP, "v1alpha1", "brokeraccounts", "BrokerAccount")
MARKET_DATA_SOURCE: Final = Resource(ALGO_GROUP, "v1alpha1", "marketdatasources", "MarketDataSource")
TENANT: Final = Resource(ALGO_GROUP, "v1alpha1", "tenants", "Tenant", namespaced=False)

NAMESPACE: Final = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
NODE: Final = Resource("", "v1", "nodes", "Node", namespaced=False)
POD: Final = Resource("", "v1", "pods", "Pod")
SERVICE: Final = Resource("", "v1", "services", "Service")
SECRET: Final = Resource("", "v1", "secrets", "Secret")
CONFIG_MAP: Final = Resource("", "v1", "configmaps", "ConfigMap")
SERVICE_ACCOUNT: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
RESOURCE_QUOTA: Final = Resource("", "v1", "resourcequotas", "ResourceQuota")
LIMIT_RANGE: Final = Resource("", "v1", "limitranges", "LimitRange")
EVENT: Final = Resource("events.k8s.io", "v1", "events", "Event")
CORE_EVENT: Final = Resource("", "v1", "events", "Event")
LEASE: Final = Resource("coordination.k8s.io", "v1", "leases", "Lease")
NETWORK_POLICY: Final = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
ROLE: Final = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDING: Final = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLE: Final = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
CRD: Final = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)

ALL: Final = tuple(value for value in list(globals().values()) if isinstance(value, Resource))
