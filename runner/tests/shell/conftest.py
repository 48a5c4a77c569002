"""Fixtures of the shell's tests."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from shell_gateway import FakeGateway
from shell_processes import RedisServer, RunnerProcess, make_spec


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A private Redis server."""
    directory = tmp_path / "redis"
    directory.mkdir()
    server = RedisServer(directory)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    """A gateway with a market of its own clock."""
    double = FakeGateway()
    await double.start()
    yield double
    await double.stop()


@pytest.fixture
def runner(tmp_path: Path, redis: RedisServer, gateway: FakeGateway) -> Iterator[RunnerProcess]:
    """A runner whose spec is in Redis; not started."""
    redis.put_spec(make_spec())
    directory = tmp_path / "runner"
    directory.mkdir()
    process = RunnerProcess(directory, redis.port, gateway.port)
    yield process
    process.kill()
