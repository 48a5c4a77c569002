"""The node: first process of an instance's namespaces (`python -m algo_local.node NAME`), started by `cluster.start`.

It is pid 1 of its own pid namespace: when it ends, in whatever way, the kernel ends every process of the cluster, its
mounts, its network and its iptables with it. That is why a cluster can be killed and leaves nothing stale behind but
files. While it lives it starts the components, starts them again when they end, and reaps orphans.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from algo_local.instance import DNS_ADDRESS, Instance, load_instance
from algo_local.node_config import MTU, coredns_config, proxy_config, upstream_resolvers
from algo_local.node_parts import Part, node_parts

TICK_SECONDS = 0.1
FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 10.0
LOG_LIMIT = 20 * 1024 * 1024
INNER_LINK = "eth0"
_RESOLV_FILES = ("/run/systemd/resolve/resolv.conf", "/etc/resolv.conf")


def _run(*arguments: str) -> None:
    subprocess.run(arguments, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - fixed system commands


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def set_up_mounts(instance: Instance) -> None:
    """Give the node a /run, /var/lib/cni and /var/log of its own; the machine's are neither seen nor touched."""
    resolvers = upstream_resolvers([_read(path) for path in _RESOLV_FILES])
    (instance.state / "Corefile").write_text(coredns_config(instance, resolvers))
    (instance.state / "resolv.conf").write_text("".join(f"nameserver {address}\n" for address in resolvers))
    logs = instance.state / "var-log"
    logs.mkdir(exist_ok=True)
    # Leases, sockets and network namespaces of pods: whatever is in them is void once the pods are gone.
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "algo-run", "/run")
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "algo-cni", "/var/lib/cni")
    _run("mount", "--bind", str(logs), "/var/log")


def _link_is_there() -> bool:
    return any(line.strip().startswith(f"{INNER_LINK}:") for line in _read("/proc/net/dev").splitlines())


def set_up_network(instance: Instance) -> None:
    """Configure loopback, the DNS address and the link to the machine, once the machine has put it in."""
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "address", "add", f"{DNS_ADDRESS}/32", "dev", "lo")
    deadline = time.monotonic() + 20.0
    while not _link_is_there():
        if time.monotonic() > deadline:
            raise RuntimeError("the machine did not put a link into this namespace")
        time.sleep(0.02)
    _run("ip", "address", "add", f"{instance.node_address}/30", "dev", INNER_LINK)
    _run("ip", "link", "set", INNER_LINK, "mtu", str(MTU), "up")
    _run("ip", "route", "add", "default", "via", instance.host_address)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    bridge_filter = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    if bridge_filter.exists():
        bridge_filter.write_text("1")
    (instance.state / "kube-proxy.yaml").write_text(proxy_config(instance, bridge_filter=bridge_filter.exists()))


class _Supervisor:
    """Keeps the parts running; the only state is which pid is which part and when an ended one is due again."""

    def __init__(self, instance: Instance, parts: list[Part]) -> None:
        self._instance = instance
        self._waiting = {part.name: part for part in parts}
        self._running: dict[int, tuple[Part, float]] = {}
        self._due: dict[str, float] = {}
        self._backoff: dict[str, float] = {}
        self._restarts: dict[str, int] = dict.fromkeys(self._waiting, 0)

    def start_due(self) -> None:
        for part in list(self._waiting.values()):
            if time.monotonic() >= self._due.get(part.name, 0.0) and part.ready():
                del self._waiting[part.name]
                self._running[self._spawn(part)] = (part, time.monotonic())
                self._publish()

    def _spawn(self, part: Part) -> int:
        log = self._instance.logs / f"{part.name}.log"
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        program = shutil.which(part.arguments[0])
        if program is None:
            raise RuntimeError(f"{part.arguments[0]} is not installed; run `algo doctor`")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        return os.posix_spawn(program, part.arguments, os.environ, file_actions=actions, setsid=True)

    def reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            entry = self._running.pop(pid, None)
            if entry is not None:
                self._ended(entry[0], entry[1], status)

    def _ended(self, part: Part, began: float, status: int) -> None:
        lasted = time.monotonic() - began
        backoff = FIRST_BACKOFF if lasted > LONGEST_BACKOFF else self._backoff.get(part.name, FIRST_BACKOFF)
        self._backoff[part.name] = min(backoff * 2, LONGEST_BACKOFF)
        self._due[part.name] = time.monotonic() + backoff
        self._restarts[part.name] += 1
        self._waiting[part.name] = part
        code = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{part.name} ended with {code} after {lasted:.1f} s; again in {backoff:g} s\n")
        sys.stdout.flush()
        self._publish()

    def _publish(self) -> None:
        up = {part.name for part, _ in self._running.values()}
        state = {name: {"up": name in up, "restarts": count} for name, count in self._restarts.items()}
        draft = self._instance.state / "components.json.draft"
        draft.write_text(json.dumps(state))
        draft.replace(self._instance.state / "components.json")

    def end(self) -> None:
        """End the pods' keeper first, then let etcd close its files; the kernel ends whatever is left."""
        by_name = {part.name: pid for pid, (part, _) in self._running.items()}
        for name in ("kubelet", "kube-apiserver", "etcd"):
            if name in by_name:
                os.kill(by_name[name], signal.SIGTERM)
        deadline = time.monotonic() + 5.0
        etcd = by_name.get("etcd")
        while etcd in self._running and time.monotonic() < deadline:
            self.reap()
            time.sleep(0.02)


def supervise(instance: Instance, binaries: Mapping[str, Path]) -> None:
    """Run the parts until SIGTERM."""
    asked_to_end = False

    def ask(_signal: int, _frame: object) -> None:
        nonlocal asked_to_end
        asked_to_end = True

    signal.signal(signal.SIGTERM, ask)
    supervisor = _Supervisor(instance, node_parts(instance, binaries))
    while not asked_to_end:
        supervisor.start_due()
        supervisor.reap()
        time.sleep(TICK_SECONDS)
    supervisor.end()


def main(arguments: list[str]) -> int:
    """Run the node of the named instance; it must be pid 1 of namespaces of its own."""
    if len(arguments) != 1 or os.getpid() != 1:
        sys.stderr.write("started by `algo up` only: first process of its own namespaces, with the instance's name\n")
        return 2
    instance = load_instance(arguments[0])
    if instance is None:
        sys.stderr.write(f"no instance {arguments[0]!r}\n")
        return 2
    plan = json.loads((instance.state / "binaries.json").read_text())
    set_up_mounts(instance)
    set_up_network(instance)
    supervise(instance, {name: Path(path) for name, path in plan.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
