"""Answers that a healthy API server does not give on demand: recorded bytes from a plain HTTP server."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from algo_kube import errors
from algo_kube import resources as res
from algo_kube.client import create_kube_client
from algo_kube.contract import KubeClient

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[KubeClient]]

EXPIRED = {
    "type": "ERROR",
    "object": {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": "too old resource version: 1 (512)",
        "reason": "Expired",
        "code": 410,
    },
}
ADDED = {"type": "ADDED", "object": {"metadata": {"name": "a", "resourceVersion": "7"}}}


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts a server with one handler and gives a client for it."""
    runners: list[web.AppRunner] = []
    clients: list[KubeClient] = []

    async def start(handler: Handler) -> KubeClient:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        config = tmp_path / "kubeconfig"
        config.write_text(
            json.dumps(
                {
                    "current-context": "c",
                    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                    "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                    "users": [{"name": "u", "user": {"token": "secret-token"}}],
                }
            )
        )
        client = await create_kube_client(config)
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()
    for runner in runners:
        await runner.cleanup()


async def test_a_watch_from_a_version_that_is_too_old_is_gone(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text=json.dumps(EXPIRED) + "\n", content_type="application/json")

    client = await serve(handler)
    with pytest.raises(errors.GoneError, match="too old"):
        async for _ in client.watch(res.POD, resource_version="1"):
            pass


async def test_lines_may_come_in_pieces_and_be_long(serve: Serve) -> None:
    long = {"type": "MODIFIED", "object": {"metadata": {"name": "b" * 3_000_000, "resourceVersion": "8"}}}

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        data = (json.dumps(ADDED) + "\n" + json.dumps(long) + "\n").encode()
        for start in range(0, len(data), 400_001):
            await response.write(data[start : start + 400_001])
        await response.write_eof()
        return response

    client = await serve(handler)
    events = [event async for event in client.watch(res.POD)]
    assert [event.resource_version for event in events] == ["7", "8"]


async def test_slow_down_says_for_how_long(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "slow down"}, status=429, headers={"Retry-After": "2"})

    client = await serve(handler)
    with pytest.raises(errors.TooManyRequestsError) as caught:
        await client.list(res.POD)
    assert caught.value.retry_after == 2.0


async def test_an_answer_of_a_proxy_is_unavailable(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>bad gateway</html>", status=502, content_type="text/html")

    client = await serve(handler)
    with pytest.raises(errors.UnavailableError, match="bad gateway"):
        await client.get(res.POD, "a", namespace="b")


async def test_a_write_without_an_answer_is_sent_once_and_its_error_has_no_secret(serve: Serve) -> None:
    calls: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        calls.append(request.headers["Authorization"])
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    client = await serve(handler)
    with pytest.raises(errors.UnavailableError) as caught:
        await client.create(res.POD, {"metadata": {"name": "a", "namespace": "b"}})
    assert calls == ["Bearer secret-token"]
    assert "secret-token" not in str(caught.value)
