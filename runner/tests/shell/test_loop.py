"""The serial loop with the real engine and ports that the test holds in its hand."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg
from algo_crds.contracts.runtime import QueueEvent, StrategyEvent
from algo_runner.engine.actions import JournalEntry
from algo_runner.engine.events import JournalHealth
from algo_runner.engine.state import initial
from algo_runner.loop import EventLoop, Ports
from algo_runner.session_clock import SessionClock
from shell_gateway import SOURCE, FakeGateway, at
from shell_processes import make_spec, until

EPOCH = 7


@dataclass
class Bench:
    """A loop, what it did, and a journal that waits until the test lets it."""

    own_clock: bool = True
    wall: float = 0.0
    sent: list[wire.ToGateway] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    armed: list[bool] = field(default_factory=list)
    journaling: list["asyncio.Future[bool]"] = field(default_factory=list)
    on_publish: Callable[[StrategyEvent], None] = lambda _event: None
    on_changed: Callable[[], int] = lambda: 0
    loop: EventLoop = field(init=False)
    clock: SessionClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = SessionClock(monotonic=lambda: self.wall, wall=lambda: self.wall)
        ports = Ports(
            send=self._send,
            journal_now=self._journal,
            journal_later=lambda _entry: None,
            publish=lambda event: self.on_publish(event),
            queue=_ignore_queue,
            changed=lambda _state, _urgent: bench_changed(self),
            armed=self.armed.append,
            epoch_lost=self.lost.append,
            stop_at=lambda _point: False,
            hang=lambda _point: None,
        )
        self.loop = EventLoop(initial(make_spec()), clock=self.clock, ports=ports)

    def _send(self, data: bytes) -> bool:
        message = wire.decode_to_gateway(data)
        self.sent.append(message)
        now = self.clock.now()
        if isinstance(message, wire.ReadBook):
            self.loop.post(wire.Book(now=now, req=message.req, begun_at=now))
        elif isinstance(message, wire.ReadPositions):
            self.loop.post(wire.Positions(now=now, req=message.req, begun_at=now))
        return True

    def _journal(self, _entry: JournalEntry) -> "asyncio.Future[bool]":
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.journaling.append(future)
        return future

    def of(self, kind: type[Any]) -> list[Any]:
        """What was sent of a kind."""
        return [message for message in self.sent if isinstance(message, kind)]

    def connect(self, now: int) -> None:
        """Connected at an instant, with a journal that can be written."""
        double = FakeGateway(own_clock=self.own_clock)
        double.now = now
        self.loop.post(double._welcome(EPOCH))
        self.loop.post(JournalHealth(writable=True))

    def tick(self, now: int) -> None:
        """A good price."""
        self.loop.post(wire.Tick(now=now, price=20_000_000, time=now // 1000 * 1000, source=SOURCE))


def _ignore_queue(_entry: QueueEvent) -> None:
    return None


def bench_changed(bench: Bench) -> None:
    """Through the bench, so that a test may make it fail."""
    bench.on_changed()


async def _at_the_entry(bench: Bench) -> None:
    """Connected, and the entry's intent is on its way to the disk."""
    bench.connect(at("09:19:50"))
    assert bench.armed == [True]
    for second in range(51, 60):
        bench.tick(at(f"09:19:{second}"))
    bench.loop.post(wire.Beat(now=at("09:19:59"), seq=1))
    bench.tick(at("09:20:00"))
    bench.loop.post(wire.Beat(now=at("09:20:00"), seq=2))
    await until(lambda: bench.journaling, "the intent is being written")


async def test_round_is_not_answered_while_an_intent_is_written() -> None:
    bench = Bench()
    await _at_the_entry(bench)
    assert bench.of(wire.Place) == []
    assert [idle.seq for idle in bench.of(wire.Idle)][-1] == 1
    assert bench.of(wire.Idle)[-1].in_flight == 1, "the call that is about to be made is told"
    bench.journaling[0].set_result(True)
    await until(lambda: bench.of(wire.Idle)[-1].seq == 2, "the round is answered")
    order = [type(message) for message in bench.sent]
    assert order.index(wire.Place) < len(order) - 1
    assert bench.of(wire.Idle)[-1].in_flight == 1
    place = bench.of(wire.Place)[0]
    answered = len(bench.of(wire.Idle))
    bench.loop.post(wire.Accepted(now=at("09:20:00"), req=place.req, broker_order_id="b1"))
    assert bench.of(wire.Idle)[answered:][0].in_flight == 0, "told again without a new beat"


async def test_entry_without_journal_is_not_sent() -> None:
    bench = Bench()
    await _at_the_entry(bench)
    bench.journaling[0].set_result(False)
    await until(lambda: bench.of(wire.Idle)[-1].seq == 2, "the round is answered")
    assert bench.of(wire.Place) == []
    assert bench.loop.calls_in_flight == 0


async def test_connection_lost_while_an_intent_is_written() -> None:
    bench = Bench()
    await _at_the_entry(bench)
    bench.loop.connection_lost("cut")
    bench.connect(at("09:20:01"))
    bench.journaling[0].set_result(True)
    await until(lambda: len(bench.of(wire.ReadBook)) >= 2, "the new connection begins with the book")
    assert bench.of(wire.Place) == [], "decided for another connection"
    assert not any(order.was_unknown for order in bench.loop.state.orders.values()), "that it was not sent is certain"
    await asyncio.sleep(0)


async def test_epoch_lost_while_an_intent_is_written() -> None:
    bench = Bench()
    await _at_the_entry(bench)
    bench.loop.connection_lost("cut by the door")
    bench.loop.post(wire.EpochLost(now=at("09:20:00"), newest=EPOCH + 1))
    bench.journaling[0].set_result(True)
    await until(lambda: bench.lost == [EPOCH + 1], "it is told")
    count = len(bench.sent)
    bench.tick(at("09:20:01"))
    bench.loop.post(wire.Beat(now=at("09:20:01"), seq=3))
    assert len(bench.sent) == count
    assert bench.of(wire.Place) == []


async def test_no_entry_once_the_process_is_leaving() -> None:
    bench = Bench()
    await _at_the_entry(bench)
    bench.loop.leaving = True
    bench.journaling[0].set_result(True)
    await until(lambda: bench.of(wire.Idle)[-1].seq == 2, "the round is answered")
    assert bench.of(wire.Place) == []


async def test_timer_that_fires_early_is_set_again() -> None:
    """The gateway's clock may lag behind ours; the engine must get its `Clock` at its instant, or it waits for ever."""
    bench = Bench(own_clock=False)
    bench.connect(at("09:19:59") + 900)
    bench.tick(at("09:19:59") + 950)
    bench.loop._woken()
    assert bench.journaling == [], "before its time nothing happens"
    bench.wall += 1.0
    bench.tick(at("09:20:00") + 100)
    await until(lambda: bench.journaling, "the entry is decided by the timer, with no further message")
    assert next(iter(bench.loop.state.orders.values())).leg is Leg.ENTRY


async def test_fault_in_what_people_see_stops_nothing() -> None:
    bench = Bench()

    def fail(_event: StrategyEvent) -> None:
        raise OSError("no room")

    bench.on_publish = fail
    await _at_the_entry(bench)
    bench.journaling[0].set_result(True)
    await until(lambda: bench.of(wire.Place), "the entry is sent all the same")


async def test_fault_of_the_shell_leads_to_one_read_of_the_book() -> None:
    bench = Bench()
    bench.connect(at("09:19:50"))
    before = len(bench.of(wire.ReadBook))
    bench.on_changed = lambda: 1 // 0
    bench.tick(at("09:19:51"))
    bench.tick(at("09:19:52"))
    bench.on_changed = lambda: 0
    bench.tick(at("09:19:53"))
    assert len(bench.of(wire.ReadBook)) == before + 1
    assert bench.loop.state.market.price == 20_000_000
    assert bench.loop.state.reconciled
