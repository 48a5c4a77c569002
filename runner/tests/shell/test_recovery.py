"""What a starting runner remembers, from a real Redis."""

import asyncio

import pytest
from algo_crds.contracts import keys
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Side
from algo_runner.engine.actions import Intent, Note
from algo_runner.engine.state import initial, snapshot
from algo_runner.journal import FIELD, _encode
from algo_runner.recovery import PAGE, Memory, remember
from algo_runner.redis_link import RedisLink
from shell_processes import PASSWORD, STRATEGY, RedisServer, make_spec, until

pytestmark = pytest.mark.redis


def _intent(seq: int, *, day: str = "2021-04-12", attempt: int = 1) -> Intent:
    return Intent(
        seq=seq,
        epoch=1,
        day=day,
        run=1,
        first_attempt=1,
        tag=f"a{'0' * 8}0d4e{attempt:03}",
        leg=Leg.ENTRY,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=10,
        price=20_000_000,
        trigger=0,
        at=1,
        send_before=2_001,
    )


def _add(redis: RedisServer, entry: Intent | Note) -> None:
    redis.call("XADD", keys.journal(STRATEGY), "*", FIELD, _encode(entry))


async def _remembered(redis: RedisServer) -> Memory:
    link = RedisLink(
        host="127.0.0.1",
        port=redis.port,
        database=0,
        username=f"run-{STRATEGY}",
        password=lambda: PASSWORD,
        channel=keys.notify(STRATEGY),
        on_push=lambda _payload: None,
        on_state=lambda _connected: None,
    )
    task = asyncio.create_task(link.run())
    try:
        await until(lambda: link.connected, "the link is up")
        return await remember(link.call, make_spec())
    finally:
        task.cancel()


async def test_nothing_remembered_is_the_initial_state(redis: RedisServer) -> None:
    memory = await _remembered(redis)
    assert memory.state.orders == {}
    assert memory.commands_id == "0-0"


async def test_an_intent_without_outcome_is_unknown_and_bars_entries(redis: RedisServer) -> None:
    _add(redis, _intent(3))
    memory = await _remembered(redis)
    (order,) = memory.state.orders.values()
    assert order.own is OrderStatus.UNKNOWN
    assert memory.state.entry_barred


async def test_only_the_newest_day_counts_over_many_pages(redis: RedisServer) -> None:
    for seq in range(PAGE + 20):
        _add(redis, Note(seq=seq, epoch=1, day="2021-04-09", at=0, what="old"))
    _add(redis, _intent(PAGE + 30))
    for seq in range(PAGE + 31, 2 * PAGE + 40):
        _add(redis, Note(seq=seq, epoch=1, day="2021-04-12", at=0, what="new"))
    memory = await _remembered(redis)
    assert len(memory.state.orders) == 1
    assert memory.state.journal_seq == 2 * PAGE + 39


async def test_entries_out_of_order_are_replayed_in_the_engines_order(redis: RedisServer) -> None:
    _add(redis, _intent(5, attempt=2))
    _add(redis, _intent(4, attempt=1))
    memory = await _remembered(redis)
    assert len(memory.state.orders) == 2


@pytest.mark.parametrize("data", [b"", b"{}", b"not json", b'{"format": 99}', b"\xff\xfe"])
async def test_a_damaged_snapshot_or_entry_stops_nothing(redis: RedisServer, data: bytes) -> None:
    redis.call("HSET", keys.state(STRATEGY), "engine", data)
    redis.call("XADD", keys.journal(STRATEGY), "*", FIELD, data)
    redis.call("XADD", keys.journal(STRATEGY), "*", "other", data)
    memory = await _remembered(redis)
    assert memory.state.orders == {}


async def test_the_snapshot_is_taken_up(redis: RedisServer) -> None:
    state = initial(make_spec())
    state.journal_seq = 7
    redis.call(
        "HSET", keys.state(STRATEGY), "engine", snapshot(state), "unprotected_total", "250", "commands_id", "5-1"
    )
    memory = await _remembered(redis)
    assert memory.state.journal_seq == 7
    assert memory.unprotected.total == 250
    assert memory.commands_id == "5-1"
