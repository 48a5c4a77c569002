"""Redis away, emptied, or owned by a newer epoch: entries stop, protection and exits go on."""

import asyncio

import pytest
from algo_crds.contracts import keys
from algo_crds.contracts.orders import Leg
from algo_crds.contracts.runtime import Phase
from algo_runner.fence import FencedError, create_fence
from algo_runner.redis_link import RedisLink
from shell_gateway import FakeGateway, at, path
from shell_processes import PASSWORD, STRATEGY, RedisServer, RunnerProcess, until

pytestmark = pytest.mark.redis
TICKS = (("09:19:50", 2000), ("09:45:00", 2000))


async def _armed(runner: RunnerProcess, gateway: FakeGateway) -> None:
    runner.start()
    async with asyncio.timeout(20):
        await gateway.armed.wait()


async def test_exit_happens_with_redis_away(redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:22:00"))
    assert gateway.resting_stop() == 10
    redis.stop()
    await gateway.play(path(*TICKS), until=at("09:45:00"))
    assert gateway.held() == 0
    redis.start()

    def told() -> bool:
        view = redis.view()
        return view is not None and view.phase is Phase.SOLD

    await until(told, "what happened meanwhile is told once Redis is back")
    entries = redis.call("XRANGE", keys.events(STRATEGY), "-", "+")
    assert isinstance(entries, list)
    assert any(b'"Sold"' in flat[1] for _, flat in entries), "the buffered events were written"
    payloads = [flat[1] for _, flat in entries]
    assert len(payloads) == len(set(payloads)), "none twice"


async def test_no_entry_with_redis_away(redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:19:55"))
    redis.stop()
    await until(lambda: "not writable" in runner.log.split("journal writable")[-1], "the runner notices")
    await gateway.play(path(*TICKS), until=at("09:25:00"))
    assert gateway.orders == {}
    redis.start()


async def test_hanging_redis_holds_back_the_entry_only(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    """No answer in a second is "not on disk": the entry is not sent. Nor does the market wait longer for anything."""
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:19:55"))
    redis.pause()
    await gateway.play(path(*TICKS), until=at("09:25:00"))
    redis.resume()
    assert gateway.orders == {}
    assert gateway.timeouts == 0


async def test_exit_happens_with_redis_hanging(redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:22:00"))
    redis.pause()
    await gateway.play(path(*TICKS), until=at("09:45:00"))
    redis.resume()
    assert gateway.held() == 0


async def test_exit_happens_with_redis_emptied(redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:22:00"))
    redis.call("FLUSHALL")
    await gateway.play(path(*TICKS), until=at("09:45:00"))
    assert gateway.held() == 0
    await until(lambda: redis.view() is not None, "the state is written anew")


async def test_no_entry_while_a_newer_epoch_owns_the_keys(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    redis.call("SET", keys.lease(STRATEGY), str(runner.epoch + 1))
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:25:00"))
    assert gateway.orders == {}
    assert redis.call("XLEN", keys.journal(STRATEGY)) == 0
    assert redis.call("EXISTS", keys.state(STRATEGY)) == 0


async def test_older_epoch_is_refused_even_after_the_lease_ran_out(redis: RedisServer) -> None:
    pushes: list[bytes] = []
    states: list[bool] = []
    link = RedisLink(
        host="127.0.0.1",
        port=redis.port,
        database=0,
        username=f"run-{STRATEGY}",
        password=lambda: PASSWORD,
        channel=keys.notify(STRATEGY),
        on_push=pushes.append,
        on_state=states.append,
    )
    task = asyncio.create_task(link.run())
    await until(lambda: link.connected, "the link is up")
    newer = create_fence(link.call, strategy_id=STRATEGY, epoch=8)
    older = create_fence(link.call, strategy_id=STRATEGY, epoch=7)
    await older.write([("HSET", keys.state(STRATEGY), "status", "WAITING")])
    await newer.write([("SET", keys.lease(STRATEGY), 8, "PX", 1)])
    await until(lambda: redis.call("EXISTS", keys.lease(STRATEGY)) == 0, "the lease runs out")
    with pytest.raises(FencedError):
        await older.write([("HSET", keys.state(STRATEGY), "status", "SOLD")])
    assert redis.call("HGET", keys.state(STRATEGY), "status") == b"WAITING"
    await newer.write([("XADD", keys.journal(STRATEGY), "*", "entry", "x")], batch="one")
    await newer.write([("XADD", keys.journal(STRATEGY), "*", "entry", "x")], batch="one")
    assert redis.call("XLEN", keys.journal(STRATEGY)) == 1, "a batch that is sent again is done once"
    redis.call("PUBLISH", keys.notify(STRATEGY), "operator")
    await until(lambda: pushes == [b"operator"], "the notice arrives")
    redis.stop()
    await until(lambda: states == [True, False], "the loss is told")
    redis.start()
    await until(lambda: link.connected, "it connects again by itself")
    task.cancel()


async def test_stop_stays_and_gets_placed_without_redis(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    """The entry fills after Redis has gone: its stop waits for nothing."""
    gateway.rest_entries = True
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:20:01"))
    assert len(gateway.placed(Leg.ENTRY)) == 1
    redis.stop()
    gateway.rest_entries = False
    gateway.match(gateway.placed(Leg.ENTRY)[0])
    await gateway.play(path(*TICKS), until=at("09:20:03"))
    assert gateway.resting_stop() == 10
    redis.start()
