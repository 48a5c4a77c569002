"""`algo status` and `algo logs` over a real API server: what they say in each state of cluster, strategy and pod."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from algo_local import cli, terminal
from algo_local.cli import app
from algo_local.cluster import attach
from algo_local.controlplane import ApiServer, start_apiserver
from algo_local.instance import Instance, ensure_instance
from algo_local.pki import ensure_authority, write_token_kubeconfig
from typer.testing import CliRunner

pytestmark = pytest.mark.apiserver
MANIFESTS = Path(__file__).resolve().parents[2] / "crds" / "manifests"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    running = start_apiserver(tmp_path_factory.mktemp("apiserver"))
    base = [str(running.kubectl()), f"--kubeconfig={running.kubeconfig}"]
    subprocess.run([*base, "apply", "-f", str(MANIFESTS)], check=True, capture_output=True)
    established = [*base, "wait", "--for=condition=Established", "--timeout=30s", "crd/strategies.algo.trading"]
    subprocess.run(established, check=True, capture_output=True)
    yield running
    running.stop()


@pytest.fixture
def instance(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """An instance whose API server is the test's; only its node is missing."""
    monkeypatch.setenv("ALGO_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("ALGO_INSTANCE", raising=False)
    made = ensure_instance("default")
    shutil.copy(server.kubeconfig, made.kubeconfig)
    for module in (cli, terminal):
        monkeypatch.setattr(module, "find", lambda _name: attach(made))
    return made


@pytest.fixture
def namespace(instance: Instance, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"algo-{abs(hash(request.node.name)) % 10**9}"
    attach(instance).kubectl("create", "namespace", name)
    yield name
    attach(instance).kubectl("delete", "strategies,pods", "--all", "-n", name, "--grace-period=0", "--force")


def said(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


def make_strategy(instance: Instance, namespace: str, name: str, status: dict[str, Any] | None = None) -> None:
    spec = {
        "symbol": "RELIANCE", "quantity": 10, "buyTime": "09:20:00", "sellTime": "15:05:00",
        "stopLoss": {"percent": 1},
    }  # fmt: skip
    kind = {"apiVersion": "algo.trading/v1alpha1", "kind": "Strategy"}
    resource = kind | {"metadata": {"name": name, "namespace": namespace}, "spec": spec}
    attach(instance).kubectl("create", "-f", "-", text=json.dumps(resource))
    if status is not None:
        patch = json.dumps({"status": status})
        where = ("strategies.algo.trading", name, "-n", namespace)
        attach(instance).kubectl("patch", *where, "--subresource=status", "--type=merge", "-p", patch)


def make_pod(instance: Instance, namespace: str, name: str, state: dict[str, Any] | None) -> None:
    container = {"name": "runner", "image": "none"}
    kind = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}}
    attach(instance).kubectl("create", "-f", "-", text=json.dumps(kind | {"spec": {"containers": [container]}}))
    if state is not None:
        one = {"name": "runner", "image": "none", "imageID": "", "ready": False, "restartCount": 0, "state": state}
        patch = json.dumps({"status": {"containerStatuses": [one]}})
        attach(instance).kubectl("patch", "pod", name, "-n", namespace, "--subresource=status", "-p", patch)


def test_a_name_that_is_nothing(instance: Instance) -> None:
    code, text = said("logs", "nobody")
    assert code == 1
    assert "nothing called 'nobody' runs" in text
    assert "`algo strategies` lists yours" in text


def test_a_strategy_that_the_operator_has_not_seen(instance: Instance, namespace: str) -> None:
    make_strategy(instance, namespace, "fresh")
    assert said("logs", "fresh") == (
        1,
        "strategy 'fresh' has no pod yet: the operator has not seen it; see `algo logs operator`",
    )


def test_a_strategy_whose_pod_waits_to_be_made(instance: Instance, namespace: str) -> None:
    make_strategy(
        instance, namespace, "early", {"phase": "Waiting", "reason": "AccountMissing", "message": "no account"}
    )
    assert said("logs", "early") == (
        1,
        "strategy 'early' has no pod (Waiting AccountMissing no account; it is to be Running)",
    )


def test_a_strategy_whose_run_is_over(instance: Instance, namespace: str) -> None:
    over = {"phase": "Sold", "reason": "StopHit", "message": "sold at the stop", "runner": {"epoch": 7}}
    make_strategy(instance, namespace, "over", over)
    code, text = said("logs", f"{namespace}/over")
    assert code == 1
    assert "has no pod and its log is gone with it (Sold StopHit sold at the stop" in text


@pytest.mark.parametrize(
    ("state", "why"), [(None, "not scheduled yet"), ({"waiting": {"reason": "ErrImagePull"}}, "ErrImagePull")]
)
def test_a_pod_that_has_not_started(instance: Instance, namespace: str, state: dict[str, Any] | None, why: str) -> None:
    make_pod(instance, namespace, "run-str-01x", state)
    assert said("logs", "str_01x") == (
        1,
        f"'str_01x' has a pod that has not started ({why}), so there is no log yet; see `algo status`",
    )


def test_a_pod_that_has_ended_is_still_read(instance: Instance, namespace: str) -> None:
    """There is no kubelet here, so kubectl finds nothing to print; but it is asked."""
    make_pod(instance, namespace, "run-ended", {"terminated": {"exitCode": 1}})
    assert said("logs", "ended") == (0, "")


def test_a_name_in_two_namespaces_is_asked_back(instance: Instance, namespace: str) -> None:
    make_pod(instance, namespace, "run-twice", {"running": {}})
    make_pod(instance, "default", "run-twice", {"running": {}})
    try:
        code, text = said("logs", "twice")
        assert code == 1
        assert f"name one: {namespace}/twice, default/twice" in text
    finally:
        attach(instance).kubectl("delete", "pod", "run-twice", "-n", "default", "--grace-period=0", "--force")


def test_status_half_up_shows_which_part_is_down(instance: Instance, tmp_path: Path) -> None:
    parts = {"etcd": {"up": 1, "restarts": 0}, "kubelet": {"up": 0, "restarts": 12}}
    (instance.state / "components.json").write_text(json.dumps(parts))
    code, text = said("status")
    assert code == 0
    assert "etcd │ up" in text
    assert "kubelet │ down │ 12" in text


@pytest.mark.parametrize("words", [("status",), ("logs", "some"), ("login", "--email=a@example.com", "--password=x")])
@pytest.mark.parametrize("kubeconfig", ["gone", "of another cluster", "of a server that is silent"])
def test_an_api_server_that_cannot_be_asked(
    instance: Instance, server: ApiServer, tmp_path: Path, kubeconfig: str, words: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        if kubeconfig == "gone":
            instance.kubeconfig.unlink()
        else:
            other = kubeconfig == "of another cluster"
            url = server.url if other else f"https://127.0.0.1:{silent.getsockname()[1]}"
            authority = ensure_authority(tmp_path / "other")
            write_token_kubeconfig(instance.kubeconfig, url, authority, server.token)
        code, text = said(*words)
    assert code == 1
    assert "the API server does not answer: " in text
    assert "`algo up` repairs it" in text
    assert server.token not in text
