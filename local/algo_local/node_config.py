"""Configuration files of the node's components, rendered from an instance; pure, so that tests can read them.

Each odd-looking setting is here because the component fails or misbehaves without it on a plain machine: cgroup v1 next
to v2, no CAP_SYS_RESOURCE, no registry to pull from, no systemd.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from algo_local.instance import DNS_ADDRESS, Instance

PAUSE_IMAGE = "docker.io/local/pause:1"
# Below the usual 1500, so that the packets also fit machines whose own network has a smaller limit.
MTU = 1400
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


def kubelet_config(instance: Instance, resolv_conf: Path) -> str:
    """Render KubeletConfiguration."""
    pki = instance.pki
    document: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": instance.node_address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(pki / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{instance.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": str(resolv_conf),
        "volumePluginDir": str(instance.state / "kubelet-plugins"),
        "readOnlyPort": 0,
        "maxPods": 250,
        "serializeImagePulls": False,
        # Images are imported, not pulled: one that is thrown away to save disk would never come back.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        # A trader's runner is not evicted because a laptop's disk is full; out of memory is the kernel's to decide.
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
        "eventRecordQPS": 100,
        "eventBurst": 200,
    }
    return yaml.safe_dump(document, sort_keys=False)


def containerd_config(instance: Instance) -> str:
    """Render containerd's config.toml (version 2); its run-time state is on the namespace's own /run."""
    return f"""version = 2
root = "{instance.state / "containerd"}"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
]

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{instance.state / "containerd-opt"}"

[plugins."io.containerd.grpc.v1.cri"]
  # Without CAP_SYS_RESOURCE runc cannot lower an OOM score and the container would not start.
  restrict_oom_score_adj = true
  sandbox_image = "{PAUSE_IMAGE}"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{instance.state / "cni"}"
"""


def cni_config(instance: Instance) -> str:
    """Render the CNI list: a bridge with masquerading, and host ports."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "mtu": MTU,
        "ipam": {
            "type": "host-local",
            # Leases belong to running pods: they are kept where a restart forgets them.
            "dataDir": "/run/cni-leases",
            "ranges": [[{"subnet": instance.pod_cidr}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "0.4.0", "name": "algo", "plugins": [bridge, portmap]}, indent=2)


def proxy_config(instance: Instance, *, bridge_filter: bool) -> str:
    """Render KubeProxyConfiguration; without `bridge_filter` (br_netfilter) replies must be forced through the node."""
    document: dict[str, Any] = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(instance.state / "kube-proxy.kubeconfig")},
        "clusterCIDR": instance.pod_cidr,
        "hostnameOverride": instance.node_name,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "conntrack": {"maxPerCore": 0, "min": 0},
        "iptables": {"masqueradeAll": not bridge_filter, "localhostNodePorts": False},
    }
    return yaml.safe_dump(document, sort_keys=False)


def upstream_resolvers(texts: Sequence[str]) -> list[str]:
    """Return the name servers of the first resolv.conf text that names any but the machine's own loopback."""
    for text in texts:
        found = []
        for line in text.splitlines():
            words = line.split()
            if len(words) < 2 or words[0] != "nameserver":
                continue
            address = words[1].split("%")[0]
            try:
                usable = not ipaddress.ip_address(address).is_loopback
            except ValueError:
                usable = False
            if usable:
                found.append(address)
        if found:
            return found
    return []


def coredns_config(instance: Instance, upstreams: Sequence[str]) -> str:
    """Render the Corefile: cluster names from the API server, all others from the machine's own resolvers."""
    forward = f"    forward . {' '.join(upstreams)}\n" if upstreams else ""
    return f""".:53 {{
    bind {DNS_ADDRESS}
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {instance.state / "coredns.kubeconfig"}
        pods insecure
        ttl 5
    }}
{forward}    cache 10
    loadbalance
}}
"""
