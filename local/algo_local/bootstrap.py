"""What a fresh cluster needs before its first component starts (keys, kubeconfigs, files) and after (RBAC, storage)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from algo_local.instance import STORAGE_CLASS, Instance
from algo_local.node_config import cni_config, containerd_config, kubelet_config
from algo_local.pki import ensure_authority, ensure_certificate, ensure_signing_key, write_kubeconfig

# The user that every image of this project runs as; the folders below belong to it.
CONTAINER_USER = 10001
VOLUMES = 4
VOLUME_SIZE = "10Gi"

_CLIENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "kube-controller-manager": ("system:kube-controller-manager", ()),
    "kube-scheduler": ("system:kube-scheduler", ()),
    "kube-proxy": ("system:kube-proxy", ()),
    "coredns": ("algo:coredns", ()),
    "apiserver-kubelet-client": ("algo:apiserver-kubelet-client", ()),
}


def write_files(instance: Instance, binaries: Mapping[str, Path]) -> None:
    """Write keys, kubeconfigs and configuration; keys that exist are kept, the rest is written anew."""
    pki = instance.pki
    authority = ensure_authority(pki)
    names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    hosts = [*names, "kubernetes.default.svc.cluster.local", "127.0.0.1"]
    hosts += [instance.node_address, instance.first_service_address]
    ensure_certificate(authority, pki, "apiserver", "kube-apiserver", hosts=hosts)
    ensure_signing_key(pki, "service-accounts")
    node = f"system:node:{instance.node_name}"
    kubelet_hosts = [instance.node_name, instance.node_address]
    kubelet = ensure_certificate(authority, pki, "kubelet", node, ("system:nodes",), kubelet_hosts)
    write_kubeconfig(instance.state / "kubelet.kubeconfig", instance.api_url, authority, kubelet)
    for name, (user, groups) in _CLIENTS.items():
        pair = ensure_certificate(authority, pki, name, user, groups)
        write_kubeconfig(instance.state / f"{name}.kubeconfig", instance.api_url, authority, pair)
    admin = ensure_certificate(authority, pki, "admin", "algo:admin", ("system:masters",))
    write_kubeconfig(instance.kubeconfig, instance.api_url, authority, admin)
    instance.logs.mkdir(exist_ok=True)
    (instance.state / "cni").mkdir(exist_ok=True)
    (instance.state / "cni" / "10-algo.conflist").write_text(cni_config(instance))
    (instance.state / "containerd.toml").write_text(containerd_config(instance))
    (instance.state / "kubelet.yaml").write_text(kubelet_config(instance, instance.state / "resolv.conf"))
    (instance.state / "binaries.json").write_text(json.dumps({name: str(path) for name, path in binaries.items()}))
    for folder in _volume_folders(instance):
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid != CONTAINER_USER:
            os.chown(folder, CONTAINER_USER, CONTAINER_USER)
            folder.chmod(0o700)


def _volume_folders(instance: Instance) -> list[Path]:
    return [instance.state / "volumes" / f"volume-{number}" for number in range(VOLUMES)]


def _role(name: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    }


def _binding(name: str, role: str, user: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }


def _volume(folder: Path) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"algo-local-{folder.name}"},
        "spec": {
            "capacity": {"storage": VOLUME_SIZE},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": STORAGE_CLASS,
            "hostPath": {"path": str(folder), "type": "Directory"},
        },
    }


def first_objects(instance: Instance) -> dict[str, Any]:
    """Return the List of objects that the cluster's own parts need: RBAC of CoreDNS and API server, storage."""
    read = ["list", "watch"]
    dns_rules: list[dict[str, Any]] = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": read},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": read},
    ]
    storage = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "Immediate",
    }
    items = [
        _role("algo:coredns", dns_rules),
        _binding("algo:coredns", "algo:coredns", "algo:coredns"),
        _binding("algo:kubelet-api", "system:kubelet-api-admin", "algo:apiserver-kubelet-client"),
        storage,
        *(_volume(folder) for folder in _volume_folders(instance)),
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}
