"""The order queue: what the runner recorded is shown, and a person's command reaches the runner, audited."""

from typing import Any

import pytest
from algo_api.settings import Settings
from algo_crds.contracts import keys
from algo_crds.contracts.ids import is_id
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Side
from algo_crds.contracts.runtime import ConditionView, OrderView, Phase, QueueEvent, StrategyView, encode
from algo_runner.engine.events import Command, CommandKind
from algo_runner.spec_watch import parse_command
from redis.asyncio import Redis

NOW = 1_618_200_000_000
TAG, LATER = "a12345678abce001", "a12345678abcs002"


def entry(tag: str, **changed: Any) -> QueueEvent:
    values: dict[str, Any] = {
        "time": NOW, "wall_time": NOW, "tag": tag, "state": "Waiting", "cause": "Margin", "message": "no margin",
        "attempts": 2, "next_try": NOW + 2000,
    }  # fmt: skip
    return QueueEvent(**(values | changed))


async def park(redis: Redis, strategy_id: str, *entries: QueueEvent) -> None:
    for one in entries:
        await redis.hset(keys.orders(strategy_id), one.tag, encode(one))


async def commands(redis: Redis, strategy_id: str) -> list[Command | None]:
    """As the runner reads them."""
    found: Any = await redis.xrange(keys.commands(strategy_id))
    return [parse_command({name.decode(): value.decode() for name, value in fields.items()}) for _, fields in found]


async def audited(trader: Any, strategy_id: str) -> list[dict[str, Any]]:
    entries = (await trader.http.get("/audit")).json()["items"]
    return [one for one in entries if one["entity_id"] == strategy_id and one["action"] != "strategy.create"]


@pytest.fixture
async def strategy_id(trader: Any, short_form: dict[str, Any]) -> str:
    return str((await trader.http.post("/strategies", json=short_form)).json()["id"])


async def test_what_waits_is_listed_in_the_order_of_attempts(trader: Any, strategy_id: str, redis: Redis) -> None:
    path = f"/strategies/{strategy_id}/order-queue"
    assert (await trader.http.get(path)).json() == {"items": []}
    await park(redis, strategy_id, entry(LATER, cause="Unknown", next_try=0), entry(TAG))
    await redis.hset(keys.orders(strategy_id), "a12345678abcx003", b'{"kind":"of a newer version"}')
    items = (await trader.http.get(path)).json()["items"]
    assert [(item["tag"], item["cause"], item["next_try"]) for item in items] == [
        (TAG, "Margin", NOW + 2000),
        (LATER, "Unknown", 0),
    ]
    ids = [item["id"] for item in items]
    assert len(set(ids)) == 2
    assert all(is_id(one, "queue") for one in ids)
    again = (await trader.http.get(path)).json()["items"]
    assert [item["id"] for item in again] == ids, "nothing is stored, so it must follow from what is"


@pytest.mark.parametrize("verb", ["retry", "discard"])
async def test_a_command_about_an_entry_reaches_the_runner_once(
    trader: Any, strategy_id: str, redis: Redis, verb: str
) -> None:
    await park(redis, strategy_id, entry(TAG))
    async with redis.pubsub() as notices:
        await notices.subscribe(keys.notify(strategy_id))
        await notices.get_message(timeout=5)  # the subscription itself
        answer = await trader.http.post(f"/strategies/{strategy_id}/order-queue/{TAG}/{verb}")
        assert (answer.status_code, answer.json()["tag"]) == (202, TAG), answer.text
        notice = await notices.get_message(timeout=5)
    assert notice is not None
    assert await commands(redis, strategy_id) == [Command(kind=CommandKind(verb), actor=trader.id, tag=TAG)]
    assert await redis.hlen(keys.orders(strategy_id)) == 1  # the runner alone writes its queue
    told: Any = await redis.xrange(keys.events(strategy_id))
    assert [f'"command":"{verb}"'.encode() in fields[b"event"] for _, fields in told] == [True]
    (change,) = await audited(trader, strategy_id)
    assert (change["action"], change["changes"]) == (f"strategy.{verb}", {"tag": TAG, "cause": "Margin"})
    assert change["actor"] == trader.id


@pytest.mark.parametrize("verb", ["retry", "discard"])
async def test_an_entry_that_is_not_there_is_404_and_no_command(
    trader: Any, strategy_id: str, redis: Redis, verb: str
) -> None:
    await park(redis, strategy_id, entry(LATER))
    answer = await trader.http.post(f"/strategies/{strategy_id}/order-queue/{TAG}/{verb}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await commands(redis, strategy_id) == []
    assert await audited(trader, strategy_id) == []


async def test_a_stranger_commands_nothing(
    trader: Any, url: str, make_trader: Any, strategy_id: str, redis: Redis
) -> None:
    await park(redis, strategy_id, entry(TAG))
    await redis.hset(keys.state(strategy_id), "view", encode(failed(strategy_id, order(LATER, Leg.STOP))))
    stranger = await make_trader(url, with_namespace=False)
    base = f"/strategies/{strategy_id}"
    answers = [
        await stranger.http.get(f"{base}/order-queue"),
        await stranger.http.post(f"{base}/order-queue/{TAG}/retry"),
        await stranger.http.post(f"{base}/order-queue/{TAG}/discard"),
        await stranger.http.post(f"{base}/clear", json={"note": "mine now"}),
        await stranger.http.post(f"{base}/orders/{LATER}/force-second-sell"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 5
    assert await commands(redis, strategy_id) == []


def order(tag: str, leg: Leg, status: OrderStatus = OrderStatus.UNKNOWN) -> OrderView:
    return OrderView(
        tag=tag, leg=leg, side=Side.SELL, type=OrderType.STOP_LIMIT, price=19_700_000, trigger=19_800_000, quantity=10,
        status=status, time=NOW, wall_time=0,
    )  # fmt: skip


def failed(strategy_id: str, *orders: OrderView) -> StrategyView:
    return StrategyView(
        strategy_id=strategy_id, epoch=1, generation=1, day="2021-04-12", now=NOW, phase=Phase.FAILED,
        reason="PositionOpenAtSessionEnd", message="", held=10, entry_price=19_201_500,
        conditions={"Protected": ConditionView(status="False", reason="NoStop", since=NOW)}, orders=orders,
    )  # fmt: skip


async def test_a_failed_run_is_cleared_with_a_note(trader: Any, strategy_id: str, redis: Redis) -> None:
    path, note = f"/strategies/{strategy_id}/clear", "the broker squared the shares off"
    early = await trader.http.post(path, json={"note": note})
    assert (early.status_code, early.json()["code"]) == (409, "conflict")
    await redis.hset(keys.state(strategy_id), "view", encode(failed(strategy_id)))
    for wrong in ({}, {"note": ""}, {"note": "  "}, {"note": "a\nb"}, {"note": "x" * 501}):
        assert (await trader.http.post(path, json=wrong)).status_code == 422
    answer = await trader.http.post(path, json={"note": f" {note} "})
    assert (answer.status_code, answer.json()["phase"]) == (202, "Failed"), answer.text
    assert await commands(redis, strategy_id) == [Command(kind=CommandKind.DISCARD, actor=trader.id, note=note)]
    (change,) = await audited(trader, strategy_id)
    assert (change["action"], change["changes"]) == (
        "strategy.clear",
        {"note": note, "reason": "PositionOpenAtSessionEnd", "held": 10},
    )


async def test_a_second_sell_is_forced_only_over_a_sell_of_unknown_outcome(
    trader: Any, strategy_id: str, redis: Redis
) -> None:
    def path(tag: str) -> str:
        return f"/strategies/{strategy_id}/orders/{tag}/force-second-sell"

    rests = "a12345678abcs003"
    orders = (order(TAG, Leg.ENTRY), order(LATER, Leg.STOP), order(rests, Leg.STOP, OrderStatus.TRIGGER_PENDING))
    await redis.hset(keys.state(strategy_id), "view", encode(failed(strategy_id, *orders)))
    refused = [(await trader.http.post(path(tag))).status_code for tag in (TAG, rests, "a12345678abcs004", "A-1")]
    assert refused == [409, 409, 404, 422]
    assert (await commands(redis, strategy_id), await audited(trader, strategy_id)) == ([], [])
    answer = await trader.http.post(path(LATER))
    assert answer.status_code == 202, answer.text
    assert [one["wall_time"] for one in answer.json()["orders"]] == [None] * 3
    assert await commands(redis, strategy_id) == [Command(kind=CommandKind.FORCE, actor=trader.id, tag=LATER)]
    (change,) = await audited(trader, strategy_id)
    assert (change["action"], change["actor"]) == ("strategy.force_second_sell", trader.id)
    assert change["changes"] == {"tag": LATER, "leg": "Stop", "quantity": 10}
    told: Any = await redis.xrange(keys.events(strategy_id))
    assert [b'"command":"force"' in fields[b"event"] for _, fields in told] == [True]


async def test_without_redis_there_is_neither_command_nor_audit_entry(
    settings: Settings, serve: Any, make_trader: Any, short_form: dict[str, Any]
) -> None:
    async with serve(settings) as url:
        trader = await make_trader(url)
        made = (await trader.http.post("/strategies", json=short_form)).json()
    async with serve(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})) as url:
        base = f"{url}/api/v1/strategies/{made['id']}"
        listed = await trader.http.get(f"{base}/order-queue")
        retried = await trader.http.post(f"{base}/order-queue/{TAG}/retry")
        assert [answer.status_code for answer in (listed, retried)] == [503, 503]
        assert "retry-after" in retried.headers
        entries = (await trader.http.get(f"{url}/api/v1/audit")).json()["items"]
    assert [one["action"] for one in entries if one["entity_id"] == made["id"]] == ["strategy.create"]
