"""Strategies made with kubectl appear in the API and the other way round; what is gone there is gone here."""

import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest
from algo_api.settings import Settings
from algo_kube.contract import KubeClient
from algo_kube.resources import STRATEGY
from algo_local.controlplane import ApiServer

MANIFEST = """
apiVersion: algo.trading/v1alpha1
kind: Strategy
metadata: {{name: morning, namespace: {namespace}}}
spec: {{symbol: TCS, quantity: 3, buyTime: "09:20:00", sellTime: "15:05:00", stopLoss: {{percent: 1.5}}}}
"""


@pytest.fixture
async def watching(settings: Settings, serve: Any) -> AsyncIterator[str]:
    async with serve(settings.model_copy(update={"background": True})) as url:
        yield url


def kubectl(apiserver: ApiServer, *arguments: str, stdin: str = "") -> str:
    command = [str(apiserver.kubectl()), f"--kubeconfig={apiserver.kubeconfig}", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_a_strategy_of_kubectl_lives_and_ends_in_the_api(
    watching: str, make_trader: Any, apiserver: ApiServer, kube: KubeClient, poll: Any
) -> None:
    trader = await make_trader(watching)
    other = await make_trader(watching)

    async def items() -> list[dict[str, Any]]:
        return list((await trader.http.get("/strategies")).json()["items"])

    kubectl(apiserver, "apply", "-f", "-", stdin=MANIFEST.format(namespace=trader.namespace))
    (shown,) = await poll(items, "the strategy appears")
    assert (shown["symbol"], shown["stop_loss"]["percent"], shown["user_id"]) == ("TCS", "1.5", trader.id)
    assert shown["id"].startswith("str_")
    assert (await other.http.get("/strategies")).json()["items"] == []

    kubectl(
        apiserver, "-n", trader.namespace, "patch", "strat", "morning", "--type=merge", "-p", '{"spec":{"quantity":4}}'
    )
    await poll(lambda: _equals(items, "quantity", 4), "the change appears")
    status = {"status": {"phase": "Bought", "conditions": []}}
    await kube.patch(STRATEGY, "morning", status, namespace=trader.namespace, subresource="status")
    await poll(lambda: _equals(items, "status", "RUNNING"), "the status appears")

    stopped = await trader.http.post(f"/strategies/{shown['id']}/stop")
    assert stopped.status_code == 200, stopped.text
    assert kubectl(apiserver, "-n", trader.namespace, "get", "strat", "morning", "-o",
                   "jsonpath={.spec.desiredState}") == "Stopped"  # fmt: skip

    kubectl(apiserver, "-n", trader.namespace, "delete", "strat", "morning")

    async def gone() -> bool:
        return await items() == []

    await poll(gone, "the strategy disappears")
    log = (await trader.http.get("/audit")).json()["items"]
    entries = [(entry["action"], entry["actor"].split(":")[0]) for entry in log if entry["entity_id"] == shown["id"]]
    assert entries[0] == ("strategy.delete", "system")
    assert entries[-1] == ("strategy.create", "kubernetes")
    assert ("strategy.stop", trader.id) in entries


async def _equals(items: Any, name: str, value: Any) -> bool:
    found = await items()
    return bool(found) and found[0][name] == value


async def test_what_happened_while_the_api_was_away_is_seen_at_its_start(
    settings: Settings, serve: Any, make_trader: Any, kube: KubeClient, poll: Any, short_form: dict[str, Any]
) -> None:
    async with serve(settings) as url:  # no watch
        trader = await make_trader(url)
        kept = (await trader.http.post("/strategies", json=short_form)).json()
        lost = (await trader.http.post("/strategies", json=short_form)).json()
    namespace, name = lost["resource"].split("/")
    await kube.delete(STRATEGY, name, namespace=namespace)
    async with serve(settings.model_copy(update={"background": True})) as url:

        async def only_the_kept() -> bool:
            answer = await trader.http.get(f"{url}/api/v1/strategies")
            return [item["id"] for item in answer.json()["items"]] == [kept["id"]]

        await poll(only_the_kept, "the deleted one is gone")


async def test_an_annotation_that_names_a_stranger_changes_no_owner(
    watching: str, make_trader: Any, kube: KubeClient, poll: Any
) -> None:
    owner, stranger = await make_trader(watching), await make_trader(watching)
    spec = {"symbol": "TCS", "quantity": 1, "buyTime": "09:20:00", "sellTime": "10:00:00", "stopLoss": {"points": 5}}
    metadata = {"name": "odd", "namespace": owner.namespace, "annotations": {"algo.trading/user": stranger.id}}
    await kube.create(STRATEGY, {"metadata": metadata, "spec": spec})

    async def shown() -> Any:
        return (await owner.http.get("/strategies")).json()["items"]

    (found,) = await poll(shown, "the strategy appears for the tenant's owner")
    assert found["user_id"] == owner.id
    assert (await stranger.http.get("/strategies")).json()["items"] == []
