"""Network policies of a tenant's namespace: nothing passes, but for what is named here.

A runner reaches Redis and its gateways, no more; only a gateway has a way out of the cluster.
"""

from algo_operator.render.metadata import manifest
from algo_operator.render.tenant import TenantInput
from algo_operator.vocabulary import GATEWAY, LABEL_COMPONENT, NETWORK_POLICY, RUNNER, Manifest

_NAMESPACE_NAME = "kubernetes.io/metadata.name"
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")


def render_policies(tenant: TenantInput, *, system_namespace: str, dns_cidrs: tuple[str, ...]) -> list[Manifest]:
    """All policies of the namespace."""
    return [
        _policy(tenant, "default-deny", {}, ingress=[], egress=[]),
        _policy(tenant, "allow-dns", {}, egress=[_dns(dns_cidrs)]),
        _policy(tenant, RUNNER, _component(RUNNER), egress=_runner_egress(system_namespace)),
        _policy(
            tenant,
            GATEWAY,
            _component(GATEWAY),
            ingress=_gateway_ingress(system_namespace),
            egress=_gateway_egress(system_namespace),
        ),
    ]


def _policy(
    tenant: TenantInput,
    name: str,
    selector: Manifest,
    *,
    ingress: list[Manifest] | None = None,
    egress: list[Manifest] | None = None,
) -> Manifest:
    spec: Manifest = {"podSelector": selector, "policyTypes": []}
    for direction, rules in (("Ingress", ingress), ("Egress", egress)):
        if rules is not None:
            spec["policyTypes"].append(direction)
            if rules:
                spec[direction.lower()] = rules
    return manifest(NETWORK_POLICY, name, namespace=tenant.namespace, labels=tenant.labels(), spec=spec)


def _component(name: str) -> Manifest:
    return {"matchLabels": {LABEL_COMPONENT: name}}


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: name}}}


def _ports(*ports: int, protocol: str = "TCP") -> list[Manifest]:
    return [{"port": port, "protocol": protocol} for port in ports]


def _dns(cidrs: tuple[str, ...]) -> Manifest:
    servers = [_namespace("kube-system"), *({"ipBlock": {"cidr": cidr}} for cidr in cidrs)]
    return {"to": servers, "ports": [*_ports(53, protocol="UDP"), *_ports(53)]}


def _redis(system_namespace: str) -> Manifest:
    return {"to": [_namespace(system_namespace)], "ports": _ports(6379)}


def _runner_egress(system_namespace: str) -> list[Manifest]:
    gateways = {"to": [{"podSelector": _component(GATEWAY)}], "ports": _ports(8080)}
    return [_redis(system_namespace), gateways]


def _gateway_ingress(system_namespace: str) -> list[Manifest]:
    sources = [{"podSelector": _component(RUNNER)}, _namespace(system_namespace)]
    return [{"from": sources, "ports": _ports(8080, 8081)}]


def _gateway_egress(system_namespace: str) -> list[Manifest]:
    simulator = {"to": [_namespace(system_namespace)], "ports": _ports(9000, 9010, 9011, 9012, 9013)}
    internet = {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(_PRIVATE)}}
    brokers: Manifest = {"to": [internet], "ports": _ports(443, 3128, 8443)}
    return [_redis(system_namespace), simulator, brokers]
