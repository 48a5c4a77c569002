"""SIGTERM, the loss of the epoch, and what people ask meanwhile."""

import asyncio

import pytest
from algo_crds.contracts import keys, wire
from algo_crds.contracts.orders import Leg, OrderStatus
from algo_crds.contracts.runtime import Desired, Phase
from algo_runner.process import EXIT_CLEAN, EXIT_EPOCH_LOST
from shell_gateway import FakeGateway, at, path
from shell_processes import STRATEGY, RedisServer, RunnerProcess, make_spec, until

pytestmark = pytest.mark.redis
TICKS = (("09:19:50", 2000), ("09:45:00", 2000))


async def _armed(runner: RunnerProcess, gateway: FakeGateway) -> None:
    gateway.armed.clear()
    runner.start()
    async with asyncio.timeout(20):
        await gateway.armed.wait()


async def test_sigterm_keeps_the_resting_stop_and_releases_the_lease(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:22:00"))
    assert redis.call("GET", keys.lease(STRATEGY)) == str(runner.epoch).encode()
    runner.terminate()
    assert await runner.ended() == EXIT_CLEAN
    assert gateway.resting_stop() == 10
    assert redis.call("EXISTS", keys.lease(STRATEGY)) == 0
    view = redis.view()
    assert view is not None
    assert view.phase is Phase.BOUGHT


async def test_sigterm_cancels_a_live_entry(redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess) -> None:
    gateway.rest_entries = True
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:20:02"))
    (entry,) = gateway.placed(Leg.ENTRY)
    assert entry.status is OrderStatus.OPEN
    runner.terminate()
    assert await runner.ended() == EXIT_CLEAN
    (entry,) = gateway.placed(Leg.ENTRY)
    assert entry.status is OrderStatus.CANCELLED


async def test_sigterm_waits_for_the_stop_of_a_fill(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    held_back: list[wire.Place] = []

    def hold_back(message: wire.ToGateway) -> bool:
        if isinstance(message, wire.Place) and message.leg is Leg.STOP and not held_back:
            held_back.append(message)
            return True
        return False

    gateway.on_write = hold_back
    await _armed(runner, gateway)
    market = asyncio.create_task(gateway.play(path(*TICKS), until=at("09:22:00")))
    await until(lambda: held_back, "the stop is sent")
    runner.terminate()
    with pytest.raises(AssertionError):
        await until(lambda: runner.process is None or runner.process.poll() is not None, "it waits", 0.5)
    gateway.on_write = None
    gateway.take(held_back[0])
    assert await runner.ended() == EXIT_CLEAN
    assert gateway.resting_stop() == 10
    market.cancel()


async def test_sigterm_before_the_buy_time_sends_no_order(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    await _armed(runner, gateway)
    runner.terminate()
    assert await runner.ended() == EXIT_CLEAN
    assert gateway.orders == {}


async def test_epoch_lost_stops_everything(redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:22:00"))
    count = len(gateway.received)
    gateway.newest_epoch = runner.epoch + 1
    gateway.send(wire.EpochLost(now=gateway.now, newest=runner.epoch + 1))
    gateway.send(wire.Tick(now=gateway.now + 1000, price=19_000_000, time=gateway.now + 1000, source="x"))
    assert await runner.ended() == EXIT_EPOCH_LOST
    writes = [m for m in gateway.received[count:] if isinstance(m, wire.Place | wire.Modify | wire.Cancel)]
    assert writes == []
    assert gateway.resting_stop() == 10


async def test_older_epoch_is_turned_away(redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess) -> None:
    gateway.newest_epoch = runner.epoch + 1
    runner.start()
    with pytest.raises(AssertionError):
        await until(gateway.armed.is_set, "armed", 1.0)
    assert gateway.received == []


async def test_stop_command_of_the_spec_exits(redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(*TICKS), until=at("09:22:00"))
    redis.put_spec(make_spec(desired=Desired.STOP_EXIT, generation=2))
    loop = asyncio.get_running_loop()
    end = loop.time() + 15
    while gateway.held() and loop.time() < end:
        await gateway.play(path(*TICKS), until=gateway.now + 1000)
        await asyncio.sleep(0.01)
    assert gateway.held() == 0
    assert gateway.now < at("09:40:00")


async def test_health_before_and_after(redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess) -> None:
    redis.call("DEL", keys.spec(STRATEGY))
    runner.start()
    loop = asyncio.get_running_loop()
    end = loop.time() + 15
    while await runner.get("/healthz") != 200:
        assert loop.time() < end
        await asyncio.sleep(0.02)
    assert await runner.get("/readyz") == 503
    assert await runner.get("/other") == 404
    redis.put_spec(make_spec())
    async with asyncio.timeout(15):
        await gateway.armed.wait()
    while await runner.get("/readyz") != 200:
        assert loop.time() < end
        await asyncio.sleep(0.02)
    gateway.cut()
    await gateway.stop()
    while await runner.get("/readyz") != 503:
        assert loop.time() < end
        await asyncio.sleep(0.02)
