"""Entries that nobody guards: cancelled after a minute, once; whatever sells is left alone."""

import asyncio
from typing import Any

import msgspec
import pytest
from algo_brokers.limits import Window, Windows
from algo_brokers.outcomes import Accepted, WriteOutcome
from algo_brokers.records import InstrumentRef, OrderRef
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderStatus, Product, Side
from algo_gateway.calls import perform
from algo_gateway.door.door import Door
from algo_gateway.door.effects import Notice, Send
from door_orders import NOW, ONE, TWO, claims, modify, open_door, row, sent, tag

MINUTE = 60_000


@pytest.fixture
def door() -> Door:
    """A minute after the door opened: an entry and a stop of a strategy that never came."""
    door = open_door()
    door.row(row("entry", tag(1, Leg.ENTRY, TWO), order_time=NOW))
    door.row(row("stop", tag(2, Leg.STOP, TWO), side=Side.SELL, order_time=NOW))
    door.row(row("exit", tag(3, Leg.EXIT, TWO), side=Side.SELL, order_time=NOW))
    door.row(row("hand", None, order_time=NOW))
    door.row(row("done", tag(4, Leg.ENTRY, TWO), status=OrderStatus.FILLED, filled=10, order_time=NOW))
    return door


def cancelled(door: Door, now: int, wall: int) -> list[str]:
    effects = door.cancel_orphans(now, wall)
    writes = [send.write for send in sent(effects)]
    assert sum(isinstance(effect, Notice) for effect in effects) == len(writes), "each is told"
    assert all(isinstance(write, wire.Cancel) for write in writes)
    return [write.broker_order_id for write in writes if isinstance(write, wire.Cancel)]


def test_only_the_entry_and_only_once(door: Door) -> None:
    assert cancelled(door, NOW, 0) == []
    assert cancelled(door, NOW + MINUTE - 1, MINUTE - 1) == []
    assert cancelled(door, NOW + MINUTE, MINUTE) == ["entry"]
    for later in range(1, 5):
        assert cancelled(door, NOW + MINUTE + later * 1_000, MINUTE + later * 1_000) == []


def test_both_clocks_must_have_gone_on(door: Door) -> None:
    assert cancelled(door, NOW, 0) == []
    assert cancelled(door, NOW, 10 * MINUTE) == [], "a market that stands still"
    fast = open_door()
    fast.row(row("entry", tag(1, Leg.ENTRY, TWO), order_time=NOW))
    assert cancelled(fast, NOW, 0) == []
    assert cancelled(fast, NOW + 10 * MINUTE, 2_000) == [], "a market that is replayed fast"


def test_a_young_entry_waits(door: Door) -> None:
    assert cancelled(door, NOW, 0) == []
    door.row(row("young", tag(7, Leg.ENTRY, TWO), order_time=NOW + MINUTE))
    door.row(row("ageless", tag(8, Leg.ENTRY, TWO), order_time=0))
    assert cancelled(door, NOW + MINUTE, MINUTE) == ["entry"]
    assert cancelled(door, NOW + 2 * MINUTE, 2 * MINUTE) == ["young", "ageless"]


def test_a_runner_that_comes_back_keeps_its_entry(door: Door) -> None:
    assert cancelled(door, NOW, 0) == []
    door.connect(1, claims(TWO), NOW)
    assert cancelled(door, NOW + MINUTE, MINUTE) == []
    door.disconnect(1, NOW + MINUTE)
    assert cancelled(door, NOW + MINUTE, MINUTE) == [], "the minute begins anew"
    assert cancelled(door, NOW + 2 * MINUTE, 2 * MINUTE) == ["entry"]


def test_not_without_a_session(door: Door) -> None:
    assert cancelled(door, NOW, 0) == []
    door.gate = msgspec.structs.replace(door.gate, session=False)
    assert cancelled(door, NOW + MINUTE, MINUTE) == []
    door.gate = msgspec.structs.replace(door.gate, session=True)
    assert cancelled(door, NOW + MINUTE, MINUTE) == ["entry"], "a cancel that was not tried is not used up"


def test_it_keeps_to_the_windows_and_leaves_the_exits_their_share() -> None:
    door = open_door(Windows(writes=(Window(length_ms=1_100, limit=3),), reads={}))
    for number in range(4):
        door.row(row(str(number), tag(number + 1, Leg.ENTRY, TWO), order_time=NOW))
    now = NOW + MINUTE
    door.cancel_orphans(NOW, 0)
    assert cancelled(door, now, MINUTE) == ["0", "1"]
    door.connect(1, claims(ONE), now)
    assert sent(door.write(1, modify(1, send_before=now + 1_000), now)), "an exit passes at once"
    assert cancelled(door, now, MINUTE) == []
    assert cancelled(door, now + 1_100, MINUTE + 1_100) == ["2", "3"]


def test_a_returning_runner_is_not_told_of_it_as_its_own(door: Door) -> None:
    door.cancel_orphans(NOW, 0)
    (send,) = sent(door.cancel_orphans(NOW + MINUTE, MINUTE))
    door.connect(1, claims(TWO), NOW + MINUTE)
    assert door.in_flight_tags(TWO) == ()
    assert door.calls == 1, "a replayed market waits for it"
    assert door.outcome(send.call, wire.Accepted(now=NOW, req=0, broker_order_id="entry")) == []
    assert door.calls == 0


class Counting:
    """A broker that only cancels."""

    def __init__(self) -> None:
        self.cancels: list[str] = []

    async def cancel(self, *, order: OrderRef) -> WriteOutcome:
        self.cancels.append(order.broker_order_id)
        return Accepted(broker_order_id=order.broker_order_id)


def test_the_broker_sees_one_cancel(door: Door) -> None:
    broker: Any = Counting()
    for second in range(90):
        for effect in door.cancel_orphans(NOW + second * 1_000, second * 1_000):
            if isinstance(effect, Send):
                outcome = asyncio.run(
                    perform(
                        broker,
                        effect.write,
                        instrument=InstrumentRef(exchange="NSE", symbol="RELIANCE"),
                        product=Product.INTRADAY,
                        algo_id="",
                        now=lambda: NOW,
                        crash=lambda _point: None,
                    )
                )
                door.outcome(effect.call, outcome)
    assert broker.cancels == ["entry"]
