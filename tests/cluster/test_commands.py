"""What people do with an open position: stop, start, halt, delete; through the API and through kubectl."""

import json

import pytest
from algo_local.demo.endpoints import run
from algo_local.demo.services import call
from cluster_stage import House, Strategy, assert_flat, eventually, net_position


async def open_position(house: House) -> Strategy:
    """A protected position, far from its stop, in a slow market."""
    strategy = await house.strategy(speed=20, stop_percent=None, stop_points=100)
    await strategy.start_market()
    await strategy.protected()
    return strategy


async def test_stop_and_start_through_the_api(house: House) -> None:
    strategy = await open_position(house)
    await call(strategy.trader.client, "POST", f"/strategies/{strategy.id}/stop")
    seen = await strategy.phase("Stopped")
    assert seen["exit_reason"] == "command"
    await assert_flat(strategy)
    await call(strategy.trader.client, "POST", f"/strategies/{strategy.id}/start")
    await strategy.phase("Waiting", "Bought", "Sold")  # it may buy again at once


async def test_stop_and_start_through_kubectl(house: House) -> None:
    strategy = await open_position(house)

    async def want(state: str) -> None:
        patch = json.dumps({"spec": {"desiredState": state}})
        await run(
            strategy.system.kubectl,
            *("-n", strategy.namespace, "patch", "strategy", strategy.name, "--type=merge", "-p", patch),
        )

    await want("Stopped")
    await strategy.phase("Stopped")
    await assert_flat(strategy)
    await want("Running")
    await strategy.phase("Waiting", "Bought", "Sold")  # it may buy again at once


@pytest.mark.parametrize("kind", ["account", "tenant"])
async def test_a_halt_flattens_and_blocks(house: House, kind: str) -> None:
    strategy = await open_position(house)
    patch = json.dumps({"spec": {"halt": {"reason": "drill"}}})
    if kind == "account":
        account = strategy.account["resource"].partition("/")[2]
        where = ["-n", strategy.namespace, "patch", "brokeraccount", account]
    else:
        where = ["patch", "tenant", strategy.namespace.removeprefix("algo-")]
    await run(strategy.system.kubectl, *where, "--type=merge", "-p", patch)
    seen = await strategy.phase("Stopped", "Sold")
    assert seen["exit_reason"] == "kill"
    await assert_flat(strategy)


async def test_deleting_with_an_open_position_exits_first(house: House) -> None:
    strategy = await open_position(house)
    await run(strategy.system.kubectl, "-n", strategy.namespace, "delete", "strategy", strategy.name, "--wait=false")

    async def gone() -> str:
        return await run(
            strategy.system.kubectl,
            *("-n", strategy.namespace, "get", "strategy", strategy.name, "--ignore-not-found", "-o", "name"),
        )

    await eventually(gone, lambda name: not name, "the resource's end", seconds=120)
    assert net_position(await strategy.book()) == 0
