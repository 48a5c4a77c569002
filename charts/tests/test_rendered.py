"""What is true of every manifest of the chart, whatever the values."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHART = Path(__file__).parent.parent / "algo-trading"
Manifest = dict[str, Any]
Render = Callable[..., list[Manifest]]

VARIANTS: list[tuple[str, ...]] = [
    (),
    ("-f", str(CHART / "values-production.yaml")),
    ("--set", "redis.externalUrl=rediss://cache.example:6379/0,redis.users=external,redis.sharedUsername=algo"),
    ("--set", "secrets.existing.postgresql=a,secrets.existing.api=b,secrets.existing.redis=c"),
    ("--set", "redis.persistence.enabled=false,postgresql.persistence.enabled=false,api.replicas=3"),
]  # fmt: skip


@pytest.fixture(params=VARIANTS, ids=["default", "production", "outside-redis", "own-secrets", "no-volumes"])
def manifests(request: pytest.FixtureRequest, render: Render) -> list[Manifest]:
    return render(*request.param)


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for manifest in manifests:
        if manifest["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield manifest["metadata"]["name"], manifest["spec"]["template"]["spec"]


def containers(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest, bool]]:
    """Name of the pod, container, whether it is an init container."""
    for name, pod in pods(manifests):
        for container in pod["containers"]:
            yield name, container, False
        for container in pod.get("initContainers", []):
            yield name, container, True


def find(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = (m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name)
    return found


def test_every_container_is_restricted(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests):
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] > 0, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not any("hostPath" in volume for volume in pod["volumes"]), name
    for name, container, _ in containers(manifests):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


def test_every_container_has_probes_and_resources(manifests: list[Manifest]) -> None:
    for name, container, is_init in containers(manifests):
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
        assert "memory" in container["resources"]["limits"], name
        if not is_init:
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys(), name


def test_images_are_pinned(manifests: list[Manifest]) -> None:
    for name, container, _ in containers(manifests):
        image = container["image"]
        _, _, tag = image.rpartition("/")[2].partition(":")
        assert "@sha256:" in image or (tag and tag != "latest"), name


def test_only_those_that_need_the_api_server_get_a_token(manifests: list[Manifest]) -> None:
    with_token = {name for name, pod in pods(manifests) if pod.get("automountServiceAccountToken", True)}
    assert with_token == {"algo-operator", "algo-api"}


def test_no_secret_stands_outside_a_secret(manifests: list[Manifest]) -> None:
    values = []
    for manifest in manifests:
        if manifest["kind"] == "Secret":
            for encoded in manifest["data"].values():
                text = base64.b64decode(encoded).decode()
                values += [text, encoded, *text.split("@")[0].rsplit(":", 1)[-1:]]
    others = json.dumps([manifest for manifest in manifests if manifest["kind"] != "Secret"])
    for value in values:
        if len(value) >= 20:
            assert value not in others
    for name, container, _ in containers(manifests):
        for variable in container.get("env", []):
            secretive = any(word in variable["name"] for word in ("PASSWORD", "SECRET", "KEY", "TOKEN", "DATABASE_"))
            if secretive and not variable["name"].endswith("_FILE"):
                assert "valueFrom" in variable, f"{name}: {variable['name']}"


def test_secrets_are_kept(manifests: list[Manifest]) -> None:
    for manifest in manifests:
        if manifest["kind"] in {"Secret", "CustomResourceDefinition"}:
            assert manifest["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_roles_name_what_they_allow(manifests: list[Manifest]) -> None:
    for manifest in manifests:
        for rule in manifest.get("rules", []) if manifest["kind"] in {"Role", "ClusterRole"} else []:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"], manifest["metadata"]["name"]
            assert "escalate" not in rule["verbs"]
            assert "impersonate" not in rule["verbs"]
            if "bind" in rule["verbs"]:
                assert rule["resourceNames"] == ["algo-operator-tenant", "algo-api-tenant"]


def test_nobody_reads_secrets_of_the_whole_cluster(manifests: list[Manifest]) -> None:
    bound = {m["roleRef"]["name"] for m in manifests if m["kind"] == "ClusterRoleBinding"}
    for manifest in manifests:
        if manifest["kind"] == "ClusterRole" and manifest["metadata"]["name"] in bound:
            assert not any("secrets" in rule["resources"] for rule in manifest["rules"])
    api = find(manifests, "ClusterRole", "algo-api-tenant")
    assert all(rule["apiGroups"] == ["algo.trading"] for rule in api["rules"])


def test_every_pod_is_behind_a_policy(manifests: list[Manifest]) -> None:
    deny = find(manifests, "NetworkPolicy", "algo-default-deny")["spec"]
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in deny
    selectors = [m["spec"]["podSelector"]["matchLabels"] for m in manifests if m["kind"] == "NetworkPolicy"]
    for manifest in manifests:
        if manifest["kind"] in {"Deployment", "StatefulSet"}:
            labels = manifest["spec"]["template"]["metadata"]["labels"]
            assert sum(selector.items() <= labels.items() for selector in selectors) >= 2, manifest["metadata"]["name"]


def test_services_select_pods(manifests: list[Manifest]) -> None:
    templates = [m["spec"]["template"] for m in manifests if m["kind"] in {"Deployment", "StatefulSet"}]
    for manifest in manifests:
        if manifest["kind"] == "Service":
            selector = manifest["spec"]["selector"].items()
            (template,) = (one for one in templates if selector <= one["metadata"]["labels"].items())
            ports = {port["name"] for port in template["spec"]["containers"][0]["ports"]}
            assert {port["targetPort"] for port in manifest["spec"]["ports"]} <= ports


def test_the_owner_of_the_database_is_known_to_the_migration_only(manifests: list[Manifest]) -> None:
    for name, container, is_init in containers(manifests):
        names = {variable["name"] for variable in container.get("env", [])}
        assert ("DATABASE_OWNER_URL" in names) == is_init, name


def test_gateways_are_told_who_knows_their_address(render: Render) -> None:
    for url in ("", "https://address.example/ip"):
        operator = find(render("--set", f"gateway.addressCheckUrl={url}"), "Deployment", "algo-operator")
        (container,) = operator["spec"]["template"]["spec"]["containers"]
        env = {one["name"]: one.get("value") for one in container["env"]}
        assert env["ADDRESS_CHECK_URL"] == url


def test_production_has_no_simulator(render: Render) -> None:
    manifests = render("-f", str(CHART / "values-production.yaml"))
    assert "simulator" not in json.dumps([m for m in manifests if m["kind"] != "CustomResourceDefinition"]).lower()


def test_an_outside_postgresql_by_secret_is_not_installed(render: Render) -> None:
    manifests = render("--set", "postgresql.enabled=false,secrets.existing.postgresql=mine")
    assert [m["metadata"]["name"] for m in manifests if m["kind"] == "StatefulSet"] == ["algo-redis"]
    migrate = find(manifests, "Deployment", "algo-api")["spec"]["template"]["spec"]["initContainers"][0]
    (owner,) = (one for one in migrate["env"] if one["name"] == "DATABASE_OWNER_URL")
    assert owner["valueFrom"]["secretKeyRef"] == {"name": "mine", "key": "DATABASE_OWNER_URL"}


def test_the_installed_postgresql_takes_its_own_secret(render: Render) -> None:
    manifests = render("--set", "secrets.existing.postgresql=mine")
    volumes = find(manifests, "StatefulSet", "algo-postgresql")["spec"]["template"]["spec"]["volumes"]
    assert [one["secret"]["secretName"] for one in volumes if "secret" in one] == ["mine"]


def test_outside_databases_are_not_installed(render: Render) -> None:
    manifests = render(
        "--set", "redis.externalUrl=rediss://cache.example:6379/0,postgresql.externalUrl=postgresql://u:p@db/algo"
    )
    assert not [m for m in manifests if m["kind"] == "StatefulSet"]
    env = find(manifests, "Deployment", "algo-api")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "REDIS_URL", "value": "rediss://cache.example:6379/0"} in env


@pytest.mark.parametrize(
    "values",
    [
        "api.replicas=0",
        "image.tag=latest",
        "redis.externalUrl=redis://user:password@cache/0",
        "redis.users=some",
        "nonsense=1",
        "operator.dnsCidrs={not-a-network}",
        "redis.image.tag=",
    ],
)
def test_wrong_values_are_refused(helm: Callable[..., Any], values: str) -> None:
    done = helm("template", "algo", str(CHART), "--kube-version", "1.35.4", "--set", values)
    assert done.returncode != 0
    assert "values" in done.stderr


def test_lint(helm: Callable[..., Any]) -> None:
    done = helm("lint", "--strict", str(CHART), str(CHART.parent / "algo-trading-crds"))
    assert done.returncode == 0, done.stdout + done.stderr
