"""The whole platform on a native cluster of its own (instance `test`), beside whatever else runs on the machine."""

import base64
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
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


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The platform, installed with crash points, and torn down to nothing at the end."""
    cluster = native.start(INSTANCE, print)
    try:
        images = release.load_images(cluster, print)
        release.install_chart(cluster, images, {"operator.crashPoints": "true"})
        secret = json.loads(cluster.kubectl("-n", release.NAMESPACE, "get", "secret", "algo-simulator", "-o", "json"))
        simulator = service(cluster, "algo-simulator")
        yield System(
            cluster=cluster,
            kubectl=Kubectl(binary=cluster.kubectl_path, kubeconfig=cluster.kubeconfig),
            endpoints=Endpoints(
                api=release.api_url(cluster),
                control=f"http://{simulator}:9000",
                brokers={name: f"http://{simulator}:{port}" for name, port in BROKER_PORTS.items()},
                control_token=base64.b64decode(secret["data"]["token"]).decode(),
            ),
        )
    finally:
        if not os.environ.get("ALGO_KEEP_CLUSTER"):
            native.stop(INSTANCE)


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
