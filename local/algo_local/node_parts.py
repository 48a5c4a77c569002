"""The components of a node in the order they start: command line, and what must be there first."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from algo_local.components import ApiServerPlan, EtcdPlan, apiserver_arguments, etcd_arguments
from algo_local.instance import API_PORT, Instance
from algo_local.node_config import CONTAINERD_SOCKET
from algo_local.pki import KeyPair, ensure_authority

ETCD_PORT = 2379


@dataclass(frozen=True, slots=True)
class Part:
    """One supervised process; it is started once `ready` holds, again and again if it ends."""

    name: str
    arguments: tuple[str, ...]
    ready: Callable[[], bool]


def _listens(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=0.5):
            return True
    except OSError:
        return False


def _pair(instance: Instance, name: str) -> KeyPair:
    return KeyPair(instance.pki / f"{name}.crt", instance.pki / f"{name}.key")


def apiserver_plan(instance: Instance, binary: Path) -> ApiServerPlan:
    """Describe the instance's API server; its certificates must exist."""
    return ApiServerPlan(
        binary=binary,
        etcd_port=ETCD_PORT,
        address=instance.node_address,
        port=API_PORT,
        service_cidr=instance.service_cidr,
        authority=ensure_authority(instance.pki),
        serving=_pair(instance, "apiserver"),
        service_accounts=KeyPair(instance.pki / "service-accounts.pub", instance.pki / "service-accounts.key"),
        kubelet_client=_pair(instance, "apiserver-kubelet-client"),
    )


def _controllers(instance: Instance, binaries: Mapping[str, Path]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    shared = ("--leader-elect=false", "--bind-address=127.0.0.1", "--kube-api-qps=200", "--kube-api-burst=400")
    manager = (
        str(binaries["kube-controller-manager"]),
        f"--kubeconfig={instance.state / 'kube-controller-manager.kubeconfig'}",
        f"--service-account-private-key-file={instance.pki / 'service-accounts.key'}",
        f"--root-ca-file={instance.pki / 'ca.crt'}",
        "--use-service-account-credentials",
        *shared,
    )
    scheduler = (
        str(binaries["kube-scheduler"]),
        f"--kubeconfig={instance.state / 'kube-scheduler.kubeconfig'}",
        *shared,
    )
    return manager, scheduler


def node_parts(instance: Instance, binaries: Mapping[str, Path]) -> list[Part]:
    """Return all components of the instance."""

    def at_once() -> bool:
        return True

    def etcd_up() -> bool:
        return _listens("127.0.0.1", ETCD_PORT)

    def api_up() -> bool:
        return _listens(instance.node_address, API_PORT)

    def runtime_up() -> bool:
        return Path(CONTAINERD_SOCKET).exists() and api_up()

    etcd = EtcdPlan(binaries["etcd"], instance.state / "etcd", ETCD_PORT, ETCD_PORT + 1)
    manager, scheduler = _controllers(instance, binaries)
    kubelet = (
        str(binaries["kubelet"]),
        f"--config={instance.state / 'kubelet.yaml'}",
        f"--kubeconfig={instance.state / 'kubelet.kubeconfig'}",
        f"--root-dir={instance.state / 'kubelet'}",
        f"--hostname-override={instance.node_name}",
        f"--node-ip={instance.node_address}",
    )
    proxy = (str(binaries["kube-proxy"]), f"--config={instance.state / 'kube-proxy.yaml'}")
    dns = (str(binaries["coredns"]), "-conf", str(instance.state / "Corefile"))
    runtime = ("containerd", "--config", str(instance.state / "containerd.toml"), "--log-level", "warn")
    return [
        Part("etcd", tuple(etcd_arguments(etcd)), at_once),
        Part("containerd", runtime, at_once),
        Part(
            "kube-apiserver", tuple(apiserver_arguments(apiserver_plan(instance, binaries["kube-apiserver"]))), etcd_up
        ),
        Part("kube-controller-manager", manager, api_up),
        Part("kube-scheduler", scheduler, api_up),
        Part("kubelet", kubelet, runtime_up),
        Part("kube-proxy", proxy, api_up),
        Part("coredns", dns, api_up),
    ]
