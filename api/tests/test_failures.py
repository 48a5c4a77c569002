"""With a part away the API says so, and what protects money still works."""

from typing import Any

import httpx
from algo_api.settings import Settings
from algo_kube.contract import KubeClient
from algo_kube.resources import STRATEGY

DEAD = "127.0.0.1:1"


async def test_without_redis_a_strategy_can_be_read_and_stopped(
    settings: Settings, serve: Any, make_trader: Any, kube: KubeClient, short_form: dict[str, Any]
) -> None:
    async with serve(settings) as url:
        trader = await make_trader(url)
        made = (await trader.http.post("/strategies", json=short_form)).json()
    async with serve(settings.model_copy(update={"redis_url": f"redis://{DEAD}/0"})) as url:
        base = f"{url}/api/v1"
        stopped = await trader.http.post(f"{base}/strategies/{made['id']}/stop")
        assert (stopped.status_code, stopped.json()["desired_state"]) == (200, "Stopped"), stopped.text
        assert (await trader.http.get(f"{base}/strategies")).status_code == 200
        stream = await trader.http.get(f"{base}/strategies/{made['id']}/stream")
        assert (stream.status_code, stream.json()["code"]) == (503, "unavailable")
        body = {"email": trader.email, "password": trader.password}
        login = await trader.http.post(f"{base}/auth/login", json=body)
        assert (login.status_code, login.json()["code"]) == (503, "unavailable")
        ready = (await trader.http.get(f"{url}/readyz")).json()
    assert ready == {"status": "ok", "database": True, "redis": False}
    namespace, name = made["resource"].split("/")
    assert (await kube.get(STRATEGY, name, namespace=namespace))["spec"]["desiredState"] == "Stopped"


async def test_without_the_database_it_is_503_and_not_ready(settings: Settings, serve: Any, make_trader: Any) -> None:
    async with serve(settings) as url:
        trader = await make_trader(url)
    dead = type(settings.database_url)(f"postgresql://algo_app@{DEAD}/postgres")
    async with serve(settings.model_copy(update={"database_url": dead})) as url:
        answer = await trader.http.get(f"{url}/api/v1/strategies")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert "retry-after" in answer.headers
        ready = await trader.http.get(f"{url}/readyz")
        alive = await trader.http.get(f"{url}/healthz")
    assert (ready.status_code, alive.status_code) == (503, 200)


async def test_without_the_cluster_a_trader_registers_and_writes_are_503(
    settings: Settings, serve: Any, tmp_path: Any, short_form: dict[str, Any]
) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {}}], "
        f"clusters: [{{name: c, cluster: {{server: 'http://{DEAD}'}}}}], "
        "contexts: [{name: c, context: {cluster: c, user: u}}]}"
    )
    async with (
        serve(settings.model_copy(update={"kubeconfig": config})) as url,
        httpx.AsyncClient(base_url=f"{url}/api/v1") as http,
    ):
        body = {"email": f"{tmp_path.name.replace('_', '-')}@example.com", "password": "a-long-password", "name": "T"}
        assert (await http.post("/auth/register", json=body)).status_code == 201
        tokens = (await http.post("/auth/login", json={k: body[k] for k in ("email", "password")})).json()
        http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        answer = await http.post("/strategies", json=short_form)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
