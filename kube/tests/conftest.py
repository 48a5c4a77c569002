"""A real API server for the client: its answers are what the client exists for."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from algo_kube.client import create_kube_client
from algo_kube.contract import KubeClient
from algo_local.controlplane import ApiServer, start_apiserver


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = start_apiserver(tmp_path_factory.mktemp("apiserver"))
    yield server
    server.stop()


@pytest.fixture
async def kube(apiserver: ApiServer) -> AsyncIterator[KubeClient]:
    client = await create_kube_client(Path(apiserver.kubeconfig))
    yield client
    await client.close()
