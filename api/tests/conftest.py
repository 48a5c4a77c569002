"""Real servers for the API: PostgreSQL, Redis and kube-apiserver of this session, and the API served by uvicorn."""

import asyncio
import base64
import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn
import yaml
from algo_api.app import create_app
from algo_api.migrate import migrate
from algo_api.settings import Settings
from algo_kube.client import create_kube_client
from algo_kube.contract import KubeClient
from algo_kube.errors import AlreadyExistsError, NotFoundError, TooManyRequestsError
from algo_kube.resources import CRD, NAMESPACE, STRATEGY
from algo_local.controlplane import ApiServer, start_apiserver
from redis.asyncio import Redis

sys.path.insert(0, str(Path(__file__).parent))

_POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")
_MANIFESTS = Path(__file__).resolve().parents[2] / "crds" / "manifests"
APP_PASSWORD = secrets.token_hex(12)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_postgres(*command: str) -> None:
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, capture_output=True, cwd="/")


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    owner_url: str
    app_url: str
    port: int
    dump: Callable[[], str]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="algo-api-pg-"))
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
    port, data = _free_port(), str(folder / "data")
    _as_postgres(str(_POSTGRES_BIN / "initdb"), "-D", data, "-A", "trust", "-U", "owner", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = str(_POSTGRES_BIN / "pg_ctl")
    _as_postgres(control, "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
    psql = (str(_POSTGRES_BIN / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "owner", "-d", "postgres", "-c")
    _as_postgres(*psql, "CREATE ROLE algo_owner LOGIN CREATEROLE")  # as in production: no superuser
    _as_postgres(*psql, "CREATE DATABASE algo OWNER algo_owner")

    def dump() -> str:
        command = [str(_POSTGRES_BIN / "pg_dump"), "-h", "127.0.0.1", "-p", str(port), "-U", "owner", "algo"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    try:
        yield Postgres(
            owner_url=f"postgresql+asyncpg://algo_owner@127.0.0.1:{port}/algo",
            app_url=f"postgresql+asyncpg://algo_app:{APP_PASSWORD}@127.0.0.1:{port}/algo",
            port=port,
            dump=dump,
        )
    finally:
        _as_postgres(control, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> Postgres:
    asyncio.run(migrate(postgres.owner_url, postgres.app_url))
    return postgres


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("redis"), _free_port()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = start_apiserver(tmp_path_factory.mktemp("apiserver"))
    try:
        asyncio.run(_install_kinds(Path(server.kubeconfig)))
        yield server
    finally:
        server.stop()


async def _install_kinds(kubeconfig: Path) -> None:
    kube = await create_kube_client(kubeconfig)
    try:
        for path in sorted(_MANIFESTS.glob("*.yaml")):
            await kube.apply(CRD, yaml.safe_load(path.read_text()), field_manager="tests")
        await eventually(lambda: _kinds_served(kube), "the kinds are served", seconds=30)
    finally:
        await kube.close()


async def _kinds_served(kube: KubeClient) -> bool:
    try:
        await kube.list(STRATEGY)
    except (NotFoundError, TooManyRequestsError):
        return False
    return True


@pytest.fixture
async def kube(apiserver: ApiServer) -> AsyncIterator[KubeClient]:
    client = await create_kube_client(Path(apiserver.kubeconfig))
    yield client
    await client.close()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


async def eventually(check: Callable[[], Awaitable[Any]], what: str, *, seconds: float = 15) -> Any:
    """The first true answer of a check, polled until a deadline."""
    deadline = time.monotonic() + seconds
    while True:
        found = await check()
        if found:
            return found
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        await asyncio.sleep(0.05)


@pytest.fixture
def poll() -> Callable[..., Awaitable[Any]]:
    return eventually


@pytest.fixture
def settings(migrated: Postgres, redis_url: str, apiserver: ApiServer) -> Settings:
    return Settings.model_validate(
        {
            "database_url": migrated.app_url,
            "database_pool": 4,
            "redis_url": redis_url,
            "jwt_secret_key": secrets.token_hex(32),
            "aes_master_key": base64.b64encode(secrets.token_bytes(32)).decode(),
            "kubeconfig": apiserver.kubeconfig,
            "registrations_per_hour": 10_000,
            "login_attempts_per_minute": 10_000,
            "namespace_wait_seconds": 2.0,
            "background": False,
        }
    )


@contextlib.asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[str]:
    """The API on a port of its own."""
    config = uvicorn.Config(
        create_app(settings), host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1, loop="asyncio"
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve())
    try:
        await eventually(lambda: _started(server, task), "the API is served", seconds=30)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


async def _started(server: uvicorn.Server, task: "asyncio.Task[None]") -> bool:
    if task.done():
        task.result()
        raise AssertionError("the API ended at once")
    return server.started


@pytest.fixture
def serve() -> Callable[[Settings], contextlib.AbstractAsyncContextManager[str]]:
    return served


@pytest.fixture
async def url(settings: Settings) -> AsyncIterator[str]:
    async with served(settings) as address:
        yield address


@dataclass(frozen=True)
class Trader:
    """A registered user, signed in, with a namespace."""

    id: str
    tenant_id: str
    email: str
    password: str
    namespace: str
    http: httpx.AsyncClient
    tokens: dict[str, Any]


MakeTrader = Callable[..., Awaitable[Trader]]


@pytest.fixture
async def make_trader(kube: KubeClient) -> AsyncIterator[MakeTrader]:
    async with contextlib.AsyncExitStack() as stack:

        async def make(url: str, *, with_namespace: bool = True) -> Trader:
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=30))
            email, password = f"t{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(16)
            user = await http.post("/auth/register", json={"email": email, "password": password, "name": "Trader"})
            assert user.status_code == 201, user.text
            tokens = await http.post("/auth/login", json={"email": email, "password": password})
            assert tokens.status_code == 200, tokens.text
            http.headers["Authorization"] = f"Bearer {tokens.json()['access_token']}"
            body = user.json()
            namespace = "algo-" + body["tenant_id"].replace("_", "-")
            if with_namespace:
                await make_namespace(kube, namespace)
            return Trader(body["id"], body["tenant_id"], email, password, namespace, http, tokens.json())

        yield make


async def make_namespace(kube: KubeClient, namespace: str) -> None:
    """What the operator does for a Tenant."""
    with contextlib.suppress(AlreadyExistsError):
        await kube.create(NAMESPACE, {"metadata": {"name": namespace}})


@pytest.fixture
async def trader(url: str, make_trader: MakeTrader) -> Trader:
    return await make_trader(url)


@pytest.fixture
async def app_sql(migrated: Postgres) -> AsyncIterator[Any]:
    """Raw SQL as the application's own role."""
    connection: Any = await asyncpg.connect(  # type: ignore[no-untyped-call]
        migrated.app_url.replace("+asyncpg", "")
    )
    yield connection
    await connection.close()


SHORT = {"symbol": "RELIANCE", "quantity": 10, "buy_time": "09:20:00", "sell_time": "15:05:00", "stop_loss": "1900.50"}


@pytest.fixture
def short_form() -> dict[str, Any]:
    """The shortest way to a strategy."""
    return dict(SHORT)
