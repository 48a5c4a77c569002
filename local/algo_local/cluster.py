"""The life of a cluster: `start` from any state, `stop` until nothing is left.

`start(instance)` returns a `Cluster`, whose functions reach into it; a cluster that already runs is found and returned
in a moment. See docs/adr/0002 for why an instance is one process in namespaces of its own.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from algo_local import bootstrap, cgroups, hostnet
from algo_local.binaries import ensure_binary
from algo_local.instance import Instance, ensure_instance, link_exists, list_instances, load_instance
from algo_local.locks import file_lock
from algo_local.node_config import CONTAINERD_SOCKET
from algo_local.paths import state_root
from algo_local.processes import (
    ProcessIdentity,
    identify,
    is_alive,
    read_record,
    send_signal,
    terminate,
    wait_until,
    write_record,
)

NODE_BINARIES = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    *("kubelet", "kube-proxy", "coredns"),
)
READY_SECONDS = 120.0
Report = Callable[[str], None]


class ClusterError(RuntimeError):
    """The cluster did not start or stop; the message names the component's log to read."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster. Addresses are reachable from the machine: node, pods and services alike.

    `kubectl` runs kubectl with this cluster's kubeconfig and returns its output (raises CalledProcessError);
    `node_exec` runs a command inside the node's namespaces; `pod_processes` gives the machine's pids of a pod's uid.
    """

    instance: Instance
    kubeconfig: Path
    kubectl_path: Path
    api_url: str
    node_address: str
    host_address: str
    kubectl: Callable[..., str]
    node_exec: Callable[[Sequence[str]], subprocess.CompletedProcess[str]]
    import_image: Callable[[Path], None]
    pod_processes: Callable[[str], list[int]]


def _record(instance: Instance) -> Path:
    return instance.state / "node.json"


def node_process(instance: Instance) -> ProcessIdentity | None:
    """Return the node's first process if it is alive."""
    identity = read_record(_record(instance))
    return identity if identity is not None and is_alive(identity) else None


def _quiet(_line: str) -> None:
    return None


def _kubectl(instance: Instance, *arguments: str, text: str | None = None) -> str:
    command = [str(ensure_binary("kubectl")), f"--kubeconfig={instance.kubeconfig}", *arguments]
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode != 0:
        raise subprocess.CalledProcessError(result.returncode, command, result.stdout, result.stderr.strip())
    return result.stdout


def _node_exec(instance: Instance, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    node = node_process(instance)
    if node is None:
        raise ClusterError(f"instance {instance.name} is not running; start it with `algo up`")
    enter = ["nsenter", f"--target={node.pid}", "--mount", "--net", "--pid", "--"]
    return subprocess.run([*enter, *arguments], capture_output=True, text=True, check=False)  # noqa: S603


def _import_image(instance: Instance, archive: Path) -> None:
    command = ["ctr", f"--address={CONTAINERD_SOCKET}", "-n", "k8s.io", "images", "import", str(archive)]
    result = _node_exec(instance, command)
    if result.returncode != 0:
        raise ClusterError(f"importing {archive.name} failed: {result.stderr.strip()[-800:]}")


def _pod_processes(instance: Instance, uid: str) -> list[int]:
    found = []
    for pid in cgroups.members(instance.cgroup):
        with contextlib.suppress(OSError):
            if f"pod{uid}" in Path(f"/proc/{pid}/cgroup").read_text():
                found.append(pid)
    return sorted(found)


def attach(instance: Instance) -> Cluster:
    """Return the handle of a running instance without changing anything."""
    return Cluster(
        instance=instance,
        kubeconfig=instance.kubeconfig,
        kubectl_path=ensure_binary("kubectl"),
        api_url=instance.api_url,
        node_address=instance.node_address,
        host_address=instance.host_address,
        kubectl=lambda *arguments, text=None: _kubectl(instance, *arguments, text=text),
        node_exec=lambda arguments: _node_exec(instance, arguments),
        import_image=lambda archive: _import_image(instance, archive),
        pod_processes=lambda uid: _pod_processes(instance, uid),
    )


def find(name: str) -> Cluster | None:
    """Return the handle of the named instance if it runs."""
    instance = load_instance(name)
    return attach(instance) if instance is not None and node_process(instance) is not None else None


def _spawn_node(instance: Instance) -> ProcessIdentity:
    namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation=private"]
    command = ["unshare", *namespaces, sys.executable, "-m", "algo_local.node", instance.name]
    with (instance.logs / "node.log").open("ab") as log:
        outer = subprocess.Popen(  # noqa: S603 - ourselves, in new namespaces
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )
    children: list[psutil.Process] = []

    def forked() -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            children[:] = psutil.Process(outer.pid).children()
        return bool(children) or outer.poll() is not None

    wait_until(forked, 20.0, "the node's first process does not appear")
    identity = identify(children[0].pid) if children else None
    if identity is None:
        raise ClusterError(f"the node did not start; read {instance.logs / 'node.log'}")
    write_record(_record(instance), identity)
    return identity


def _clear_leftovers(instance: Instance) -> None:
    """Make a clean floor for a start: whatever a killed cluster left that is not data."""
    node = read_record(_record(instance))
    if node is not None:
        terminate(node, 10.0)
        _record(instance).unlink(missing_ok=True)
    cgroups.remove(instance.cgroup)
    hostnet.detach(instance, last=False)
    (instance.state / "components.json").unlink(missing_ok=True)


def _node_ready(instance: Instance, since: datetime.datetime | None = None) -> bool:
    """Tell whether the node is Ready, by a word of its kubelet not older than `since` (etcd remembers the dead)."""
    path = "jsonpath={range .status.conditions[?(@.type=='Ready')]}{.status} {.lastHeartbeatTime}{end}"
    try:
        answer = _kubectl(instance, "get", "node", instance.node_name, "-o", path, "--request-timeout=3s").split()
    except subprocess.CalledProcessError:
        return False
    if len(answer) != 2 or answer[0] != "True":
        return False
    return since is None or datetime.datetime.fromisoformat(answer[1]) >= since.replace(microsecond=0)


def _api_ready(instance: Instance) -> bool:
    try:
        return _kubectl(instance, "get", "--raw", "/readyz", "--request-timeout=3s").strip() == "ok"
    except subprocess.CalledProcessError:
        return False


def _wait(instance: Instance, condition: Callable[[], bool], what: str) -> None:
    def done() -> bool:
        if node_process(instance) is None:
            raise ClusterError(f"the node ended; read {instance.logs / 'node.log'}")
        return condition()

    wait_until(done, READY_SECONDS, f"{what}; read the logs in {instance.logs}")


def _boot(instance: Instance, binaries: Mapping[str, Path], report: Report) -> None:
    _clear_leftovers(instance)
    bootstrap.write_files(instance, binaries)
    cgroups.create(instance.cgroup)
    Path("/var/lib/cni").mkdir(parents=True, exist_ok=True)
    began, since = time.monotonic(), datetime.datetime.now(datetime.UTC)
    try:
        node = _spawn_node(instance)
        hostnet.attach(instance, node.pid)
        _wait(instance, lambda: _api_ready(instance), "the API server is not ready")
        report(f"API server ready after {time.monotonic() - began:.1f} s")
        _kubectl(instance, "apply", "-f", "-", text=json.dumps(bootstrap.first_objects(instance)))
        _wait(instance, lambda: _node_ready(instance, since), "the node is not Ready")
        report(f"node Ready after {time.monotonic() - began:.1f} s")
    except BaseException:
        _clear_leftovers(instance)
        raise


def start(name: str = "default", report: Report = _quiet) -> Cluster:
    """Start the named instance from whatever state it is in, or find it running; returns when its node is Ready.

    Missing binaries are built first. Raises ClusterError, BuildError, NetworkError or InstanceError.
    """
    binaries = {binary: ensure_binary(binary) for binary in NODE_BINARIES}
    instance = ensure_instance(name)
    with file_lock(state_root() / f".{name}.lock"):
        running = node_process(instance) is not None and link_exists(instance.index)
        if running and _api_ready(instance) and _node_ready(instance):
            report("already running")
        else:
            _boot(instance, binaries, report)
    cluster = attach(instance)
    return cluster


def stop(name: str = "default") -> bool:
    """End the named instance and remove every trace but the cache; False when there was none."""
    instance = load_instance(name)
    if instance is None:
        shutil.rmtree(state_root() / name, ignore_errors=True)
        return False
    with file_lock(state_root() / f".{name}.lock"):
        node = read_record(_record(instance))
        # No grace: the state goes with the cluster, there is nothing to close in good order.
        if node is not None and send_signal(node, signal.SIGKILL):
            wait_until(lambda: not is_alive(node), 30.0, f"the node (pid {node.pid}) survives SIGKILL")
        cgroups.remove(instance.cgroup)
        others = [other for other in list_instances() if other.name != name]
        hostnet.detach(instance, last=not others)
        shutil.rmtree(instance.state)
    (state_root() / f".{name}.lock").unlink(missing_ok=True)
    if not others:
        (state_root() / ".lock").unlink(missing_ok=True)
        for folder in (state_root(), Path("/var/lib/cni")):
            with contextlib.suppress(OSError):
                folder.rmdir()
    return True
