"""A real API server with the generated CRDs: it alone decides what the schema and the CEL rules mean."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml
from algo_crds.generate import render
from algo_kube import resources as res
from algo_kube.client import create_kube_client
from algo_kube.contract import KubeClient
from algo_kube.errors import KubeError
from algo_local.controlplane import ApiServer, start_apiserver

READY_SECONDS = 30.0


async def _install(kubeconfig: Path) -> None:
    kube = await create_kube_client(kubeconfig)
    for text in render().values():
        await kube.apply(res.CRD, yaml.safe_load(text), field_manager="test")
    deadline = asyncio.get_running_loop().time() + READY_SECONDS
    waiting = [res.STRATEGY, res.BROKER_ACCOUNT, res.MARKET_DATA_SOURCE, res.TENANT]
    while waiting:
        try:
            await kube.list(waiting[0])
            waiting.pop(0)
        except KubeError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.1)
    await kube.close()


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = start_apiserver(tmp_path_factory.mktemp("apiserver"))
    asyncio.run(_install(Path(server.kubeconfig)))
    yield server
    server.stop()


@pytest.fixture
async def kube(apiserver: ApiServer) -> AsyncIterator[KubeClient]:
    client = await create_kube_client(Path(apiserver.kubeconfig))
    yield client
    await client.close()
