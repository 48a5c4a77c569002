"""Strategies on a real API server: pods, epochs, tokens, the finalizer, replacement."""

import time
from typing import Any

import jwt
import pytest
from algo_crds.contracts.runtime import Desired, Phase, decode_spec
from algo_operator.render.runner import decode_secret
from algo_operator.vocabulary import (
    FINALIZER,
    POD,
    SECRET,
    STRATEGY,
)

from .conftest import Desk, MakeDesk
from .house import House

pytestmark = [pytest.mark.apiserver, pytest.mark.redis]


@pytest.fixture
async def house(desk: Desk) -> House:
    made = House(desk)
    await made.open()
    return made


async def test_a_strategy_becomes_a_pod_with_its_epoch_in_status_and_token(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    pod = await house.get(POD, "run-one")
    status = await house.status()
    epoch = status["runner"]["epoch"]
    assert pod["metadata"]["annotations"]["algo.trading/epoch"] == str(epoch)
    assert pod["metadata"]["ownerReferences"][0]["controller"] is True
    assert "blockOwnerDeletion" not in pod["metadata"]["ownerReferences"][0]
    assert pod["spec"]["automountServiceAccountToken"] is False
    secret = await house.get(SECRET, "run-one")
    claims = jwt.decode(
        decode_secret(secret, "token"), house.desk.context.tokens.public_key, algorithms=["EdDSA"], audience="gateway"
    )
    assert claims["epoch"] == epoch
    assert claims["sub"] == status["strategyId"]
    assert claims["symbol"] == "RELIANCE"
    raw = await house.spec_of(status["strategyId"])
    spec = decode_spec(raw)
    assert (spec.desired, spec.name, spec.spec.stop_loss.bp) == (Desired.RUN, f"{house.namespace}/one", 100)
    assert status["phase"] == "Waiting"


async def test_epochs_only_grow_over_delete_and_recreate(house: House) -> None:
    name = "str-01hzy3v5k2m8n4p6q7r8s9t0c3"  # a name that is an id: the new resource is the same strategy
    epochs = []
    for _ in range(3):
        key = await house.strategy(name)
        await house.desk.settle(key, passes=1)
        epochs.append((await house.status(name))["runner"]["epoch"])
        await house.run_pod(f"run-{name}")
        await house.desk.cluster.delete(STRATEGY, house.namespace, name)
        await house.desk.settle(key, passes=1)
        assert await house.desk.cluster.get(STRATEGY, house.namespace, name) is not None, "the runner has not heard"
        await house.tell(key)
        await house.desk.settle(key, passes=1)
        assert await house.desk.cluster.get(STRATEGY, house.namespace, name) is None
        await house.desk.cluster.delete(POD, house.namespace, f"run-{name}", grace=0)  # as the garbage collector would
        await house.desk.settle(key, passes=1)
    assert epochs[0] < epochs[1] < epochs[2]


async def test_a_new_pod_of_the_same_strategy_has_a_higher_epoch_within_the_same_second(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    before = (await house.status())["runner"]["epoch"]
    for expected in range(before + 1, before + 4):
        await house.desk.cluster.delete(POD, house.namespace, "run-one", grace=0)
        await house.desk.settle(key, passes=1)
        assert (await house.status())["runner"]["epoch"] >= expected
        pod = await house.get(POD, "run-one")
        assert int(pod["metadata"]["annotations"]["algo.trading/epoch"]) >= expected


async def test_the_finalizer_holds_a_strategy_with_a_position(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT, entry_price=20000000)
    await house.desk.settle(key, passes=1)
    assert (await house.status())["position"] == {"quantity": 10, "averagePrice": 2000}
    await house.desk.cluster.delete(STRATEGY, house.namespace, "one")
    await house.desk.settle(key, passes=2)
    status = await house.status()
    deleting = next(one for one in status["conditions"] if one["type"] == "Deleting")
    assert (deleting["status"], deleting["reason"]) == ("True", "WaitingForFlat")
    raw = await house.spec_of(status["strategyId"])
    spec = decode_spec(raw)
    assert spec.deleting
    assert spec.desired is Desired.STOP_EXIT
    await house.get(POD, "run-one")
    await house.tell(key, held=0, phase=Phase.SOLD)
    await house.desk.settle(key, passes=1)
    assert await house.desk.cluster.get(STRATEGY, house.namespace, "one") is None
    assert await house.desk.redis.execute_command("ACL GETUSER", f"run-{status['strategyId']}") is None  # type: ignore[no-untyped-call]


async def test_a_foreground_deletion_does_not_take_the_runner_away(house: House) -> None:
    from algo_kube.resources import STRATEGY as STRATEGIES

    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    await house.desk.client.delete(STRATEGIES, "one", namespace=house.namespace, propagation="Foreground")
    assert "foregroundDeletion" in (await house.get(STRATEGY, "one"))["metadata"]["finalizers"]
    await house.desk.settle(key, passes=1)
    assert (await house.get(STRATEGY, "one"))["metadata"]["finalizers"] == [FINALIZER]


async def test_a_stopped_strategy_keeps_its_pod_until_the_runner_is_flat_and_knows(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key)
    await house.desk.cluster.patch(STRATEGY, house.namespace, "one", {"spec": {"desiredState": "Stopped"}})
    await house.desk.settle(key, passes=1)
    await house.get(POD, "run-one")  # the runner has not heard yet
    await house.tell(key)
    await house.desk.settle(key, passes=1)
    pod = await house.desk.cluster.get(POD, house.namespace, "run-one")
    assert pod is None or pod["metadata"].get("deletionTimestamp")
    await house.desk.cluster.delete(POD, house.namespace, "run-one", grace=0)
    await house.desk.settle(key, passes=2)
    assert await house.desk.cluster.get(POD, house.namespace, "run-one") is None
    assert (await house.status())["phase"] == "Stopped"
    await house.desk.cluster.patch(STRATEGY, house.namespace, "one", {"spec": {"desiredState": "Running"}})
    await house.desk.settle(key, passes=1)
    await house.get(POD, "run-one")
    assert (await house.status())["phase"] == "Waiting"


async def test_a_strategy_with_broken_references_says_so_and_gets_no_pod(house: House) -> None:
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "noacc": ({"brokerAccountRef": {"name": "none"}}, "AccountNotFound"),
        "wrong": ({"mode": "Paper", "brokerAccountRef": {"name": "zed"}}, "ModeMismatch"),
    }
    await house.zerodha_account()
    for name, (changes, reason) in cases.items():
        key = await house.strategy(name, **changes)
        await house.desk.settle(key, passes=2)
        status = await house.status(name)
        ready = next(one for one in status["conditions"] if one["type"] == "Ready")
        assert (ready["status"], ready["reason"]) == ("False", reason)
        assert status["reason"] == reason
        assert await house.desk.cluster.get(POD, house.namespace, f"run-{name}") is None
        assert "epoch" not in status.get("runner", {})


async def test_a_crash_loop_with_a_position_is_replaced(house: House, make_desk: MakeDesk) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    pod = await house.get(POD, "run-one")
    before = (await house.status())["runner"]["epoch"]
    await house.crash_pod("run-one")
    later = await make_desk(clock=lambda: time.time() + 30)
    await later.settle(key, passes=1)
    left = await house.desk.cluster.get(POD, house.namespace, "run-one")
    assert left is None or left["metadata"].get("deletionTimestamp")
    await house.desk.cluster.delete(POD, house.namespace, "run-one", grace=0)
    await later.settle(key, passes=1)
    new = await house.get(POD, "run-one")
    assert new["metadata"]["uid"] != pod["metadata"]["uid"]
    assert (await house.status())["runner"]["epoch"] > before


@pytest.mark.parametrize(("held", "phase"), [(10, Phase.BOUGHT), (0, Phase.WAITING)], ids=["open", "flat"])
async def test_a_gateway_in_back_off_is_replaced_while_a_position_is_open(
    house: House, make_desk: MakeDesk, held: int, phase: Phase
) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=held, phase=phase)
    before = await house.get(POD, "gw-paper")
    await house.crash_pod("gw-paper")
    later = await make_desk(clock=lambda: time.time() + 30)
    await later.settle(house.paper_key, passes=1)
    left = await house.desk.cluster.get(POD, house.namespace, "gw-paper")
    taken = left is None or bool(left["metadata"].get("deletionTimestamp"))
    assert taken == bool(held), "the kubelet's own back-off stands where nothing is held"
    if held:
        await house.desk.cluster.delete(POD, house.namespace, "gw-paper", grace=0)
        await later.settle(house.paper_key, passes=1)
        assert (await house.get(POD, "gw-paper"))["metadata"]["uid"] != before["metadata"]["uid"]


async def test_a_new_image_rolls_when_flat_only(house: House, make_desk: MakeDesk) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    newer = await make_desk(image="algo:next")
    await newer.settle(key, passes=1)
    assert (await house.get(POD, "run-one"))["spec"]["containers"][0]["image"] == "algo:test"
    await house.tell(key, held=0, phase=Phase.SOLD)
    await newer.settle(key, passes=1)
    await house.desk.cluster.delete(POD, house.namespace, "run-one", grace=0)
    await newer.settle(key, passes=1)
    assert (await house.get(POD, "run-one"))["spec"]["containers"][0]["image"] == "algo:next"
