"""A real API server with our CRDs, a real Redis, and a context on both; no controllers run, so tests act for them."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from algo_kube.client import create_kube_client
from algo_kube.resources import CRD
from algo_local.controlplane import ApiServer, free_ports, start_apiserver
from algo_operator.cluster import create_cluster
from algo_operator.context import Context
from algo_operator.events import create_recorder
from algo_operator.ports import Cluster
from algo_operator.reconcile.dispatch import create_reconcile
from algo_operator.runtime import connect, create_runtime
from algo_operator.settings import PodSettings, RedisSettings, Settings, SimulatorSettings, TenancySettings
from algo_operator.status.writer import create_status_writer
from algo_operator.tokens import create_tokens
from algo_operator.vocabulary import OWN_KINDS, RESOURCE_QUOTA, Key, Manifest
from algo_operator.workqueue import Done, WorkQueue
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis.asyncio import Redis

MANIFESTS = Path(__file__).resolve().parents[2] / "crds" / "manifests"
OWNER = "usr_01hzy3v5k2m8n4p6q7r8s9t0a1"


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = start_apiserver(tmp_path_factory.mktemp("apiserver"))
    asyncio.run(install_crds(server))
    yield server
    server.stop()


async def install_crds(server: ApiServer) -> None:
    """Our CRDs, served, and the platform's namespace."""
    client = await create_kube_client(server.kubeconfig)
    cluster = create_cluster(client)
    for path in sorted(MANIFESTS.glob("*.yaml")):
        await client.apply(CRD, yaml.safe_load(path.read_text()), field_manager="test")
    deadline = time.monotonic() + 30
    for kind in OWN_KINDS:
        while True:
            try:
                await cluster.list(kind)
                break
            except Exception:
                assert time.monotonic() < deadline, f"{kind.plural} is not served"
                await asyncio.sleep(0.1)
    await client.create(_namespace_resource(), {"metadata": {"name": "algo-system"}}, field_manager="test")
    await client.close()


def _namespace_resource() -> Any:
    from algo_kube.resources import NAMESPACE

    return NAMESPACE


@dataclass
class RedisServer:
    """A redis-server of the test's own, which can be taken away and brought back."""

    port: int
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        acl = self.folder / "users.acl"
        acl.touch()
        arguments = ["--port", str(self.port), "--dir", str(self.folder), "--save", "", "--aclfile", str(acl)]
        self.process = subprocess.Popen(["redis-server", *arguments], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while (
            subprocess.run(["redis-cli", "-p", str(self.port), "ping"], capture_output=True, check=False).stdout.strip()
            != b"PONG"
        ):
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(free_ports(1)[0], tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator["Redis"]:
    client = connect(RedisSettings(url=redis_server.url))
    yield client
    await client.aclose()


@dataclass
class Recorder:
    """Counts writes that pass through the port."""

    writes: list[str] = field(default_factory=list)

    def wrap(self, cluster: Cluster) -> Cluster:
        def noting(name: str, function: Callable[..., Awaitable[Any]]) -> Any:
            async def call(*arguments: Any, **keywords: Any) -> Any:
                first = arguments[0]
                kind = first["kind"] if isinstance(first, dict) else first.kind
                if kind != "Event":
                    self.writes.append(f"{name} {kind}")
                return await function(*arguments, **keywords)

            return call

        return Cluster(
            get=cluster.get,
            list=cluster.list,
            watch=cluster.watch,
            create=noting("create", cluster.create),
            apply=noting("apply", cluster.apply),
            apply_status=noting("apply_status", cluster.apply_status),
            patch=noting("patch", cluster.patch),
            delete=noting("delete", cluster.delete),
        )


@dataclass
class Desk:
    """A context and what a test needs beside it."""

    context: Context
    cluster: Cluster
    recorder: Recorder
    redis: "Redis"
    halts: list[tuple[str, tuple[str, ...]]]
    client: Any
    reconcile: Callable[[Key], Awaitable[Done]]

    async def settle(self, *keys: Key, passes: int = 3) -> None:
        """Reconciles the keys, and what they wake, a few times; acts for the quota controller."""
        for _ in range(passes):
            for key in keys:
                await self.reconcile(key)
            await self.fill_quotas()

    async def fill_quotas(self) -> None:
        for quota in await self.cluster.list(RESOURCE_QUOTA):
            if not quota.get("status", {}).get("hard"):
                hard = quota["spec"]["hard"]
                metadata = quota["metadata"]
                from algo_kube.resources import RESOURCE_QUOTA as QUOTAS

                await self.client.patch(
                    QUOTAS,
                    metadata["name"],
                    {"status": {"hard": hard, "used": dict.fromkeys(hard, "0")}},
                    namespace=metadata["namespace"],
                    subresource="status",
                )

    async def kubelet(self, pod: Manifest, **status: Any) -> None:
        """Writes a pod's status, as its kubelet would."""
        from algo_kube.resources import POD as PODS

        metadata = pod["metadata"]
        await self.client.patch(
            PODS, metadata["name"], {"status": status}, namespace=metadata["namespace"], subresource="status"
        )


def make_settings(tmp_path: Path, url: str, *, simulator: bool = True, image: str = "algo:test") -> Settings:
    return Settings(
        namespace="algo-system",
        identity="test",
        signing_key_file="",
        pods=PodSettings(image=image, redis_url="redis://redis.algo-system.svc:6379/0"),
        redis=RedisSettings(url=url),
        simulator=SimulatorSettings(
            control_url="http://simulator.algo-system.svc:9000",
            brokers={"zerodha": "http://simulator.algo-system.svc:9010"},
            token_file="",
        )
        if simulator
        else None,
        tenancy=TenancySettings(api_cluster_role="view", operator_cluster_role="edit"),
    )


MakeDesk = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def make_desk(
    apiserver: ApiServer, redis_server: RedisServer, redis: "Redis", tmp_path: Path
) -> AsyncIterator[MakeDesk]:
    clients: list[Any] = []

    async def make(*, clock: Callable[[], float] = time.time, **changes: Any) -> Desk:
        client = await create_kube_client(apiserver.kubeconfig)
        clients.append(client)
        recorder, queue = Recorder(), WorkQueue()
        cluster = recorder.wrap(create_cluster(client))
        halts: list[tuple[str, tuple[str, ...]]] = []

        async def push(*, url: str, reasons: Sequence[str]) -> bool:
            halts.append((url, tuple(reasons)))
            return True

        context = Context(
            cluster=cluster,
            runtime=create_runtime(redis, manage_users=True),
            tokens=create_tokens(Ed25519PrivateKey.from_private_bytes(b"k" * 32)),
            settings=make_settings(tmp_path, redis_server.url, **changes),
            status=create_status_writer(cluster, later=queue.add_later),
            tell=create_recorder(cluster, identity="test"),
            queue=queue,
            push_halts=push,
            world_token="world",
            clock=clock,
        )
        return Desk(context, cluster, recorder, redis, halts, client, create_reconcile(context))

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
async def desk(make_desk: MakeDesk) -> Desk:
    return await make_desk()
