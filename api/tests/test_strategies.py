"""Strategies over a real API server: rules and their words, both forms, changes, start, stop, delete."""

from typing import Any

import pytest
from algo_kube.contract import KubeClient
from algo_kube.resources import STRATEGY


async def create(trader: Any, body: dict[str, Any]) -> dict[str, Any]:
    response = await trader.http.post("/strategies", json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def resource(kube: KubeClient, made: dict[str, Any]) -> dict[str, Any]:
    namespace, name = made["resource"].split("/")
    return await kube.get(STRATEGY, name, namespace=namespace)


async def test_the_short_form_becomes_a_resource(trader: Any, kube: KubeClient, short_form: dict[str, Any]) -> None:
    made = await create(trader, short_form)
    found = await resource(kube, made)
    assert str(found["spec"]["stopLoss"]["price"]) == "1900.5"
    assert found["metadata"]["annotations"]["algo.trading/user"] == trader.id
    assert {entry["manager"] for entry in found["metadata"]["managedFields"]} == {"algo-api"}
    assert (made["status"], made["stop_loss"]["price"], made["mode"]) == ("ACTIVE", "1900.5", "Paper")


async def test_the_full_form(trader: Any, kube: KubeClient, short_form: dict[str, Any]) -> None:
    full = short_form | {
        "stop_loss": {"percent": "1.25"}, "target": {"points": "30"}, "repeat": "Once", "on_stop": "KeepProtected",
        "limits": {"max_loss_per_day": "5000"},
    }  # fmt: skip
    made = await create(trader, full)
    spec = (await resource(kube, made))["spec"]
    assert (str(spec["stopLoss"]["percent"]), spec["target"], spec["repeat"]) == ("1.25", {"points": 30}, "Once")
    assert made["limits"]["max_loss_per_day"] == "5000"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stop_loss": None}, "no strategy trades without a stop-loss"),
        ({"stop_loss": {}}, "exactly one form"),
        ({"stop_loss": {"price": "1", "percent": "1"}}, "exactly one form"),
        ({"stop_loss": "0"}, "greater than 0"),
        ({"stop_loss": "-3"}, "greater than 0"),
        ({"quantity": 0}, "at least 1"),
        ({"buy_time": "15:05:00"}, "buyTime must be before sellTime"),
        ({"buy_time": "25:00:00"}, "HH:MM:SS"),
        ({"side": "Sell", "product": "Delivery"}, "sold short for delivery"),
        ({"mode": "Live"}, "real broker account"),
        ({"stop_loss": "1900.123456"}, "four decimals"),
    ],
)
async def test_a_broken_rule_is_400_in_the_words_of_the_crd(
    trader: Any, short_form: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    response = await trader.http.post("/strategies", json=short_form | change)
    assert response.status_code == 400, response.text
    assert response.json()["code"] == "trading_rule"
    assert words in response.json()["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": "many"},
        {"symbol": 5},
        {"unknown": 1},
        {"stop_loss": "NaN"},
        {"exchange": "NYSE"},
        {"symbol": "a\x00"},
    ],
)
async def test_malformed_data_is_422(trader: Any, short_form: dict[str, Any], change: dict[str, Any]) -> None:
    response = await trader.http.post("/strategies", json=short_form | change)
    assert (response.status_code, response.json()["code"]) == (422, "malformed"), response.text


async def test_stop_and_start_change_the_desired_state(
    trader: Any, kube: KubeClient, short_form: dict[str, Any]
) -> None:
    made = await create(trader, short_form)
    path = f"/strategies/{made['id']}"
    kept = (await trader.http.post(f"{path}/stop", params={"keep": "true"})).json()
    assert (kept["desired_state"], kept["on_stop"], kept["status"]) == ("Stopped", "KeepProtected", "STOPPED")
    assert (await resource(kube, made))["spec"]["onStop"] == "KeepProtected"
    stopped = (await trader.http.post(f"{path}/stop")).json()
    assert stopped["on_stop"] == "ExitPosition"
    started = (await trader.http.post(f"{path}/start")).json()
    assert (started["desired_state"], started["status"]) == ("Running", "ACTIVE")


async def test_a_field_that_kubectl_set_can_be_taken_away(
    trader: Any, kube: KubeClient, short_form: dict[str, Any]
) -> None:
    made = await create(trader, short_form)
    namespace, name = made["resource"].split("/")
    await kube.patch(STRATEGY, name, {"spec": {"target": {"percent": 2}}}, namespace=namespace, field_manager="kubectl")
    changed = await trader.http.patch(f"/strategies/{made['id']}", json={"target": None, "stop_loss": {"points": "9"}})
    assert changed.status_code == 200, changed.text
    spec = (await resource(kube, made))["spec"]
    assert "target" not in spec
    assert spec["stopLoss"] == {"points": 9}


async def test_what_is_frozen_while_bought_is_refused_by_the_api_server(
    trader: Any, kube: KubeClient, short_form: dict[str, Any]
) -> None:
    made = await create(trader, short_form)
    namespace, name = made["resource"].split("/")
    await kube.patch(STRATEGY, name, {"status": {"phase": "Bought"}}, namespace=namespace, subresource="status")
    response = await trader.http.patch(f"/strategies/{made['id']}", json={"quantity": 11, "stop_loss": "1800"})
    assert response.status_code == 400, response.text
    assert "quantity cannot change while a position is open" in response.json()["detail"]
    assert "stopLoss may only come nearer" in response.json()["detail"]


async def test_delete_takes_the_resource_and_the_row_away(
    trader: Any, kube: KubeClient, short_form: dict[str, Any]
) -> None:
    made = await create(trader, short_form)
    assert (await trader.http.delete(f"/strategies/{made['id']}")).status_code == 202
    assert (await trader.http.get(f"/strategies/{made['id']}")).status_code == 404
    assert (await trader.http.get("/strategies")).json()["items"] == []


async def test_each_change_is_in_the_audit_log(trader: Any, short_form: dict[str, Any]) -> None:
    made = await create(trader, short_form)
    await trader.http.post(f"/strategies/{made['id']}/stop")
    await trader.http.delete(f"/strategies/{made['id']}")
    entries = (await trader.http.get("/audit")).json()["items"]
    about = [entry for entry in entries if entry["entity_id"] == made["id"]]
    assert [entry["action"] for entry in about] == ["strategy.delete", "strategy.stop", "strategy.create"]
    assert {entry["actor"] for entry in about} == {trader.id}


async def test_pages_hold_everything_once(trader: Any, short_form: dict[str, Any]) -> None:
    made = {(await create(trader, short_form))["id"] for _ in range(5)}
    seen: list[str] = []
    before: str | None = None
    while True:
        page = (
            await trader.http.get("/strategies", params={"limit": 2} | ({"before": before} if before else {}))
        ).json()
        seen += [item["id"] for item in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert sorted(seen) == sorted(made)


async def test_without_a_namespace_it_is_503_with_a_time(
    url: str, make_trader: Any, short_form: dict[str, Any]
) -> None:
    early = await make_trader(url, with_namespace=False)
    response = await early.http.post("/strategies", json=short_form)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["code"] == "unavailable"
