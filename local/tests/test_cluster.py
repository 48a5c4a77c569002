"""The native cluster, for real: from any state up, pods and names work, and down leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from algo_local import cgroups, cluster
from algo_local.cluster import Cluster
from algo_local.images import app_image, import_into, pause_image
from algo_local.instance import load_instance
from algo_local.paths import state_root
from algo_local.processes import wait_until

pytestmark = pytest.mark.cluster
NAME = "test"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    cluster.stop(NAME)
    started = cluster.start(NAME)
    yield started
    cluster.stop(NAME)


@pytest.fixture(scope="module")
def image(running: Cluster) -> str:
    made = app_image()
    for one in (pause_image(), made):
        import_into(one, set(), running.import_image)
    return made.reference


def pod(name: str, image: str, command: list[str], restart: str = "Always") -> dict[str, Any]:
    spec = {
        "terminationGracePeriodSeconds": 1,
        "restartPolicy": restart,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "c", "image": image, "command": command, "securityContext": RESTRICTED}],
    }
    metadata = {"name": name, "namespace": "trial", "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def apply(running: Cluster, *objects: dict[str, Any]) -> None:
    running.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))


def phase(running: Cluster, name: str) -> str:
    return running.kubectl("-n", "trial", "get", "pod", name, "-o", "jsonpath={.status.phase}")


def ready(running: Cluster, name: str) -> bool:
    path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    return running.kubectl("-n", "trial", "get", "pod", name, "-o", path) == "True"


def serve(running: Cluster, image: str) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "trial", "labels": {}}}
    namespace["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "restricted"}  # type: ignore[index]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "trial"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    code = "import http.server as h; h.test(HandlerClass=h.SimpleHTTPRequestHandler, port=8080)"
    apply(running, namespace, service)
    wait_until(lambda: "default" in running.kubectl("-n", "trial", "get", "sa", "-o", "name"), 30, "no account")
    web = pod("web", image, ["python", "-c", code])
    web["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    apply(running, web)
    wait_until(lambda: ready(running, "web"), 60, "the pod does not run")


def traces() -> dict[str, list[str]]:
    """Return everything on the machine that belongs to the instance."""
    instance = load_instance(NAME)
    index = 1 if instance is None else instance.index
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout.splitlines()
    links = os.listdir("/sys/class/net")
    folder = str(state_root() / NAME)
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return {
        "rules": [rule for rule in rules if f"ALGO-{index}" in rule],
        "links": [link for link in links if link in {f"algo{index}", "cni0"} or link.startswith("veth")],
        "addresses": [
            a.address for list_ in psutil.net_if_addrs().values() for a in list_ if "169.254.20" in a.address
        ],
        "mounts": [line for line in Path("/proc/self/mounts").read_text().splitlines() if folder in line],
        "processes": [line for line in lines if folder in line or f"algo_local.node {NAME}" in line],
        "cgroups": [str(root) for root in cgroups.hierarchies() if (root / f"algo-{index}").exists()],
        "state": [folder] if Path(folder).exists() else [],
    }


def kill_everything(running: Cluster) -> None:
    """Kill all processes of the instance at once, as a machine that dies would."""
    record = cluster.node_process(running.instance)
    assert record is not None
    inside = os.readlink(f"/proc/{record.pid}/ns/pid")
    for process in psutil.process_iter():
        try:
            if os.readlink(f"/proc/{process.pid}/ns/pid") == inside:
                os.kill(process.pid, signal.SIGKILL)
        except OSError:  # gone meanwhile, or the machine's own and not ours to look at
            continue


def test_a_restricted_pod_runs_and_is_reached_by_name(running: Cluster, image: str) -> None:
    serve(running, image)
    # A service's rules come a moment after its pod is ready; until then it refuses.
    code = (
        "import time, urllib.request as u\n"
        "for left in range(40, 0, -1):\n"
        "    try:\n"
        "        print('fetched', u.urlopen('http://web.trial.svc.cluster.local/', timeout=20).status)\n"
        "        break\n"
        "    except OSError as error:\n"
        "        print(error)\n"
        "        time.sleep(0.5)\n"
    )
    apply(running, pod("client", image, ["python", "-c", code], restart="Never"))
    wait_until(lambda: phase(running, "client") in {"Succeeded", "Failed"}, 60, "the client does not end")
    assert "fetched 200" in running.kubectl("-n", "trial", "logs", "client")


def test_the_machine_reaches_services_and_sees_pids(running: Cluster, image: str) -> None:
    serve(running, image)
    uid = running.kubectl("-n", "trial", "get", "pod", "web", "-o", "jsonpath={.metadata.uid}")
    commands = [" ".join(psutil.Process(pid).cmdline()) for pid in running.pod_processes(uid)]
    assert any("SimpleHTTPRequestHandler" in command for command in commands)
    address = running.kubectl("-n", "trial", "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    retried = ["--retry", "20", "--retry-delay", "1", "--retry-connrefused"]
    fetched = subprocess.run(
        ["curl", "-sf", "-m", "30", *retried, f"http://{address}/"], capture_output=True, check=False
    )
    assert fetched.returncode == 0


def test_exec_and_the_packages_of_the_image(running: Cluster, image: str) -> None:
    serve(running, image)
    code = "import algo_crds, algo_market, pydantic, kopf, fastapi, os; print(os.getuid())"
    assert running.kubectl("-n", "trial", "exec", "web", "--", "python", "-c", code).strip() == "10001"


def test_a_second_start_finds_it_running(running: Cluster) -> None:
    before = cluster.node_process(running.instance)
    assert cluster.start(NAME).api_url == running.api_url
    assert cluster.node_process(running.instance) == before


def test_a_killed_component_comes_back(running: Cluster) -> None:
    record = cluster.node_process(running.instance)
    assert record is not None
    victims = [p for p in psutil.Process(record.pid).children() if "kube-apiserver" in p.name() + p.cmdline()[0]]
    assert len(victims) == 1
    victims[0].kill()

    def answers() -> bool:
        try:
            return running.kubectl("get", "--raw", "/readyz", "--request-timeout=2s") == "ok"
        except subprocess.CalledProcessError:
            return False

    wait_until(lambda: not victims[0].is_running() and answers(), 60, "the API server does not come back")


def test_start_after_everything_was_killed(running: Cluster, image: str) -> None:
    serve(running, image)
    kill_everything(running)
    wait_until(lambda: cluster.node_process(running.instance) is None, 20, "the node survives SIGKILL")
    again = cluster.start(NAME)
    wait_until(lambda: phase(again, "web") == "Running" and answers_by_name(again), 120, "the pod did not come back")


def answers_by_name(running: Cluster) -> bool:
    address = running.kubectl("-n", "trial", "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    result = subprocess.run(["curl", "-sf", "-m", "3", f"http://{address}/"], capture_output=True, check=False)
    return result.returncode == 0


def test_down_leaves_nothing(running: Cluster, image: str) -> None:
    serve(running, image)
    assert all(traces()[kind] for kind in ("rules", "links", "processes", "cgroups", "state"))
    assert cluster.stop(NAME)
    assert traces() == {kind: [] for kind in traces()}
    assert not cluster.stop(NAME)


def test_down_after_a_kill_leaves_nothing() -> None:
    started = cluster.start(NAME)
    kill_everything(started)
    assert cluster.stop(NAME)
    assert traces() == {kind: [] for kind in traces()}
