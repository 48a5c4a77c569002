"""The runner is killed between every two steps of an order's life, comes back, and nothing is doubled or naked."""

import asyncio

import pytest
from algo_crds.contracts import keys, wire
from algo_crds.contracts.orders import FINAL, Leg, OrderStatus
from algo_crds.contracts.runtime import Desired, Phase
from algo_runner.crash_points import POINTS, PREFIX
from shell_gateway import FakeGateway, at, path
from shell_processes import STRATEGY, RedisServer, RunnerProcess, make_spec, until

pytestmark = pytest.mark.redis
TICKS = (("09:19:50", 2000), ("09:45:00", 2000))


async def _armed(runner: RunnerProcess, gateway: FakeGateway) -> None:
    gateway.armed.clear()
    runner.start()
    async with asyncio.timeout(20):
        await gateway.armed.wait()


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_a_point_and_restarted(
    point: str, redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    (runner.crash_dir).mkdir()
    marker = runner.crash_dir / f"{PREFIX}{point}"
    marker.touch()
    reached = marker.with_name(f"{marker.name}.reached")
    await _armed(runner, gateway)
    market = asyncio.create_task(gateway.play(path(*TICKS), until=at("09:45:00")))
    await until(reached.exists, f"the runner reaches {point}")
    runner.kill()
    market.cancel()
    await until(lambda: not gateway.armed.is_set(), "the connection ends")
    await _armed(runner, gateway)
    naked = 0

    async def go_on() -> None:
        nonlocal naked
        await gateway.play(path(*TICKS), until=gateway.now + 30_000)
        exiting = gateway.now >= at("09:40:00")
        naked = 0 if exiting else gateway.held() - gateway.resting_stop()
        await gateway.play(path(*TICKS), until=at("09:46:00"))

    await go_on()
    assert naked == 0, "what is held has its stop"
    assert gateway.held() == 0, "sold at the time of exit, once"
    assert all(order.status in FINAL for order in gateway.orders.values())
    assert len(gateway.placed(Leg.ENTRY)) <= 1, "an entry is never sent twice"
    assert sum(order.filled for order in gateway.placed(Leg.ENTRY)) <= 10
    tags = [order.tag for order in gateway.orders.values()]
    assert len(tags) == len(set(tags))
    if point in ("before_intent", "after_intent"):
        assert all(order.filled == 0 for order in gateway.orders.values()) or len(gateway.placed(Leg.ENTRY)) == 1
    else:
        assert gateway.placed(Leg.ENTRY)[0].filled == 10


async def test_lost_connection_resyncs_from_the_book(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:22:00"))
    before = len(gateway.received)
    gateway.armed.clear()
    gateway.cut()
    async with asyncio.timeout(20):
        await gateway.armed.wait()
    assert isinstance(gateway.received[before], wire.ReadBook), "every connection begins with the book"
    assert gateway.connections == 2
    await gateway.play(path(*TICKS), until=at("09:45:00"))
    assert gateway.held() == 0
    assert (len(gateway.placed(Leg.ENTRY)), len(gateway.placed(Leg.STOP))) == (1, 1)


async def test_a_stop_that_filled_while_the_runner_was_dead_is_seen(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:22:00"))
    runner.kill()
    await until(lambda: not gateway.armed.is_set(), "the connection ends")
    gateway.last = 1_975 * 10_000
    for order in gateway.placed(Leg.STOP):
        gateway.match(order)
    assert gateway.held() == 0
    await _armed(runner, gateway)
    await gateway.play(path(("09:22:00", 1975), ("09:45:00", 1975)), until=at("09:45:00"))
    assert gateway.held() == 0
    assert len(gateway.orders) == 2, "nothing was sent for a position that is gone"


async def test_unanswered_entry_is_looked_up_and_never_sent_again(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    swallowed: list[wire.Place] = []

    def swallow(message: wire.ToGateway) -> bool:
        if isinstance(message, wire.Place) and message.leg is Leg.ENTRY:
            swallowed.append(message)
            gateway.send(wire.Unknown(now=gateway.now, req=message.req, reason="time-out"))
            return True
        return False

    gateway.on_write = swallow
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:45:00"))
    assert len(swallowed) == 1
    assert gateway.orders == {}


async def test_all_of_redis_lost_while_dead(redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess) -> None:
    """Only the spec comes back (the operator writes it): the broker's book rebuilds the rest."""
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:22:00"))
    runner.kill()
    await until(lambda: not gateway.armed.is_set(), "the connection ends")
    redis.call("FLUSHALL")
    redis.put_spec(make_spec())
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:45:00"))
    assert gateway.held() == 0
    assert len(gateway.placed(Leg.ENTRY)) == 1
    assert gateway.placed(Leg.STOP)[0].status is OrderStatus.FILLED
    view = redis.view()
    assert view is not None
    assert [order.wall_time for order in view.orders] == [0, 0], "nobody knows any more when they were made"


async def test_a_command_of_the_stream_is_obeyed_once_whatever_restarts(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:19:52"))
    redis.call("XADD", keys.commands(STRATEGY), "*", "command", "stop", "actor", "usr_1")
    redis.call("PUBLISH", keys.notify(STRATEGY), "api")
    await until(lambda: _shown(redis) == (Phase.STOPPED, 1), "the stop is obeyed")
    redis.put_spec(make_spec(desired=Desired.STOP_EXIT, generation=2))
    await until(lambda: _shown(redis) == (Phase.STOPPED, 2), "the stop of the spec is taken up")
    redis.put_spec(make_spec(generation=3))
    await until(lambda: _shown(redis) == (Phase.WAITING, 3), "the start of the spec is taken up")
    runner.kill()
    await until(lambda: not gateway.armed.is_set(), "the connection ends")
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:22:00"))
    assert gateway.held() == 10, "the old stop is not obeyed again"


def _shown(redis: RedisServer) -> tuple[Phase, int] | None:
    view = redis.view()
    return None if view is None else (view.phase, view.generation)
