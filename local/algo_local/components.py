"""Command lines of etcd and kube-apiserver, shared by the full cluster and the API server that tests start.

Pure functions from a description to arguments, so that the tests can read what will run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from algo_local.pki import Authority, KeyPair


@dataclass(frozen=True, slots=True)
class EtcdPlan:
    """Where etcd listens and keeps its data; `durable=False` skips fsync, for servers thrown away after a test."""

    binary: Path
    data: Path
    client_port: int
    peer_port: int
    durable: bool = True


@dataclass(frozen=True, slots=True)
class ApiServerPlan:
    """What a kube-apiserver needs to know. `token_file` and `kubelet_client` are optional."""

    binary: Path
    etcd_port: int
    address: str
    port: int
    service_cidr: str
    authority: Authority
    serving: KeyPair
    service_accounts: KeyPair
    kubelet_client: KeyPair | None = None
    token_file: Path | None = None
    disabled_admission: tuple[str, ...] = ()


def etcd_arguments(plan: EtcdPlan) -> list[str]:
    """Return the command of a single etcd that only this machine's loopback reaches."""
    client = f"http://127.0.0.1:{plan.client_port}"
    peer = f"http://127.0.0.1:{plan.peer_port}"
    arguments = [
        str(plan.binary),
        "--name=local",
        f"--data-dir={plan.data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=local={peer}",
        # A slow shared disk must not make a single member restless; there is nobody to elect but itself.
        "--heartbeat-interval=500",
        "--election-timeout=5000",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=10m",
        "--log-level=warn",
    ]
    return arguments if plan.durable else [*arguments, "--unsafe-no-fsync"]


def apiserver_arguments(plan: ApiServerPlan) -> list[str]:
    """Return the command of a kube-apiserver with Node and RBAC authorization and NodeRestriction."""
    arguments = [
        str(plan.binary),
        f"--etcd-servers=http://127.0.0.1:{plan.etcd_port}",
        f"--bind-address={plan.address}",
        f"--advertise-address={plan.address}",
        f"--secure-port={plan.port}",
        f"--service-cluster-ip-range={plan.service_cidr}",
        f"--tls-cert-file={plan.serving.certificate}",
        f"--tls-private-key-file={plan.serving.key}",
        f"--client-ca-file={plan.authority.pair.certificate}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={plan.service_accounts.certificate}",
        f"--service-account-signing-key-file={plan.service_accounts.key}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged",
        "--profiling=false",
    ]
    if plan.kubelet_client is not None:
        arguments += [
            f"--kubelet-certificate-authority={plan.authority.pair.certificate}",
            f"--kubelet-client-certificate={plan.kubelet_client.certificate}",
            f"--kubelet-client-key={plan.kubelet_client.key}",
            "--kubelet-preferred-address-types=InternalIP",
        ]
    if plan.token_file is not None:
        arguments.append(f"--token-auth-file={plan.token_file}")
    if plan.disabled_admission:
        arguments.append(f"--disable-admission-plugins={','.join(plan.disabled_admission)}")
    return arguments
