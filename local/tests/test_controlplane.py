"""The API server that API-level tests stand on: it starts, speaks, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from algo_local.controlplane import ApiServer, ControlPlaneError, start_apiserver
from algo_local.processes import wait_until

pytestmark = pytest.mark.apiserver


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    running = start_apiserver(tmp_path_factory.mktemp("apiserver"))
    yield running
    running.stop()


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of live processes that name this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if f"={folder}" in line:
                found.append(line)
    return found


def test_token_is_admin(server: ApiServer) -> None:
    context = ssl.create_default_context(cafile=str(server.ca))
    request = urllib.request.Request(
        f"{server.url}/api/v1/namespaces", headers={"Authorization": f"Bearer {server.token}"}
    )
    with urllib.request.urlopen(request, context=context) as response:
        names = [item["metadata"]["name"] for item in json.load(response)["items"]]
    assert "default" in names


def test_kubeconfig_works_with_kubectl(server: ApiServer) -> None:
    command = [str(server.kubectl()), f"--kubeconfig={server.kubeconfig}", "version", "-o", "json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout)["serverVersion"]["gitVersion"] == "v1.35.4"


def test_kubeconfig_is_private(server: ApiServer) -> None:
    assert server.kubeconfig.stat().st_mode & 0o077 == 0


def test_repr_hides_the_token(server: ApiServer) -> None:
    assert server.token not in repr(server)


def test_pod_can_be_created_without_controllers(server: ApiServer) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    command = [str(server.kubectl()), f"--kubeconfig={server.kubeconfig}", "create", "-f", "-"]
    result = subprocess.run(command, input=json.dumps(pod), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_stop_leaves_no_process(tmp_path: Path) -> None:
    running = start_apiserver(tmp_path)
    assert len(processes_of(tmp_path)) == 2
    running.stop()
    assert processes_of(tmp_path) == []
    running.stop()  # a second stop is harmless


def test_servers_end_when_their_owner_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from algo_local.controlplane import start_apiserver;"
        "start_apiserver(Path(sys.argv[1])); print('up', flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    wait_until(lambda: processes_of(tmp_path) == [], 20.0, "the servers outlive their killed owner")


def test_failure_quotes_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("algo_local.controlplane.SERVICE_CIDR", "not-a-cidr")
    with pytest.raises(ControlPlaneError, match="service-cluster-ip-range"):
        start_apiserver(tmp_path)
    assert processes_of(tmp_path) == []
