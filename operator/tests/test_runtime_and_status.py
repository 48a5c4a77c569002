"""Between Redis and the API server: specs, halts, views, status; and what happens without Redis."""

from typing import Any

import pytest
from algo_crds.contracts import keys
from algo_crds.contracts.runtime import ConditionView, Phase, decode_spec
from algo_operator.vocabulary import (
    BROKER_ACCOUNT,
    POD,
    TENANT,
)

from .conftest import Desk, MakeDesk, RedisServer
from .house import House

pytestmark = [pytest.mark.apiserver, pytest.mark.redis]


@pytest.fixture
async def house(desk: Desk) -> House:
    made = House(desk)
    await made.open()
    return made


async def test_a_pass_over_an_unchanged_world_writes_nothing(house: House, make_desk: MakeDesk) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.run_pod("gw-paper")
    await house.tell(key)
    every = (house.tenant_key, house.source_key, house.paper_key, key)
    await house.desk.settle(*every, passes=3)
    again = await make_desk()
    await again.settle(*every, passes=2)
    assert again.recorder.writes == []


async def test_a_halt_reaches_the_door_and_every_spec(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("gw-paper")
    await house.desk.settle(house.paper_key, passes=1)
    url, reasons = house.desk.halts[-1]
    assert url == f"http://gw-paper.{house.namespace}.svc:8081"
    assert not reasons
    await house.desk.cluster.patch(TENANT, "", house.tenant, {"spec": {"halt": {"reason": "panic"}}})
    await house.desk.reconcile(house.tenant_key)
    woken = set(house.desk.context.queue._waiting)
    assert {house.paper_key, key} <= woken
    await house.desk.settle(house.paper_key, key, passes=1)
    assert house.desk.halts[-1][1] == ("tenant: panic",)
    raw = await house.spec_of((await house.status())["strategyId"])
    assert decode_spec(raw).halts == ("tenant: panic",)
    assert (await house.get(BROKER_ACCOUNT, "paper"))["status"]["halted"] is True
    told = len(house.desk.halts)
    await house.desk.settle(house.paper_key, passes=2)
    assert len(house.desk.halts) == told  # once a process and a change
    await house.run_pod("gw-paper", instance="c2")  # the container restarted: it must be told again
    await house.desk.settle(house.paper_key, passes=1)
    assert len(house.desk.halts) == told + 1


async def test_status_comes_from_the_view(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    conditions = {
        "Ready": ConditionView(status="True", reason="Reconciled", since=1618199000000),
        "Protected": ConditionView(status="True", reason="StopResting", message="sl", since=1618199001000),
    }
    changes: dict[str, Any] = {
        "phase": Phase.BOUGHT,
        "reason": "Entered",
        "held": 10,
        "entry_price": 19_512_500,
        "last_price": 19_530_500,
        "stop_price": 19_317_000,
        "protected_since": 1618199001000,
        "pnl": 180_000,
        "conditions": conditions,
    }
    await house.tell(key, **changes)
    await house.desk.settle(key, passes=1)
    status = await house.status()
    assert status["phase"] == "Bought"
    assert status["position"] == {"quantity": 10, "averagePrice": 1951.25}
    assert status["stopPrice"] == 1931.7
    protected = next(one for one in status["conditions"] if one["type"] == "Protected")
    assert protected["lastTransitionTime"].startswith("2021-04-12T03:43:21")
    assert status["observedGeneration"] == 1
    writes = len(house.desk.recorder.writes)
    await house.tell(key, **{**changes, "last_price": 19_531_000, "pnl": 185_000})
    await house.desk.settle(key, passes=1)
    assert len(house.desk.recorder.writes) == writes, "figures wait a minute"
    protected_lost = ConditionView(status="False", reason="StopCancelled", since=1618199009000)
    await house.tell(key, **{**changes, "conditions": {**conditions, "Protected": protected_lost}})
    await house.desk.settle(key, passes=1)
    status = await house.status()
    assert next(one for one in status["conditions"] if one["type"] == "Protected")["status"] == "False"


async def test_emptied_redis_is_filled_again(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    await house.desk.settle(key, passes=1)
    status = await house.status()
    identifier = status["strategyId"]
    await house.desk.redis.flushall()
    await house.desk.redis.execute_command("ACL DELUSER", f"run-{identifier}")  # type: ignore[no-untyped-call]
    await house.desk.settle(key, passes=1)
    assert await house.desk.redis.get(keys.spec(identifier)) is not None
    assert await house.desk.redis.execute_command("ACL GETUSER", f"run-{identifier}") is not None  # type: ignore[no-untyped-call]
    await house.get(POD, "run-one")
    assert (await house.status())["phase"] == "Bought", "what was last known stays"


async def test_without_redis_strategies_still_get_their_pods(house: House, redis_server: RedisServer) -> None:
    key = await house.strategy()
    redis_server.stop()
    done = await house.desk.reconcile(key)
    assert done.again is not None
    assert done.again <= 5
    await house.get(POD, "run-one")
    redis_server.start()
    await house.desk.settle(key, passes=1)
    raw = await house.spec_of((await house.status())["strategyId"])
    assert raw is not None
