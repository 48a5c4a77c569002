"""What the gateway's tests share: stand-ins and processes, as modules beside this file."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "brokers" / "tests" / "support"))

from gateway_bench import bench
from gateway_processes import RedisServer
from lockstep_stage import Simulator, running_simulator

__all__ = ["bench", "redis", "simulator"]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A real simulator process."""
    with running_simulator(tmp_path_factory.mktemp("simulator")) as one:
        yield one


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A private Redis server."""
    directory = tmp_path / "redis"
    directory.mkdir()
    server = RedisServer(directory)
    server.start()
    yield server
    server.stop()
