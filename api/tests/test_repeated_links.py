"""A link of a broker account that is tried again: the same account, not a second one and no refusal."""

from typing import Any

import pytest
from algo_crds.resources.metadata import USER_ANNOTATION
from algo_kube.contract import KubeClient
from algo_kube.resources import BROKER_ACCOUNT

ACCOUNT = {
    "broker": "zerodha",
    "client_id": "AB1234",
    "environment": "Simulator",
    "api_key": "key1",
    "api_secret": "secret-of-the-app",
}


async def resources(kube: KubeClient, namespace: str) -> list[str]:
    return [item["metadata"]["name"] for item in (await kube.list(BROKER_ACCOUNT, namespace=namespace)).items]


async def make_resource(kube: KubeClient, trader: Any, name: str, **changes: Any) -> None:
    """What a create leaves behind whose caller got no answer."""
    spec = {"broker": "zerodha", "clientId": "AB1234", "environment": "Simulator"} | changes
    metadata = {"namespace": trader.namespace, "name": name, "annotations": {USER_ANNOTATION: trader.id}}
    manifest = {"apiVersion": BROKER_ACCOUNT.api_version, "kind": "BrokerAccount", "metadata": metadata, "spec": spec}
    await kube.create(BROKER_ACCOUNT, manifest)


async def test_the_same_link_again_is_the_same_account(trader: Any, kube: KubeClient) -> None:
    first = await trader.http.post("/broker-accounts", json=ACCOUNT)
    again = await trader.http.post("/broker-accounts", json=ACCOUNT)
    assert (first.status_code, again.status_code) == (201, 201), first.text + again.text
    assert again.json() == first.json()
    assert len(await resources(kube, trader.namespace)) == 1


async def test_a_link_whose_answer_was_lost_is_completed(trader: Any, kube: KubeClient) -> None:
    await make_resource(kube, trader, "brk-lost")
    answer = await trader.http.post("/broker-accounts", json=ACCOUNT)
    assert answer.status_code == 201, answer.text
    assert answer.json()["resource"] == f"{trader.namespace}/brk-lost"
    assert answer.json()["has_credentials"]
    assert await resources(kube, trader.namespace) == ["brk-lost"]


async def test_an_account_without_its_secrets_takes_them(trader: Any, kube: KubeClient) -> None:
    bare = {field: ACCOUNT[field] for field in ("broker", "client_id", "environment")}
    first = (await trader.http.post("/broker-accounts", json=bare)).json()
    answer = await trader.http.post("/broker-accounts", json=ACCOUNT)
    assert answer.status_code == 201, answer.text
    assert (first["has_credentials"], answer.json()["has_credentials"]) == (False, True)
    assert answer.json()["id"] == first["id"]
    assert len(await resources(kube, trader.namespace)) == 1


@pytest.mark.parametrize(
    "change", [{"api_secret": "another"}, {"api_secret": None}, {"orders_per_second": 3}, {"pin": "1234"}]
)
async def test_the_same_account_with_something_else_in_it_is_refused(trader: Any, change: dict[str, Any]) -> None:
    assert (await trader.http.post("/broker-accounts", json=ACCOUNT)).status_code == 201
    answer = await trader.http.post("/broker-accounts", json=ACCOUNT | change)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "linked already" in answer.json()["detail"]


async def test_what_kubectl_made_differently_is_not_taken_over(trader: Any, kube: KubeClient) -> None:
    await make_resource(kube, trader, "by-hand", limits={"ordersPerSecond": 2})
    answer = await trader.http.post("/broker-accounts", json=ACCOUNT)
    assert answer.status_code == 409, answer.text
    assert await resources(kube, trader.namespace) == ["by-hand"]
