"""The client against a real API server: every function, every typed error."""

import asyncio
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from algo_kube import errors
from algo_kube import resources as res
from algo_kube.client import create_kube_client
from algo_kube.contract import KubeClient, WatchEvent
from algo_local.controlplane import ApiServer

pytestmark = pytest.mark.apiserver


def config_map(name: str, data: dict[str, str], **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default", **metadata}, "data": data}


@pytest.fixture
def name() -> str:
    return f"t-{secrets.token_hex(4)}"


async def test_create_get_patch_delete(kube: KubeClient, name: str) -> None:
    made = await kube.create(res.CONFIG_MAP, config_map(name, {"a": "1"}))
    assert made["metadata"]["uid"]
    await kube.patch(res.CONFIG_MAP, name, {"data": {"a": None, "b": "2"}}, namespace="default")
    assert (await kube.get(res.CONFIG_MAP, name, namespace="default"))["data"] == {"b": "2"}
    await kube.delete(res.CONFIG_MAP, name, namespace="default", uid=made["metadata"]["uid"])
    with pytest.raises(errors.NotFoundError):
        await kube.get(res.CONFIG_MAP, name, namespace="default")


async def test_create_of_what_exists_already(kube: KubeClient, name: str) -> None:
    await kube.create(res.CONFIG_MAP, config_map(name, {}))
    with pytest.raises(errors.AlreadyExistsError) as caught:
        await kube.create(res.CONFIG_MAP, config_map(name, {}))
    assert caught.value.status == 409


async def test_apply_owns_its_fields_and_drops_what_it_no_longer_names(kube: KubeClient, name: str) -> None:
    await kube.apply(res.CONFIG_MAP, config_map(name, {"a": "1", "b": "1"}), field_manager="one")
    await kube.apply(res.CONFIG_MAP, config_map(name, {"a": "1"}), field_manager="one")
    assert (await kube.get(res.CONFIG_MAP, name, namespace="default"))["data"] == {"a": "1"}


async def test_apply_without_force_conflicts_with_another_manager(kube: KubeClient, name: str) -> None:
    await kube.apply(res.CONFIG_MAP, config_map(name, {"a": "1"}), field_manager="one")
    with pytest.raises(errors.ConflictError) as caught:
        await kube.apply(res.CONFIG_MAP, config_map(name, {"a": "2"}), field_manager="two", force=False)
    assert not isinstance(caught.value, errors.AlreadyExistsError)
    taken = await kube.apply(res.CONFIG_MAP, config_map(name, {"a": "2"}), field_manager="two")
    assert taken["data"] == {"a": "2"}


async def test_a_stale_version_conflicts(kube: KubeClient, name: str) -> None:
    old = await kube.create(res.CONFIG_MAP, config_map(name, {"a": "1"}))
    await kube.patch(res.CONFIG_MAP, name, {"data": {"a": "2"}}, namespace="default")
    with pytest.raises(errors.ConflictError):
        await kube.replace(res.CONFIG_MAP, old)
    version = old["metadata"]["resourceVersion"]
    with pytest.raises(errors.ConflictError):
        await kube.patch(
            res.CONFIG_MAP, name, {"metadata": {"resourceVersion": version}, "data": {}}, namespace="default"
        )
    with pytest.raises(errors.ConflictError):
        await kube.delete(res.CONFIG_MAP, name, namespace="default", resource_version=version)


async def test_dry_run_changes_nothing(kube: KubeClient, name: str) -> None:
    await kube.apply(res.CONFIG_MAP, config_map(name, {"a": "1"}), field_manager="one", dry_run=True)
    with pytest.raises(errors.NotFoundError):
        await kube.get(res.CONFIG_MAP, name, namespace="default")


async def test_list_pages_and_selects(kube: KubeClient, name: str) -> None:
    for number in range(5):
        await kube.create(res.CONFIG_MAP, config_map(f"{name}-{number}", {}, labels={"set": name}))
    await kube.create(res.CONFIG_MAP, config_map(f"{name}-other", {}))
    first = await kube.list(res.CONFIG_MAP, labels=f"set={name}", limit=2)
    assert len(first.items) == 2
    assert first.continue_token
    whole = await kube.list_all(res.CONFIG_MAP, namespace="default", labels=f"set={name}", page_size=2)
    assert [item["metadata"]["name"] for item in whole.items] == [f"{name}-{number}" for number in range(5)]
    assert whole.items[0]["kind"] == "ConfigMap"
    one = await kube.list(res.CONFIG_MAP, namespace="default", fields=f"metadata.name={name}-other")
    assert len(one.items) == 1


async def test_watch_sees_changes_of_its_selection_only(kube: KubeClient, name: str) -> None:
    start = await kube.list(res.CONFIG_MAP, namespace="default", labels=f"set={name}")
    seen: list[WatchEvent] = []

    async def follow() -> None:
        async for event in kube.watch(
            res.CONFIG_MAP, labels=f"set={name}", resource_version=start.resource_version, timeout_seconds=60
        ):
            if event.type != "BOOKMARK":
                seen.append(event)
            if event.type == "DELETED":
                return

    watching = asyncio.create_task(follow())
    await kube.create(res.CONFIG_MAP, config_map(f"{name}-unseen", {}))
    await kube.create(res.CONFIG_MAP, config_map(name, {"a": "1"}, labels={"set": name}))
    await kube.patch(res.CONFIG_MAP, name, {"data": {"a": "2"}}, namespace="default")
    await kube.delete(res.CONFIG_MAP, name, namespace="default")
    await asyncio.wait_for(watching, 30)
    assert [event.type for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert seen[1].object["data"] == {"a": "2"}
    assert seen[1].resource_version.isdigit()


async def test_watch_ends_with_the_servers_timeout_and_sends_a_bookmark(kube: KubeClient, name: str) -> None:
    start = await kube.list(res.CONFIG_MAP, labels=f"set={name}")
    events = [
        event
        async for event in kube.watch(
            res.CONFIG_MAP, labels=f"set={name}", resource_version=start.resource_version, timeout_seconds=3
        )
    ]
    assert {event.type for event in events} <= {"BOOKMARK"}


async def test_a_silent_watch_breaks_off(kube: KubeClient, name: str) -> None:
    start = await kube.list(res.SECRET, labels=f"set={name}")
    with pytest.raises(errors.UnavailableError):
        async for _ in kube.watch(
            res.SECRET,
            labels=f"set={name}",
            resource_version=start.resource_version,
            timeout_seconds=60,
            idle_seconds=0.2,
        ):
            pass


async def test_invalid_names_field_and_cause(kube: KubeClient) -> None:
    with pytest.raises(errors.InvalidError) as caught:
        await kube.create(res.CONFIG_MAP, config_map("Not A Name", {}))
    assert caught.value.causes[0].field == "metadata.name"
    assert "lowercase" in caught.value.causes[0].message


async def test_other_refusals_have_their_types(kube: KubeClient, apiserver: ApiServer, tmp_path: Path) -> None:
    with pytest.raises(errors.BadRequestError):
        await kube.raw("POST", res.CONFIG_MAP.path("default"), body={"kind": "Secret", "apiVersion": "v1"})
    bad = tmp_path / "kubeconfig"
    bad.write_text(apiserver.kubeconfig.read_text().replace(apiserver.token, "wrong"))
    stranger = await create_kube_client(bad)
    with pytest.raises(errors.UnauthorizedError):
        await stranger.list(res.CONFIG_MAP)
    await stranger.close()


async def test_forbidden(kube: KubeClient) -> None:
    with pytest.raises(errors.ForbiddenError):
        await kube.delete(res.NAMESPACE, "default")


async def test_no_answer_is_unavailable(apiserver: ApiServer, tmp_path: Path) -> None:
    away = tmp_path / "kubeconfig"
    away.write_text(apiserver.kubeconfig.read_text().replace(apiserver.url, "https://127.0.0.1:1"))
    client = await create_kube_client(away)
    with pytest.raises(errors.UnavailableError):
        await client.list(res.CONFIG_MAP)
    await client.close()


async def test_raw_returns_json_or_text(kube: KubeClient) -> None:
    assert (await kube.raw("GET", "/version"))["major"] == "1"
    assert await kube.raw("GET", "/readyz") == "ok"


async def test_log_of_a_missing_pod(kube: KubeClient) -> None:
    with pytest.raises(errors.NotFoundError):
        await kube.logs("none", namespace="default", tail_lines=5)


async def test_no_configuration_names_the_fix(tmp_path: Path) -> None:
    with pytest.raises(errors.KubeError, match="KUBECONFIG"):
        await create_kube_client(tmp_path / "missing")


async def test_money_is_exact_both_ways(kube: KubeClient, name: str) -> None:
    crd = {
        "metadata": {"name": "amounts.test.algo.trading"},
        "spec": {
            "group": "test.algo.trading",
            "scope": "Namespaced",
            "names": {"kind": "Amount", "plural": "amounts"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": {"type": "object", "properties": {"n": {"type": "number"}}}},
                        }
                    },
                }
            ],
        },
    }
    await kube.apply(res.CRD, crd, field_manager="test")
    amount = res.Resource("test.algo.trading", "v1", "amounts", "Amount")
    deadline = asyncio.get_running_loop().time() + 20
    while True:
        try:
            await kube.list(amount)
            break
        except (errors.NotFoundError, errors.TooManyRequestsError):  # until the server has set up the new kind
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.1)
    for text in ("2473.05", "0.0001", "100", "9999999.9999", "-12.3"):
        manifest = {"metadata": {"name": name, "namespace": "default"}, "spec": {"n": Decimal(text)}}
        await kube.apply(amount, manifest, field_manager="test")
        assert Decimal((await kube.get(amount, name, namespace="default"))["spec"]["n"]) == Decimal(text)
