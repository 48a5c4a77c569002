"""Events for people: one object for repeats, no flood. And the sweep: material changes at once, figures in turn."""

from typing import Any

import msgspec
import pytest
from algo_crds.contracts import keys
from algo_crds.contracts.runtime import Phase, StrategyView, encode
from algo_operator.events import BURST, create_recorder
from algo_operator.status.feed import Sweep, changed_key
from algo_operator.vocabulary import EVENT, STRATEGY, Key

from .conftest import Desk

pytestmark = [pytest.mark.apiserver, pytest.mark.redis]


def about(uid: str) -> dict[str, Any]:
    return {
        "apiVersion": "algo.trading/v1alpha1",
        "kind": "Strategy",
        "metadata": {"name": f"s-{uid}", "namespace": "default", "uid": uid},
    }


async def events_of(desk: Desk, uid: str) -> list[dict[str, Any]]:
    return [one for one in await desk.cluster.list(EVENT, "default") if one["involvedObject"].get("uid") == uid]


async def test_a_repeat_raises_the_count_of_one_event(desk: Desk) -> None:
    tell = create_recorder(desk.cluster, identity="test")
    for _ in range(3):
        await tell(about("u1"), reason="BackOff", message="again", warning=True)
    await tell(about("u1"), reason="Released", message="flat")
    found = sorted(await events_of(desk, "u1"), key=lambda one: str(one["reason"]))
    assert [(one["reason"], one["type"], one["count"]) for one in found] == [
        ("BackOff", "Warning", 3),
        ("Released", "Normal", 1),
    ]


async def test_a_flapping_object_cannot_flood_the_cluster(desk: Desk) -> None:
    tell = create_recorder(desk.cluster, identity="test", clock=lambda: 1000.0)
    for number in range(int(BURST) + 15):
        await tell(about("u2"), reason="Flap", message=str(number))
    await tell(about("u3"), reason="Calm", message="another object has its own bucket")
    assert len(await events_of(desk, "u2")) == BURST
    assert len(await events_of(desk, "u3")) == 1


async def test_the_sweep_wakes_for_what_matters(desk: Desk) -> None:
    key, identifier = Key(STRATEGY, "algo-x", "one"), "str_01hzy3v5k2m8n4p6q7r8s9t0d4"
    desk.context.memory.remember(key, identifier)
    assert changed_key(desk.context.memory, keys.notify(identifier)) == key
    now = [1000.0]
    sweep = Sweep(monotonic=lambda: now[0])
    view = StrategyView(
        strategy_id=identifier, epoch=1, generation=1, day="2021-04-12", now=1, phase=Phase.WAITING, reason="",
        message="", conditions={},
    )  # fmt: skip

    async def woken(shown: StrategyView) -> bool:
        await desk.redis.hset(keys.state(identifier), "view", encode(shown))
        found: list[Key] = []
        await sweep.run(desk.context, found.append)
        return key in found

    await desk.redis.set(keys.spec(identifier), "{}")
    await woken(view)
    assert not await woken(msgspec.structs.replace(view, now=2, ticks_seen=9))
    assert not await woken(msgspec.structs.replace(view, last_price=5))
    now[0] += 61
    assert await woken(msgspec.structs.replace(view, last_price=6))
    assert await woken(msgspec.structs.replace(view, phase=Phase.BOUGHT, held=1))
    await desk.redis.delete(keys.spec(identifier))
    assert await woken(msgspec.structs.replace(view, phase=Phase.BOUGHT, held=1)), "an emptied store is noticed"
