"""One cluster among several on a machine: its name, its number, and all that follows from them.

An instance lives in network, mount and pid namespaces of its own (docs/adr/0002), so ports, bridge, iptables and
sockets may be the same in all; only what the machine itself sees must differ, and all of it follows from the number.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from pathlib import Path

from algo_local.locks import file_lock
from algo_local.paths import state_root
from algo_local.pki import write_private

MAX_INSTANCES = 16
API_PORT = 6443
DNS_ADDRESS = "169.254.20.10"
STORAGE_CLASS = "algo-local"
_PREFERRED = {"default": 0, "test": 1}
_LINKS = ipaddress.ip_network("10.213.0.0/24")
_PODS = ipaddress.ip_network("10.214.0.0/16")
_SERVICES = ipaddress.ip_network("10.215.0.0/16")


class InstanceError(RuntimeError):
    """The instance cannot be named or numbered; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Names, addresses and folders of one cluster."""

    name: str
    index: int

    @property
    def state(self) -> Path:
        """Return the folder that is the cluster; removing it removes the cluster."""
        return state_root() / self.name

    @property
    def pki(self) -> Path:
        """Return the folder of keys and certificates."""
        return self.state / "pki"

    @property
    def logs(self) -> Path:
        """Return the folder with one log a component."""
        return self.state / "logs"

    @property
    def kubeconfig(self) -> Path:
        """Return the path of the administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def node_name(self) -> str:
        """Return the Kubernetes node's name."""
        return f"algo-{self.name}"

    @property
    def link(self) -> str:
        """Return the machine's end of the veth pair."""
        return f"algo{self.index}"

    @property
    def cgroup(self) -> str:
        """Return the cgroup under which the kubelet makes its pods, in every hierarchy."""
        return f"algo-{self.index}"

    @property
    def _link_network(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network((int(_LINKS.network_address) + 4 * self.index, 30))

    @property
    def link_cidr(self) -> str:
        """Return the network of the veth pair."""
        return str(self._link_network)

    @property
    def host_address(self) -> str:
        """Return the machine's address on the veth pair."""
        return str(self._link_network[1])

    @property
    def node_address(self) -> str:
        """Return the node's address: API server, kubelet and NodePorts are reached there from the machine."""
        return str(self._link_network[2])

    @property
    def pod_cidr(self) -> str:
        """Return the network of the pods."""
        return str(list(_PODS.subnets(new_prefix=20))[self.index])

    @property
    def service_cidr(self) -> str:
        """Return the network of service addresses."""
        return str(list(_SERVICES.subnets(new_prefix=20))[self.index])

    @property
    def first_service_address(self) -> str:
        """Return the address that the API server takes for `kubernetes.default`."""
        return str(ipaddress.ip_network(self.service_cidr)[1])

    @property
    def api_url(self) -> str:
        """Return the API server's URL, the same from the machine and from inside."""
        return f"https://{self.node_address}:{API_PORT}"


def link_exists(index: int) -> bool:
    """Tell whether an instance with this number is up on this machine, whoever started it."""
    return Path(f"/sys/class/net/algo{index}").exists()


def load_instance(name: str) -> Instance | None:
    """Return the instance as recorded in its state folder; None when there is none."""
    try:
        index = int(json.loads((state_root() / name / "instance.json").read_text())["index"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return Instance(name, index)


def list_instances() -> list[Instance]:
    """Return all recorded instances."""
    root = state_root()
    names = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.exists() else []
    return [instance for name in names if (instance := load_instance(name)) is not None]


def ensure_instance(name: str) -> Instance:
    """Return the recorded instance, or number and record a new one.

    Raises InstanceError for a name that is no DNS label, or when all numbers are taken.
    """
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?", name):
        raise InstanceError(f"{name!r} is no instance name: lower-case letters, digits and '-', at most 30")
    with file_lock(state_root() / ".lock"):
        recorded = load_instance(name)
        if recorded is not None:
            return recorded
        taken = {instance.index for instance in list_instances()}
        reserved = set(_PREFERRED.values())
        order = [_PREFERRED[name]] if name in _PREFERRED else []
        order += [index for index in range(MAX_INSTANCES) if index not in reserved]
        for index in order:
            if index not in taken and not link_exists(index):
                write_private(state_root() / name / "instance.json", json.dumps({"index": index}).encode())
                return Instance(name, index)
    raise InstanceError(f"all {MAX_INSTANCES} instance numbers are taken; end one with `algo down --instance NAME`")
