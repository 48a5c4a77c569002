"""A quota that Kubernetes does not count refuses every strategy: the operator sees to it that it is counted."""

import pytest
from algo_kube.resources import RESOURCE_QUOTA as QUOTAS
from algo_kube.resources import STRATEGY as STRATEGIES
from algo_operator.cluster import ClusterError
from algo_operator.observed import unix_seconds
from algo_operator.vocabulary import RESOURCE_QUOTA, TENANT, Manifest

from .conftest import Desk, MakeDesk
from .house import House
from .test_deletion_and_nodes import Clock

pytestmark = [pytest.mark.apiserver, pytest.mark.redis]


async def _count(desk: Desk, namespace: str, *, without: str = "") -> None:
    """What the quota controller writes; `without` is a kind that it does not know yet."""
    quota = await desk.cluster.get(RESOURCE_QUOTA, namespace, "tenant")
    assert quota is not None
    hard = quota["spec"]["hard"]
    used = {resource: "0" for resource in hard if resource != without}
    body = {"status": {"hard": hard, "used": used}}
    await desk.client.patch(QUOTAS, "tenant", body, namespace=namespace, subresource="status")


async def _ready(house: House) -> Manifest:
    tenant = await house.desk.cluster.get(TENANT, "", house.tenant)
    assert tenant is not None
    return next(dict(one) for one in tenant["status"]["conditions"] if one["type"] == "Ready")


async def test_a_quota_counted_without_strategies_is_made_again_until_they_can_be_made(make_desk: MakeDesk) -> None:
    now = [0.0]  # long before the quota was made, so that opening the house takes no time
    house = House(await make_desk(clock=lambda: now[0]))
    await house.open()
    before = await house.get(RESOURCE_QUOTA, "tenant")
    body: Manifest = {"status": {"used": None}}
    await house.desk.client.patch(QUOTAS, "tenant", body, namespace=house.namespace, subresource="status")
    await _count(house.desk, house.namespace, without="count/strategies.algo.trading")
    with pytest.raises(ClusterError, match="status unknown for quota"):
        await house.strategy()

    made_at = unix_seconds(before["metadata"]["creationTimestamp"])
    now[0] = made_at + 4.9
    done = await house.desk.reconcile(house.tenant_key)
    assert done.again is not None
    assert (await _ready(house))["reason"] == "QuotaNotCounted"
    assert (await house.get(RESOURCE_QUOTA, "tenant"))["metadata"]["uid"] == before["metadata"]["uid"], "too early"

    now[0] = made_at + 5.1
    done = await house.desk.reconcile(house.tenant_key)
    assert done.again is not None
    made_again = await house.get(RESOURCE_QUOTA, "tenant")
    assert made_again["metadata"]["uid"] != before["metadata"]["uid"]
    assert made_again["spec"] == before["spec"]

    await _count(house.desk, house.namespace)
    assert (await house.desk.reconcile(house.tenant_key)).again is None
    assert (await _ready(house))["status"] == "True"
    key = await house.strategy()
    assert await house.desk.client.get(STRATEGIES, key.name, namespace=house.namespace)


async def test_a_counted_quota_is_left_alone(make_desk: MakeDesk) -> None:
    clock = Clock()
    house = House(await make_desk(clock=clock))
    await house.open()
    clock.passed = 3600.0
    house.desk.recorder.writes.clear()
    assert (await house.desk.reconcile(house.tenant_key)).again is None
    assert house.desk.recorder.writes == []
