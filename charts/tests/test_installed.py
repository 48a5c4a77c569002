"""The chart on a real API server: installed, upgraded, and judged by Pod Security and RBAC."""

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from algo_local.controlplane import ApiServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

pytestmark = pytest.mark.apiserver

CHART = Path(__file__).parent.parent / "algo-trading"
NAMESPACE = "algo-system"
Manifest = dict[str, Any]
OPERATOR = f"system:serviceaccount:{NAMESPACE}:algo-operator"
API = f"system:serviceaccount:{NAMESPACE}:algo-api"


class Installed:
    """A release on a server, asked through kubectl."""

    def __init__(self, server: ApiServer, helm: Callable[..., Any]) -> None:
        self._server = server
        self._helm = helm

    def kubectl(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [str(self._server.kubectl()), "--kubeconfig", str(self._server.kubeconfig), *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)

    def helm(self, verb: str, *arguments: str) -> None:
        common = ("-n", NAMESPACE, "--kubeconfig", str(self._server.kubeconfig))
        done = self._helm(verb, "algo", str(CHART), *common, *arguments)
        assert done.returncode == 0, done.stderr

    def secrets(self) -> dict[str, dict[str, str]]:
        found = json.loads(self.kubectl("get", "secrets", "-n", NAMESPACE, "-o", "json").stdout)["items"]
        return {one["metadata"]["name"]: one["data"] for one in found if one["type"] == "Opaque"}

    def can(self, user: str, verb: str, what: str, *, namespace: str | None = None) -> bool:
        where = ["-n", namespace] if namespace else ["--all-namespaces"]
        return self.kubectl("auth", "can-i", verb, what, "--as", user, *where).stdout.strip() == "yes"


@pytest.fixture(scope="module")
def installed(apiserver: ApiServer, helm: Callable[..., Any]) -> Installed:
    release = Installed(apiserver, helm)
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    assert release.kubectl("apply", "-f", "-", stdin=json.dumps(namespace)).returncode == 0
    release.helm("install")
    return release


def test_secrets_survive_an_upgrade(installed: Installed) -> None:
    before = installed.secrets()
    installed.helm("upgrade", "--set", "api.replicas=2")
    assert installed.secrets() == before
    assert set(before) == {"algo-api", "algo-operator", "algo-redis", "algo-postgresql", "algo-simulator"}


def test_secrets_have_the_form_that_their_readers_want(installed: Installed) -> None:
    decoded = {
        name: {key: base64.b64decode(value) for key, value in data.items()}
        for name, data in installed.secrets().items()
    }
    assert len(base64.b64decode(decoded["algo-api"]["AES_MASTER_KEY"], validate=True)) == 32
    assert len(decoded["algo-api"]["JWT_SECRET_KEY"]) >= 32
    key = load_pem_private_key(decoded["algo-operator"]["signing.key"], password=None)
    assert isinstance(key, Ed25519PrivateKey)
    database = decoded["algo-postgresql"]
    assert database["DATABASE_URL"].startswith(b"postgresql://algo_app:" + database["app-password"] + b"@")
    assert database["DATABASE_OWNER_URL"].startswith(b"postgresql://algo_owner:" + database["owner-password"] + b"@")


def test_pod_security_lets_every_pod_in(installed: Installed, render: Callable[..., list[Manifest]]) -> None:
    for manifest in render():
        if manifest["kind"] not in {"Deployment", "StatefulSet"}:
            continue
        template = manifest["spec"]["template"]
        for claim in manifest["spec"].get("volumeClaimTemplates", []):
            template["spec"]["volumes"].append({"name": claim["metadata"]["name"], "emptyDir": {}})
        name = manifest["metadata"]["name"]
        metadata = {"name": f"try-{name}", "namespace": NAMESPACE, "labels": template["metadata"]["labels"]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        done = installed.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))
        assert done.returncode == 0, done.stderr
        assert "violate" not in done.stderr, done.stderr


def test_kubectl_takes_all_of_it(installed: Installed, render: Callable[..., list[Manifest]]) -> None:
    for manifest in render("--set", "api.podDisruptionBudget.enabled=true"):
        done = installed.kubectl(
            "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-",
            stdin=json.dumps(manifest),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_what_the_operator_may_do(installed: Installed) -> None:
    for kind in ("strategies", "brokeraccounts", "marketdatasources", "tenants"):
        assert installed.can(OPERATOR, "watch", f"{kind}.algo.trading")
    assert installed.can(OPERATOR, "create", "namespaces")
    assert installed.can(OPERATOR, "create", "leases.coordination.k8s.io", namespace=NAMESPACE)
    assert not installed.can(OPERATOR, "list", "secrets")
    assert not installed.can(OPERATOR, "get", "secrets", namespace=NAMESPACE)
    assert not installed.can(OPERATOR, "create", "pods")


def test_what_the_api_may_do(installed: Installed) -> None:
    assert installed.can(API, "watch", "strategies.algo.trading")
    assert installed.can(API, "create", "tenants.algo.trading")
    assert not installed.can(API, "create", "strategies.algo.trading")
    for what in ("secrets", "pods", "configmaps"):
        assert not installed.can(API, "get", what, namespace=NAMESPACE)


def test_the_operator_gives_itself_and_the_api_their_rights_in_a_tenant_and_no_others(installed: Installed) -> None:
    namespace = "algo-some-tenant"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    assert installed.kubectl("create", "--as", OPERATOR, "-f", "-", stdin=json.dumps(body)).returncode == 0

    def bind(role: str, account: str) -> bool:
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": f"{account}-{role}", "namespace": namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
        }
        done = installed.kubectl("create", "--as", OPERATOR, "-f", "-", stdin=json.dumps(binding))
        return done.returncode == 0

    assert not bind("cluster-admin", "algo-operator")
    assert bind("algo-operator-tenant", "algo-operator")
    assert bind("algo-api-tenant", "algo-api")
    assert installed.can(OPERATOR, "create", "pods", namespace=namespace)
    assert installed.can(OPERATOR, "patch", "strategies.algo.trading/status", namespace=namespace)
    assert installed.can(API, "patch", "strategies.algo.trading", namespace=namespace)
    assert not installed.can(API, "get", "secrets", namespace=namespace)

    # The Role of one session Secret, made by the operator, and nothing wider.
    def role(rules: list[Manifest]) -> bool:
        body = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": f"role-{len(json.dumps(rules))}", "namespace": namespace},
            "rules": rules,
        }
        return installed.kubectl("create", "--as", OPERATOR, "-f", "-", stdin=json.dumps(body)).returncode == 0

    session = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["main-session"]}
    assert role([session | {"verbs": ["get", "patch", "update"]}])
    assert not role([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create"]}])
