"""The machine's side of an instance's network: one veth pair, two routes, and a way out to the internet.

The veth pair and its routes vanish with the instance's namespace; the iptables chains stand in chains of the instance's
own, so that taking them out again touches nothing else.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from algo_local.instance import Instance, link_exists
from algo_local.node import INNER_LINK
from algo_local.node_config import MTU
from algo_local.processes import wait_until

_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_HOOKS = (("nat", "POSTROUTING"), ("filter", "FORWARD"))


class NetworkError(RuntimeError):
    """The machine's network refused a change; the message holds the command and its answer."""


def _try(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603 - fixed commands


def _run(*arguments: str) -> None:
    result = _try(*arguments)
    if result.returncode != 0:
        raise NetworkError(f"`{' '.join(arguments)}` failed: {result.stderr.strip()}")


def _chain(instance: Instance) -> str:
    return f"ALGO-{instance.index}"


def _remove_chains(instance: Instance) -> None:
    chain = _chain(instance)
    for table, hook in _HOOKS:
        # A crash between two commands may have left the jump twice, or the chain without its jump.
        while _try("iptables", "-w", "-t", table, "-D", hook, "-j", chain).returncode == 0:
            pass
        _try("iptables", "-w", "-t", table, "-F", chain)
        _try("iptables", "-w", "-t", table, "-X", chain)


def _add_chains(instance: Instance) -> None:
    _remove_chains(instance)
    chain, network = _chain(instance), instance.link_cidr
    for table, hook in _HOOKS:
        _run("iptables", "-w", "-t", table, "-N", chain)
        _run("iptables", "-w", "-t", table, "-I", hook, "-j", chain)
    _run("iptables", "-w", "-t", "nat", "-A", chain, "-s", network, "!", "-d", network, "-j", "MASQUERADE")
    _run("iptables", "-w", "-A", chain, "-i", instance.link, "-j", "ACCEPT")
    _run("iptables", "-w", "-A", chain, "-o", instance.link, "-j", "ACCEPT")


def attach(instance: Instance, node_pid: int) -> None:
    """Connect the machine with the namespace of `node_pid` (the machine's number for the node's first process).

    Raises NetworkError. A link of an earlier, killed node may take the kernel a moment to remove.
    """
    wait_until(lambda: not link_exists(instance.index), 20.0, f"network link {instance.link} belongs to somebody else")
    _run(
        *("ip", "link", "add", instance.link, "mtu", str(MTU), "type", "veth"),
        *("peer", "name", INNER_LINK, "netns", str(node_pid)),
    )
    _run("ip", "address", "add", f"{instance.host_address}/30", "dev", instance.link)
    _run("ip", "link", "set", instance.link, "up")
    for network in (instance.pod_cidr, instance.service_cidr):
        _run("ip", "route", "replace", network, "via", instance.node_address)
    _add_chains(instance)
    _switch_forwarding_on(instance)


def _switch_forwarding_on(instance: Instance) -> None:
    record = instance.state / "ip-forward.json"
    before = _FORWARDING.read_text().strip()
    if before != "1":
        record.write_text(json.dumps({"before": before}))
        _FORWARDING.write_text("1")


def detach(instance: Instance, *, last: bool) -> None:
    """Take out whatever `attach` put in; `last` also restores forwarding as it was. Works on any half-done state."""
    _try("ip", "link", "delete", instance.link)
    if shutil.which("iptables") is not None:
        _remove_chains(instance)
    record = instance.state / "ip-forward.json"
    if last and record.exists():
        _FORWARDING.write_text(json.loads(record.read_text())["before"])
        record.unlink()
