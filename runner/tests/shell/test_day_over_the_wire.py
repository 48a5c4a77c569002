"""A whole day of one strategy, in a real process, over a real socket, with a real Redis."""

import asyncio
import time

import pytest
from algo_crds.contracts import keys, wire
from algo_crds.contracts.orders import Leg, OrderStatus
from algo_crds.contracts.runtime import ExitReason, OrderEvent, Phase, PhaseEvent, decode_event
from shell_gateway import SOURCE, FakeGateway, at, path
from shell_processes import STRATEGY, RedisServer, RunnerProcess, make_spec, until

pytestmark = pytest.mark.redis


async def _armed(runner: RunnerProcess, gateway: FakeGateway) -> None:
    runner.start()
    async with asyncio.timeout(20):
        await gateway.armed.wait()


def _phase_is(redis: RedisServer, phase: Phase) -> bool:
    view = redis.view()
    return view is not None and view.phase is phase and view.final


async def test_buys_protects_and_sells_at_the_time(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    await _armed(runner, gateway)
    assert await runner.get("/readyz") == 200
    await gateway.play(path(("09:19:50", 2000), ("09:45:00", 2000)), until=at("09:45:00"))
    assert gateway.held() == 0
    entries, stops, exits = (gateway.placed(leg) for leg in (Leg.ENTRY, Leg.STOP, Leg.EXIT))
    assert (len(entries), len(stops), len(exits)) == (1, 1, 0), "the stop is modified into the exit"
    assert stops[0].status is OrderStatus.FILLED
    await until(lambda: _phase_is(redis, Phase.SOLD), "the view says Sold")
    view = redis.view()
    assert view is not None
    assert view.exit_reason is ExitReason.TIME
    assert view.unprotected_session_ms == 0
    assert gateway.timeouts == 0


async def test_resting_stop_takes_the_position_out(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    await _armed(runner, gateway)
    ticks = path(("09:19:50", 2000), ("09:25:00", 1975), ("09:30:00", 1975))
    await gateway.play(ticks, until=at("09:30:00"))
    assert gateway.held() == 0
    await until(lambda: _phase_is(redis, Phase.SOLD), "the view says Sold")
    view = redis.view()
    assert view is not None
    assert view.exit_reason is ExitReason.STOP


async def test_state_hash_has_the_names_that_were_asked_for(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(("09:19:50", 2000), ("09:21:00", 2000)), until=at("09:21:00"))
    await until(lambda: redis.call("HGET", keys.state(STRATEGY), "sell_order_id") == b"b2", "the hash knows the stop")
    flat = redis.call("HGETALL", keys.state(STRATEGY))
    assert isinstance(flat, list)
    fields = {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}
    expected = {
        "strategy_id": STRATEGY.encode(),
        "symbol": b"RELIANCE",
        "current_price": b"2000.00",
        "buy_time": b"09:20:00",
        "sell_time": b"09:40:00",
        "stop_loss": b"1980.00",
        "quantity": b"10",
        "status": b"BOUGHT",
        "buy_order_id": b"b1",
        "sell_order_id": b"b2",
        "epoch": str(runner.epoch).encode(),
    }
    assert {name: fields[name] for name in expected} == expected
    assert {"last_action", "market_data", "errors", "view", "engine"} <= set(fields)


async def test_events_tell_the_story_in_order(redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess) -> None:
    await _armed(runner, gateway)
    await gateway.play(path(("09:19:50", 2000), ("09:45:00", 2000)), until=at("09:45:00"))
    await until(lambda: _phase_is(redis, Phase.SOLD), "the view says Sold")

    def phases() -> list[Phase]:
        return [event.current for event in _events(redis) if isinstance(event, PhaseEvent)]

    await until(lambda: phases() and phases()[-1] is Phase.SOLD, "the last phase event is Sold")
    distinct = [phase for index, phase in enumerate(phases()) if index == 0 or phases()[index - 1] is not phase]
    assert distinct == [Phase.WAITING, Phase.BOUGHT, Phase.SOLD] or distinct == [Phase.BOUGHT, Phase.SOLD]
    assert all(event.order.wall_time > 0 for event in _events(redis) if isinstance(event, OrderEvent))


def _events(redis: RedisServer) -> list[object]:
    entries = redis.call("XRANGE", keys.events(STRATEGY), "-", "+")
    assert isinstance(entries, list)
    return [decode_event(flat[1]) for _, flat in entries]


async def test_orders_show_the_wall_time_at_which_they_were_made(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    """The market is of 2021, the wall is not; a modified order keeps its time, and so does one after a restart."""

    def walls() -> list[int]:
        view = redis.view()
        return [] if view is None else [order.wall_time for order in view.orders]

    ticks = path(("09:19:50", 2000), ("09:45:00", 2000))
    before = time.time_ns() // 1_000_000
    await _armed(runner, gateway)
    await gateway.play(ticks, until=at("09:21:00"))
    await until(lambda: len(walls()) == 2, "the view shows entry and stop")
    made = walls()
    assert before <= made[0] <= made[1] <= time.time_ns() // 1_000_000
    await until(lambda: redis.call("HGET", keys.state(STRATEGY), "order_times"), "they are kept")
    runner.kill()
    await until(lambda: not gateway.armed.is_set(), "the connection ends")
    await _armed(runner, gateway)
    await gateway.play(ticks, until=at("09:45:00"))
    await until(lambda: _phase_is(redis, Phase.SOLD), "the view says Sold")
    assert walls() == made


async def test_intent_is_on_disk_before_the_entry_leaves(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    journaled: list[bool] = []

    def look(message: wire.ToGateway) -> bool:
        if isinstance(message, wire.Place) and message.leg is Leg.ENTRY:
            entries = redis.call("XRANGE", keys.journal(STRATEGY), "-", "+")
            assert isinstance(entries, list)
            journaled.append(any(message.tag.encode() in flat[1] for _, flat in entries))
        return False

    gateway.on_write = look
    await _armed(runner, gateway)
    await gateway.play(path(("09:19:50", 2000), ("09:21:00", 2000)), until=at("09:21:00"))
    assert journaled == [True]


async def test_same_session_gives_the_same_orders(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    """Every call, its instant and every instant at which the market stood are equal, whatever the machine did."""
    ticks = (("09:19:50", 2000), ("09:25:00", 1990), ("09:28:00", 1978), ("09:30:00", 1978))
    calls: list[list[tuple[int, wire.ToGateway]]] = []
    instants: list[list[tuple[int, int | None]]] = []
    for _ in range(2):
        redis.call("FLUSHALL")
        redis.put_spec(make_spec())
        await _armed(runner, gateway)
        await gateway.play(path(*ticks), until=at("09:30:00"))
        runner.kill()
        await until(lambda: not gateway.armed.is_set(), "the connection ends")
        calls.append([(now, message) for now, message in gateway.calls if not isinstance(message, wire.Idle)])
        instants.append(gateway.instants)
        gateway.calls, gateway.instants, gateway.orders, gateway.rounds = [], [], {}, 0
        gateway.now, gateway.last, gateway.last_send = at("09:19:50"), 2000 * 10_000, 0
    assert calls[0] == calls[1]
    assert instants[0] == instants[1]
    assert len(instants[0]) > 600


async def test_timers_shorter_than_a_step_fire_at_their_own_instant(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    """A stop that does not trigger is given 300 ms, not a step of the market; then the watch sells by itself."""
    gateway.stuck_stops = True
    await _armed(runner, gateway)
    ticks = path(("09:19:50", 2000), ("09:25:00", 1975), ("09:26:00", 1975))
    await gateway.play(ticks, until=at("09:26:00"))
    assert at("09:25:00") + 300 in {now for now, _ in gateway.instants}
    assert gateway.held() == 0
    await until(lambda: _phase_is(redis, Phase.SOLD), "the view says Sold")
    view = redis.view()
    assert view is not None
    assert view.exit_reason is ExitReason.SOFTWARE_STOP


async def test_wall_clock_market_trades_by_its_own_timers(
    redis: RedisServer, gateway: FakeGateway, runner: RunnerProcess
) -> None:
    """Without beats time passes by itself: entry and exit come at their times although no tick comes just then."""
    gateway.own_clock = False
    gateway.now = at("09:19:58")

    async def feed() -> None:
        while True:
            now = gateway.now
            gateway.send(wire.Tick(now=now, price=gateway.last, time=now // 1000 * 1000, source=SOURCE))
            await asyncio.sleep(0.7)

    redis.put_spec(make_spec(sell_time=9 * 3600 + 20 * 60 + 4))
    market = asyncio.create_task(feed())
    await _armed(runner, gateway)
    await until(lambda: gateway.resting_stop() == 10, "the stop rests")
    await until(lambda: gateway.held() == 0 and len(gateway.orders) == 2, "it is sold")
    market.cancel()
    idles = [message for message in gateway.received if isinstance(message, wire.Idle)]
    assert idles == [], "there are no rounds to answer"
    entry, exit_call = (gateway.placed_at(kind) for kind in (wire.Place, wire.Modify))
    assert at("09:20:00") <= entry.send_before - 2_000 < at("09:20:01")
    assert at("09:20:04") <= exit_call.send_before - 2_000 < at("09:20:05")
