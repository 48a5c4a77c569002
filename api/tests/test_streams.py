"""Server-sent events: snapshot first, resume after the last id, gaps told, ends with the token; the ledger."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from algo_api import recorder
from algo_api.db import WORKER, create_database
from algo_api.recorder import record_strategy
from algo_api.settings import Settings, async_url
from algo_crds.contracts import keys
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Side
from algo_crds.contracts.runtime import (
    EVENT_FIELD,
    ConditionView,
    FillEvent,
    OrderView,
    Phase,
    PhaseEvent,
    StrategyView,
    encode,
)
from redis.asyncio import Redis
from sqlalchemy import text

NOW = 1_618_200_000_000


def phase(number: int) -> PhaseEvent:
    return PhaseEvent(
        time=NOW + number, wall_time=NOW, previous=Phase.WAITING, current=Phase.BOUGHT, reason=f"R{number}"
    )


async def emit(redis: Redis, strategy_id: str, *events: Any) -> list[str]:
    ids = [await redis.xadd(keys.events(strategy_id), {EVENT_FIELD: encode(event)}) for event in events]
    await redis.publish(keys.notify(strategy_id), b"")
    return [entry.decode() for entry in ids if isinstance(entry, bytes)]


@asynccontextmanager
async def stream(
    trader: Any, strategy_id: str, last_id: str | None = None
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with trader.http.stream("GET", f"/strategies/{strategy_id}/stream", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield events_of(response)


async def events_of(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    async for line in response.aiter_lines():
        if not line and "data" in event:
            yield event
            event = {}
        name, _, value = line.partition(": ")
        if name in ("id", "event"):
            event[name] = value
        elif name == "data":
            event["data"] = json.loads(value)


async def take(events: AsyncIterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


@pytest.fixture
async def strategy_id(trader: Any, short_form: dict[str, Any]) -> str:
    return str((await trader.http.post("/strategies", json=short_form)).json()["id"])


async def test_a_snapshot_comes_first_then_what_happens(trader: Any, strategy_id: str, redis: Redis) -> None:
    (before,) = await emit(redis, strategy_id, phase(0))
    async with stream(trader, strategy_id) as events:
        (snapshot,) = await take(events, 1)
        assert (snapshot["event"], snapshot["id"]) == ("snapshot", before)
        sent = await emit(redis, strategy_id, phase(1), phase(2))
        got = await take(events, 2)
    assert [event["id"] for event in got] == sent
    assert [event["data"]["reason"] for event in got] == ["R1", "R2"]


async def test_resume_gives_every_event_after_the_last_seen_once(trader: Any, strategy_id: str, redis: Redis) -> None:
    sent = await emit(redis, strategy_id, *(phase(number) for number in range(5)))
    async with stream(trader, strategy_id, sent[1]) as events:
        snapshot, *rest = await take(events, 4)
    assert snapshot["event"] == "snapshot"
    assert "id" not in snapshot
    assert [event["id"] for event in rest] == sent[2:]


async def test_from_the_very_beginning(trader: Any, strategy_id: str, redis: Redis) -> None:
    sent = await emit(redis, strategy_id, phase(0), phase(1))
    async with stream(trader, strategy_id, "0") as events:
        assert [event.get("id") for event in await take(events, 3)] == [None, *sent]


async def test_lost_events_are_told(trader: Any, strategy_id: str, redis: Redis) -> None:
    sent = await emit(redis, strategy_id, *(phase(number) for number in range(4)))
    await redis.xtrim(keys.events(strategy_id), minid=sent[2], approximate=False)
    async with stream(trader, strategy_id, sent[0]) as events:
        kinds = [event["event"] for event in await take(events, 4)]
    assert kinds == ["snapshot", "gap", "phase", "phase"]


async def test_an_emptied_store_is_told_as_a_gap(trader: Any, strategy_id: str, redis: Redis) -> None:
    (seen,) = await emit(redis, strategy_id, phase(0))
    await redis.delete(keys.events(strategy_id))
    async with stream(trader, strategy_id, seen) as events:
        snapshot, gap = await take(events, 2)
        assert (snapshot["event"], gap["event"], gap["data"]["after"]) == ("snapshot", "gap", seen)
        await emit(redis, strategy_id, phase(1))
        (event,) = await take(events, 1)
    assert event["data"]["reason"] == "R1"


@pytest.mark.parametrize("wrong", ["nonsense", "1-2-3", "-1", "9" * 40])
async def test_a_wrong_last_id_is_422(trader: Any, strategy_id: str, wrong: str) -> None:
    answer = await trader.http.get(f"/strategies/{strategy_id}/stream", headers={"Last-Event-ID": wrong})
    assert answer.status_code == 422


async def test_money_is_a_decimal_string(trader: Any, strategy_id: str, redis: Redis) -> None:
    fill = FillEvent(time=NOW, wall_time=NOW, tag="t", broker_order_id="1", side=Side.BUY, quantity=5, price=19_001_250)
    async with stream(trader, strategy_id) as events:
        await take(events, 1)
        await emit(redis, strategy_id, fill)
        (event,) = await take(events, 1)
    assert event["data"]["price"] == "1900.1250"


def view(strategy_id: str) -> StrategyView:
    order = OrderView(
        tag="T1", leg=Leg.STOP, side=Side.SELL, type=OrderType.STOP_LIMIT, price=18_900_000, trigger=19_000_000,
        quantity=10, status=OrderStatus.OPEN, time=NOW, wall_time=NOW,
    )  # fmt: skip
    return StrategyView(
        strategy_id=strategy_id, epoch=1, generation=1, day="2021-04-12", now=NOW, phase=Phase.BOUGHT, reason="Filled",
        message="", conditions={"Protected": ConditionView(status="True", reason="StopResting", since=NOW)}, held=10,
        entry_price=19_201_500, stop_price=19_000_000, last_price=19_210_000, pnl=85_000, orders=(order,),
        unprotected_ms=12, ticks_seen=7, ticks_rejected={"epoch": 2},
    )  # fmt: skip


async def test_the_runners_view_is_shown(trader: Any, strategy_id: str, redis: Redis) -> None:
    await redis.hset(keys.state(strategy_id), "view", encode(view(strategy_id)))
    shown = (await trader.http.get(f"/strategies/{strategy_id}")).json()
    assert (shown["status"], shown["phase"], shown["pnl"], shown["stop_price"]) == (
        "RUNNING",
        "Bought",
        "8.50",
        "1900.00",
    )
    assert shown["position"] == {"quantity": 10, "average_price": "1920.15"}
    assert shown["orders"][0]["trigger"] == "1900.00"
    assert shown["conditions"][0]["type"] == "Protected"
    listed = (await trader.http.get("/strategies")).json()["items"][0]
    assert listed == shown
    await redis.hset(keys.state(strategy_id), "view", b"{broken")
    assert (await trader.http.get(f"/strategies/{strategy_id}")).json()["phase"] is None


async def test_a_stream_ends_with_its_token(settings: Settings, serve: Any, make_trader: Any, short_form: Any) -> None:
    short = settings.model_copy(update={"access_token_seconds": 4})
    async with serve(short) as url:
        trader = await make_trader(url)
        made = (await trader.http.post("/strategies", json=short_form)).json()
        async with asyncio.timeout(20), stream(trader, made["id"]) as events:
            kinds = [event["event"] async for event in events]
    assert kinds == ["snapshot"]


async def test_a_quiet_stream_sends_heartbeats(trader: Any, strategy_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.1)
    async with asyncio.timeout(10), trader.http.stream("GET", f"/strategies/{strategy_id}/stream") as response:
        async for line in response.aiter_lines():
            if line.startswith(":"):
                break


async def test_stop_is_an_event_of_the_strategy(trader: Any, strategy_id: str) -> None:
    async with stream(trader, strategy_id) as events:
        await take(events, 1)
        await trader.http.post(f"/strategies/{strategy_id}/stop")
        (event,) = await take(events, 1)
    assert (event["event"], event["data"]["actor"], event["data"]["command"]) == ("command", trader.id, "stop")


async def test_the_ledger_holds_each_event_exactly_once(
    trader: Any, strategy_id: str, redis: Redis, settings: Settings
) -> None:
    sent = await emit(redis, strategy_id, *(phase(number) for number in range(3)))
    db = create_database(async_url(settings.database_url), pool_size=4)
    try:
        await asyncio.gather(*(record_strategy(db, redis, strategy_id) for _ in range(4)))
        more = await emit(redis, strategy_id, phase(9))
        assert await record_strategy(db, redis, strategy_id) == 1
        assert await record_strategy(db, redis, strategy_id) == 0
        query = text("SELECT stream_ms, stream_seq FROM ledger WHERE strategy_id = :id ORDER BY 1, 2")
        async with db.transaction(WORKER) as session:
            rows = (await session.execute(query, {"id": strategy_id})).all()
    finally:
        await db.engine.dispose()
    assert [f"{row.stream_ms}-{row.stream_seq}" for row in rows] == sent + more


class ThreeWakes:
    """Tells of a change three times; then the recorder is ended."""

    def __init__(self) -> None:
        self.left = 3

    async def changed(self, _seconds: float) -> set[str]:
        if not self.left:
            raise asyncio.CancelledError
        self.left -= 1
        return {"str_1"}


async def test_a_change_of_one_strategy_makes_the_recorder_look_at_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def sweep(*_: object) -> None:
        seen.append("all")

    async def one(_db: object, _redis: object, strategy_id: str) -> int:
        seen.append(strategy_id)
        return 0

    monkeypatch.setattr(recorder, "record_all", sweep)
    monkeypatch.setattr(recorder, "record_strategy", one)
    nothing: Any = None
    wakes: Any = ThreeWakes()
    with pytest.raises(asyncio.CancelledError):
        await recorder.run_recorder(nothing, nothing, wakes)
    assert seen == ["all", "str_1", "str_1", "str_1"]
