"""The whole process, as its own service account with the chart's roles: a Tenant and a Strategy become objects."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml
from algo_kube.client import create_kube_client
from algo_kube.contract import KubeClient
from algo_kube.errors import KubeError, NotFoundError
from algo_kube.resources import BROKER_ACCOUNT, LEASE, NAMESPACE, POD, RESOURCE_QUOTA, SERVICE_ACCOUNT, STRATEGY, TENANT
from algo_local.binaries import ensure_binary
from algo_local.controlplane import ApiServer, free_ports, start_apiserver
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from .conftest import OWNER, RedisServer, install_crds

pytestmark = [pytest.mark.apiserver, pytest.mark.redis]

CHART = Path(__file__).resolve().parents[2] / "charts" / "algo-trading"
_ACCOUNT = "system:serviceaccount:algo-system:algo-operator"


@pytest.fixture(scope="module")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A cluster of its own: the process acts on all that it finds, and would go on with what other tests left, at
    the times that are due there."""
    server = start_apiserver(tmp_path_factory.mktemp("process"))
    asyncio.run(install_crds(server))
    yield server
    server.stop()


async def until(what: str, check: Callable[[], Any], seconds: float = 40.0) -> Any:
    """Polls until the answer is true; a server or process that does not answer has not answered yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := await check():
                return found
        except (KubeError, OSError):
            pass
        assert time.monotonic() < deadline, f"not in time: {what}"
        await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def roles() -> list[dict[str, Any]]:
    """The chart's own RBAC objects, rendered by helm."""
    rendered = subprocess.run(
        [
            str(ensure_binary("helm")), "template", "algo", str(CHART), "--namespace", "algo-system",
            "--kube-version", "v1.35.0", "--show-only", "templates/rbac.yaml",
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [one for one in yaml.safe_load_all(rendered) if one]


async def install_roles(client: KubeClient, roles: list[dict[str, Any]]) -> None:
    """Applies them."""
    from algo_kube.resources import ALL, Resource

    extra = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
    kinds = {one.kind: one for one in (*ALL, extra)}
    for manifest in roles:
        await client.apply(kinds[manifest["kind"]], manifest, field_manager="test")


async def service_account_kubeconfig(client: KubeClient, server: ApiServer, folder: Path) -> Path:
    """A kubeconfig with a token of the operator's service account: no more rights than it has in the cluster."""
    path = SERVICE_ACCOUNT.path("algo-system", "algo-operator", "token")
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = await client.raw("POST", path, body=body)
    config = yaml.safe_load(server.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": answer["status"]["token"]}
    target = folder / "operator.kubeconfig"
    target.write_text(yaml.safe_dump(config))
    return target


class Operator:
    """The process."""

    def __init__(self, kubeconfig: Path, redis_url: str, folder: Path) -> None:
        self.port = free_ports(1)[0]
        key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "signing.pem").write_bytes(key)
        (folder / "sim-token").write_text("token")
        self.log = folder / "operator.log"
        self.environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "REDIS_URL": redis_url,
            "IMAGE": "algo:test",
            "TOKEN_SIGNING_KEY_FILE": str(folder / "signing.pem"),
            "SIMULATOR_ENABLED": "true",
            "SIMULATOR_CONTROL_URL": "http://127.0.0.1:9",
            "SIMULATOR_BROKER_URLS": '{"zerodha": "http://127.0.0.1:9"}',
            "SIMULATOR_TOKEN_FILE": str(folder / "sim-token"),
            "GATEWAY_URL_TEMPLATE": "http://127.0.0.1:9/{namespace}/{name}",
            "API_TENANT_CLUSTER_ROLE": "algo-api-tenant",
            "OPERATOR_TENANT_CLUSTER_ROLE": "algo-operator-tenant",
            "HEALTH_PORT": str(self.port),
            "SWEEP_SECONDS": "1",
            "RESYNC_SECONDS": "5",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "algo_operator"], env=self.environment, stdout=log, stderr=log
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def get(self, path: str) -> str:
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return str(answer.read().decode())


@pytest.fixture
async def client(apiserver: ApiServer) -> AsyncIterator[KubeClient]:
    made = await create_kube_client(apiserver.kubeconfig)
    yield made
    await made.close()


@pytest.fixture
def operators(redis_server: RedisServer, tmp_path: Path) -> Iterator[Callable[[Path], Operator]]:
    made: list[Operator] = []

    def make(kubeconfig: Path) -> Operator:
        folder = tmp_path / f"operator-{len(made)}"
        folder.mkdir()
        operator = Operator(kubeconfig, redis_server.url, folder)
        made.append(operator)
        return operator

    yield make
    for operator in made:
        if operator.process is not None and operator.process.poll() is None:
            operator.process.kill()
            operator.process.wait()
        sys.stdout.write(operator.log.read_text()[-6000:])


async def furnish(client: KubeClient, name: str, namespace: str) -> None:
    """A Tenant and a Strategy; acts for the quota controller."""
    await client.create(TENANT, {"metadata": {"name": name}, "spec": {"displayName": "P", "owner": OWNER[:-2] + "zz"}})
    quota = await until("quota", lambda: client.get(RESOURCE_QUOTA, "tenant", namespace=namespace))
    hard = quota["spec"]["hard"]
    await client.patch(
        RESOURCE_QUOTA, "tenant", {"status": {"hard": hard, "used": dict.fromkeys(hard, "0")}},
        namespace=namespace, subresource="status",
    )  # fmt: skip
    await until("gateway", lambda: client.get(POD, "gw-paper", namespace=namespace))
    await client.create(
        STRATEGY,
        {
            "metadata": {"name": "one", "namespace": namespace},
            "spec": {
                "symbol": "TCS", "quantity": 1, "buyTime": "09:20:00", "sellTime": "15:00:00",
                "stopLoss": {"points": 5},
            },
        },
    )  # fmt: skip


async def test_the_process_does_its_work_with_the_charts_rights_and_restarts_without_a_write(
    client: KubeClient,
    apiserver: ApiServer,
    operators: Callable[[Path], Operator],
    tmp_path: Path,
    roles: list[dict[str, Any]],
) -> None:
    await install_roles(client, roles)
    operator = operators(await service_account_kubeconfig(client, apiserver, tmp_path))
    operator.start()
    name, namespace = "tnt-process", "algo-tnt-process"
    await furnish(client, name, namespace)
    pod = await until("runner", lambda: client.get(POD, "run-one", namespace=namespace))
    status = (await client.get(STRATEGY, "one", namespace=namespace))["status"]
    assert pod["metadata"]["annotations"]["algo.trading/epoch"] == str(status["runner"]["epoch"])
    assert operator.get("/healthz") == "ok"
    assert "algo_operator_leader 1.0" in operator.get("/metrics")

    # A pod that vanishes while nobody looks, and one that vanishes while the operator watches.
    await client.delete(POD, "run-one", namespace=namespace, grace_seconds=0)

    async def successor() -> bool:
        found = await client.get(POD, "run-one", namespace=namespace)
        return bool(found["metadata"]["uid"] != pod["metadata"]["uid"])

    await until("the successor of a deleted pod", successor)

    async def counted() -> bool:
        return bool((await client.get(TENANT, name))["status"].get("strategies") == 1)

    await until("the tenant's count", counted)
    before = await at_peace(operator, client, namespace, name)
    assert operator.stop() == 0
    lease = await client.get(LEASE, "algo-operator", namespace="algo-system")
    assert not lease["spec"].get("holderIdentity"), "a clean stop gives the lease up"
    operator.start()

    async def looked_twice() -> bool:
        return all(number >= 2 for number in reconciles(operator).values())

    await until("two passes over everything after a restart", looked_twice)
    assert await versions(client, namespace, name) == before
    metrics = operator.get("/metrics")
    assert not [line for line in metrics.splitlines() if line.startswith("algo_operator_writes_total{")]


def reconciles(operator: Operator) -> dict[str, float]:
    """How often the process has reconciled something of each kind. Here is one object of each."""
    found = dict.fromkeys(("Tenant", "BrokerAccount", "MarketDataSource", "Strategy"), 0.0)
    for line in operator.get("/metrics").splitlines():
        for kind in found:
            if line.startswith(f'algo_operator_reconciles_total{{kind="{kind}",result="ok"}}'):
                found[kind] = float(line.split()[-1])
    return found


async def at_peace(operator: Operator, client: KubeClient, namespace: str, tenant: str) -> dict[str, str]:
    """Versions of everything, once each kind was reconciled twice and nothing has changed. The second of them began
    after the change before, so it had something to write if anything had."""
    seen: dict[str, str] = {}
    since: dict[str, float] = {}

    async def unchanged() -> bool:
        nonlocal seen, since
        passes = reconciles(operator)
        now = await versions(client, namespace, tenant)
        if now != seen:
            seen, since = now, reconciles(operator)
        return all(passes[kind] - number >= 2 for kind, number in since.items())

    await until("two passes over everything without a change", unchanged)
    return seen


async def versions(client: KubeClient, namespace: str, tenant: str) -> dict[str, str]:
    """resourceVersions of everything that the operator writes for a tenant."""
    found = {}
    for kind in (STRATEGY, BROKER_ACCOUNT, POD):
        for one in (await client.list_all(kind, namespace=namespace)).items:
            found[f"{kind.kind}/{one['metadata']['name']}"] = one["metadata"]["resourceVersion"]
    for kind, name in ((TENANT, tenant), (NAMESPACE, namespace)):
        found[kind.kind] = (await client.get(kind, name))["metadata"]["resourceVersion"]
    return found


async def test_only_one_of_two_processes_acts_and_the_other_takes_over(
    client: KubeClient,
    apiserver: ApiServer,
    operators: Callable[[Path], Operator],
    tmp_path: Path,
    roles: list[dict[str, Any]],
) -> None:
    await install_roles(client, roles)
    kubeconfig = await service_account_kubeconfig(client, apiserver, tmp_path)
    with contextlib.suppress(NotFoundError):  # of a process that another test has killed
        await client.delete(LEASE, "algo-operator", namespace="algo-system")
    first, second = operators(kubeconfig), operators(kubeconfig)
    first.environment["POD_NAME"], second.environment["POD_NAME"] = "first", "second"

    async def holder() -> str:
        try:
            lease = await client.get(LEASE, "algo-operator", namespace="algo-system")
        except NotFoundError:
            return ""
        return str(lease["spec"].get("holderIdentity") or "")

    first.start()
    await until("the first leads", lambda: _is(holder, "first"))
    second.start()
    await until("the second waits", lambda: _serves(second))
    assert "algo_operator_leader 0.0" in second.get("/metrics")
    assert first.stop() == 0
    await until("the second leads", lambda: _is(holder, "second"))


async def _is(holder: Callable[[], Any], name: str) -> bool:
    return bool(await holder() == name)


async def _serves(operator: Operator) -> bool:
    return "algo_operator" in operator.get("/metrics")
