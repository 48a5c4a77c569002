"""Deadlines, given-up positions and lost nodes, on a real API server with a clock of the test's own."""

import time
from typing import Any

import pytest
from algo_crds.contracts.runtime import Phase
from algo_kube.resources import LEASE as LEASES
from algo_kube.resources import NODE as NODES
from algo_kube.resources import POD as PODS
from algo_operator.health import Health
from algo_operator.resync import Behind, Told, resync
from algo_operator.vocabulary import EVENT, OWN_KINDS, POD, STRATEGY, Key

from .conftest import Desk, MakeDesk
from .house import House

pytestmark = [pytest.mark.apiserver, pytest.mark.redis]


class Clock:
    """Unix time plus what the test lets pass."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return time.time() + self.passed


async def live_house(make_desk: MakeDesk, clock: Clock) -> tuple[House, Key]:
    house = House(await make_desk(clock=clock))
    await house.open()
    account = await house.zerodha_account()
    await house.desk.settle(account)
    key = await house.strategy(mode="Live", brokerAccountRef={"name": "zed"})
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    await house.desk.settle(key, passes=1)
    return house, key


async def deleting(house: House) -> dict[str, Any]:
    conditions = (await house.status())["conditions"]
    return next(one for one in conditions if one["type"] == "Deleting")


async def test_with_real_money_the_deadline_alerts_and_only_a_person_releases(make_desk: MakeDesk) -> None:
    clock = Clock()
    house, key = await live_house(make_desk, clock)
    await house.desk.cluster.delete(STRATEGY, house.namespace, "one")
    await house.desk.settle(key, passes=1)
    assert (await deleting(house))["reason"] == "WaitingForFlat"
    clock.passed = 601.0
    await house.desk.settle(key, passes=2)
    assert (await deleting(house))["reason"] == "Stuck"
    events = await house.desk.cluster.list(EVENT, house.namespace)
    stuck = [one for one in events if one["reason"] == "DeletionStuck"]
    assert len(stuck) == 1
    assert "algo.trading/abandon-position" in stuck[0]["message"]
    for quantity, released in (("9", False), ("10", True)):
        patch = {"metadata": {"annotations": {"algo.trading/abandon-position": quantity}}}
        await house.desk.cluster.patch(STRATEGY, house.namespace, "one", patch)
        await house.desk.settle(key, passes=1)
        gone = await house.desk.cluster.get(STRATEGY, house.namespace, "one") is None
        assert gone is released


async def test_paper_money_is_released_at_the_deadline(make_desk: MakeDesk) -> None:
    clock = Clock()
    house = House(await make_desk(clock=clock))
    await house.open()
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    await house.desk.cluster.delete(STRATEGY, house.namespace, "one")
    await house.desk.settle(key, passes=1)
    assert (await deleting(house))["reason"] == "WaitingForFlat"
    clock.passed = 601.0
    await house.desk.settle(key, passes=1)
    assert await house.desk.cluster.get(STRATEGY, house.namespace, "one") is None


async def place(desk: Desk, pod: str, namespace: str, node: str) -> None:
    """The scheduler's word."""
    body = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod, "namespace": namespace},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }
    await desk.client.raw("POST", PODS.path(namespace, pod, "binding"), body=body)


async def test_a_runner_lost_with_its_node_is_replaced_while_it_holds(make_desk: MakeDesk) -> None:
    clock = Clock()
    desk = await make_desk(clock=clock)
    house = House(desk)
    await house.open()
    node = f"node-{house.tenant}"
    await desk.client.create(NODES, {"metadata": {"name": node}})
    await desk.client.patch(
        NODES, node, {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, subresource="status"
    )
    renewed = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    lease = {"metadata": {"name": node, "namespace": "kube-node-lease"}, "spec": {"renewTime": renewed}}
    await desk.client.create(LEASES, lease)
    key = await house.strategy()
    await desk.settle(key, passes=1)
    await place(desk, "run-one", house.namespace, node)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    before = await house.get(POD, "run-one")
    await desk.settle(key, passes=1)
    assert (await house.get(POD, "run-one"))["metadata"]["uid"] == before["metadata"]["uid"]
    clock.passed = 30.0  # nobody has renewed the node's lease or the runner's
    await desk.settle(key, passes=2)
    after = await house.get(POD, "run-one")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    epochs = [int(one["metadata"]["annotations"]["algo.trading/epoch"]) for one in (before, after)]
    assert epochs[1] > epochs[0]


async def test_a_runner_that_renews_its_lease_is_not_lost(make_desk: MakeDesk) -> None:
    clock = Clock()
    desk = await make_desk(clock=clock)
    house = House(desk)
    await house.open()
    key = await house.strategy()
    await desk.settle(key, passes=1)
    await place(desk, "run-one", house.namespace, "node-nobody-knows")
    await house.run_pod("run-one")
    view = await house.tell(key, held=10, phase=Phase.BOUGHT)
    before = await house.get(POD, "run-one")
    await desk.redis.set(f"strategy:{view.strategy_id}:lease", view.epoch)
    clock.passed = 3600.0
    await desk.settle(key, passes=1)
    assert (await house.get(POD, "run-one"))["metadata"]["uid"] == before["metadata"]["uid"]


async def test_a_resync_finds_what_no_event_told(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    house = House(desk)
    await house.open()
    key = await house.strategy()
    await desk.settle(key, passes=1)
    identifier = desk.context.memory.ids[key]
    await house.tell(key)
    await desk.cluster.delete(STRATEGY, house.namespace, "one")
    await house.tell(key)
    other = await make_desk()  # another process releases it, and this one hears nothing of it
    await other.settle(key, passes=1)
    assert await desk.cluster.get(STRATEGY, house.namespace, "one") is None
    await desk.redis.execute_command("ACL SETUSER", f"run-{identifier}", "on")  # type: ignore[no-untyped-call]
    await resync(desk.context, Told(), Health())
    assert key in desk.context.queue._waiting
    await desk.settle(key, passes=1)
    assert key not in desk.context.memory.ids
    assert await desk.redis.execute_command("ACL GETUSER", f"run-{identifier}") is None  # type: ignore[no-untyped-call]


async def test_a_watch_that_never_tells_what_the_lists_show_is_reported_dead(make_desk: MakeDesk) -> None:
    desk = await make_desk()
    house = House(desk)
    await house.open()
    await house.strategy()
    told, health, behind = Told(), Health(), Behind()
    for passes in range(4):  # the first list only begins to count
        assert health.complaints() == [], passes
        await resync(desk.context, told, health, behind)
    assert "the watch of strategies misses changes" in health.complaints()
    for kind in OWN_KINDS:
        for one in await desk.cluster.list(kind):
            metadata = one["metadata"]
            told.event(Key(kind, metadata.get("namespace", ""), metadata["name"]), one, deleted=False)
    await resync(desk.context, told, health, behind)
    assert health.complaints() == []
