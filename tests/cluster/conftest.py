"""The whole platform on a native cluster of its own (instance `test`), beside whatever else runs on the machine.

Tests run side by side in several processes (`pytest -n`): each waits most of its time, for pods and for markets. The
first process installs the platform, the last one takes it down; a test marked `alone` disturbs everybody, so it has the
platform to itself.
"""

import base64
import fcntl
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from algo_local import cluster as native
from algo_local import release
from algo_local.cluster import Cluster
from algo_local.demo.endpoints import BROKER_PORTS, Endpoints, Kubectl
from cluster_stage import House, System

INSTANCE = os.environ.get("ALGO_TEST_INSTANCE", "test")
ROOT = Path(__file__).resolve().parents[2]


def service(cluster: Cluster, name: str) -> str:
    """The cluster address of a service of the release; the machine reaches it."""
    path = "jsonpath={.spec.clusterIP}"
    return cluster.kubectl("-n", release.NAMESPACE, "get", "service", name, "-o", path).strip()


@contextmanager
def locked(path: Path, kind: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Hold a lock of all processes of this run."""
    with path.open("a") as file:
        fcntl.flock(file, kind)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that must be alone come last, when other processes run out of work anyway."""
    items.sort(key=lambda item: item.get_closest_marker("alone") is not None)


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


def installed() -> Cluster:
    """A new cluster with the platform, or nothing of it."""
    try:
        cluster = native.start(INSTANCE, print)
        release.install_chart(cluster, release.load_images(cluster, print), {"operator.crashPoints": "true"})
    except BaseException:
        native.stop(INSTANCE)
        raise
    return cluster


@pytest.fixture(scope="session")
def cluster(common: Path) -> Iterator[Cluster]:
    """The platform, installed with crash points, and torn down to nothing by the last process that used it."""
    users = common / "users"
    with locked(common / "install.lock"):
        users.touch()
        found = native.find(INSTANCE) if users.stat().st_size else None
        if found is None:
            found = installed()
        users.write_text(users.read_text() + "u")
    yield found
    with locked(common / "install.lock"):
        users.write_text(users.read_text()[1:])
        if not users.stat().st_size and not os.environ.get("ALGO_KEEP_CLUSTER"):
            native.stop(INSTANCE)


@pytest.fixture(scope="session")
def system(cluster: Cluster) -> System:
    """Where the installed platform is reached."""
    secret = json.loads(cluster.kubectl("-n", release.NAMESPACE, "get", "secret", "algo-simulator", "-o", "json"))
    simulator = service(cluster, "algo-simulator")
    return System(
        cluster=cluster,
        kubectl=Kubectl(binary=cluster.kubectl_path, kubeconfig=cluster.kubeconfig),
        endpoints=Endpoints(
            api=release.api_url(cluster),
            control=f"http://{simulator}:9000",
            brokers={name: f"http://{simulator}:{port}" for name, port in BROKER_PORTS.items()},
            control_token=base64.b64decode(secret["data"]["token"]).decode(),
        ),
    )


@pytest.fixture(autouse=True)
def room(request: pytest.FixtureRequest, common: Path, cluster: Cluster) -> Iterator[None]:
    """The platform shared with other tests, or all of it for one that is marked `alone`."""
    alone = request.node.get_closest_marker("alone") is not None
    with locked(common / "room.lock", fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
        yield


@pytest.fixture
async def house(system: System) -> AsyncIterator[House]:
    """A trader of this test's own, gone afterwards with all that belongs to it."""
    async with House.open(system) as opened:
        yield opened


@pytest.fixture(scope="session")
def recorded_ticks() -> Path | None:
    """The recorded ticks, or None where they are not: for tests that can do with the synthetic session."""
    folder = Path(os.environ.get("ALGO_DATA_DIR", ROOT.parent / "shared" / "data")) / "ticks"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def ticks(recorded_ticks: Path | None) -> Path:
    """The recorded ticks, for tests marked `data`: where there are none those are left out, and a line says so."""
    if recorded_ticks is None:
        pytest.fail("no recorded ticks: mark the test `data`")
    return recorded_ticks
