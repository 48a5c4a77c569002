"""What the API server itself refuses, in words that a trader understands."""

from typing import Any

import pytest
import yaml
from algo_local.demo.endpoints import UnreachableError, run
from algo_local.demo.services import call
from cluster_stage import House, eventually

SPEC: dict[str, Any] = {
    "symbol": "RELIANCE",
    "quantity": 10,
    "buyTime": "09:20:00",
    "sellTime": "15:05:00",
    "stopLoss": {"percent": 1},
}


def manifest(namespace: str, name: str, **changes: Any) -> str:
    """A Strategy; a value of None takes a field away."""
    spec = {key: value for key, value in (SPEC | changes).items() if value is not None}
    return yaml.safe_dump(
        {
            "apiVersion": "algo.trading/v1alpha1",
            "kind": "Strategy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        }
    )


async def namespace_of(house: House) -> str:
    """The trader's namespace, once the operator has made it."""
    me = await call(house.trader.client, "GET", "/auth/me")
    name = f"algo-{me['tenant_id'].replace('_', '-')}"

    async def look() -> str:
        return await run(house.system.kubectl, "get", "namespace", name, "--ignore-not-found", "-o", "name")

    await eventually(look, bool, f"namespace {name}")
    return name


async def test_kubectl_apply_without_a_stop_loss_is_refused(house: House) -> None:
    namespace = await namespace_of(house)
    with pytest.raises(UnreachableError, match="stop-loss") as refused:
        await run(house.system.kubectl, "apply", "-f", "-", stdin=manifest(namespace, "naked", stopLoss=None))
    assert "no strategy trades without a stop-loss" in str(refused.value)


async def test_a_strategy_made_by_kubectl_appears_in_the_api_and_goes_with_it(house: House) -> None:
    namespace = await namespace_of(house)
    await run(house.system.kubectl, "apply", "-f", "-", stdin=manifest(namespace, "by-hand"))

    async def listed() -> list[str]:
        page = await call(house.trader.client, "GET", "/strategies")
        return [item["resource"] for item in page["items"]]

    await eventually(listed, lambda names: f"{namespace}/by-hand" in names, "the strategy in the API")
    await run(house.system.kubectl, "-n", namespace, "delete", "strategy", "by-hand", "--wait=false")
    await eventually(listed, lambda names: f"{namespace}/by-hand" not in names, "its end in the API")
