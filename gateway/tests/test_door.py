"""The order door's promises, one by one and against arbitrary sequences."""

from collections import Counter

import msgspec
import pytest
from algo_brokers.breaker import BreakerState
from algo_brokers.limits import Window, Windows
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderClass, OrderStatus, Product, RejectKind, Side
from algo_gateway.door.door import Door
from algo_gateway.door.effects import Cut, Effect, Notice, Reply
from door_orders import NOW, ONE, SECOND, TWO, claims, modify, open_door, place, refusal, row, sent, tag
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture
def door() -> Door:
    door = open_door()
    owns, effects = door.connect(1, claims(), NOW)
    assert owns
    assert effects == []
    return door


def test_an_order_leaves_at_once(door: Door) -> None:
    (send,) = sent(door.write(1, place(1), NOW))
    assert send.write.req == 1
    assert door.in_flight_tags(ONE) == (tag(1),)
    assert door.traded_by(send.call) == ("NSE", "RELIANCE", Product.INTRADAY)
    reply = wire.Accepted(now=NOW, req=1, broker_order_id="17")
    assert door.outcome(send.call, reply) == [Reply(1, reply)]
    assert door.outcome(send.call, reply) == []
    assert door.in_flight_tags(ONE) == ()


def test_a_tag_is_forwarded_once(door: Door) -> None:
    assert sent(door.write(1, place(1), NOW))
    assert refusal(door.write(1, place(1), NOW)).kind is RejectKind.DUPLICATE_TAG
    assert refusal(door.write(1, place(2, tag=tag(1).upper()), NOW)).kind is RejectKind.DUPLICATE_TAG


def test_the_last_order_that_was_placed_is_remembered_and_none_that_stayed_here(door: Door) -> None:
    door.write(1, place(1), NOW)
    door.write(1, place(2, send_before=NOW), NOW)
    door.write(1, modify(3), NOW + 10)
    owner = door.owners.of_connection(1)
    assert owner is not None
    assert (owner.last_tag, owner.last_send) == (tag(1), NOW + 10)


def test_a_tag_of_the_book_is_not_forwarded(door: Door) -> None:
    door.row(row("9", tag(3).upper()))
    assert refusal(door.write(1, place(3), NOW)).kind is RejectKind.DUPLICATE_TAG


def test_what_is_too_old_is_dropped_and_said(door: Door) -> None:
    effects = door.write(1, place(1, send_before=NOW), NOW)
    assert [effect.message for effect in effects if isinstance(effect, Reply)] == [
        wire.NotSent(now=NOW, req=1, reason="too late to send")
    ]
    assert sent(door.write(1, place(1), NOW)), "what never left may be asked for again"


def test_what_waits_too_long_is_dropped(door: Door) -> None:
    for req in range(1, 9):
        assert sent(door.write(1, place(req), NOW))
    assert door.write(1, place(9, send_before=NOW + 500), NOW) == []
    assert door.next_pump(NOW) == NOW + 500
    (dropped,) = door.pump(NOW + 500)
    assert isinstance(dropped, Reply)
    assert isinstance(dropped.message, wire.NotSent)
    assert door.next_pump(NOW + 500) is None


def test_the_most_urgent_goes_first(door: Door) -> None:
    for req in range(1, 9):
        door.write(1, place(req), NOW)
    waiting = [OrderClass.ENTRY, OrderClass.TRAILING, OrderClass.EXIT, OrderClass.STOP, OrderClass.URGENT_EXIT]
    for number, order_class in enumerate(waiting):
        call = place(20 + number, order_class) if order_class is OrderClass.ENTRY else modify(20 + number, order_class)
        assert door.write(1, call, NOW) == []
    order = [send.write.order_class for send in sent(door.pump(NOW + 1_100))]
    assert order == [OrderClass.URGENT_EXIT, OrderClass.STOP, OrderClass.EXIT, OrderClass.TRAILING]


def test_entries_leave_room_for_exits(door: Door) -> None:
    windows = sent(door.write(1, place(1, OrderClass.ENTRY), NOW))
    assert windows
    assert sent(door.write(1, place(2, OrderClass.ENTRY), NOW))
    assert sent(door.write(1, place(3, OrderClass.ENTRY), NOW)) == []
    assert sent(door.write(1, place(4), NOW)), "a stop still finds room"


@pytest.mark.parametrize(
    ("gate", "kind"),
    [
        ({"halts_known": False}, RejectKind.HALTED),
        ({"halt_reason": "tenant: stop"}, RejectKind.HALTED),
        ({"breaker": BreakerState.OPEN}, RejectKind.BROKER_DOWN),
    ],
)
def test_what_stops_entries_and_trailing_stops_nothing_else(
    door: Door, gate: dict[str, object], kind: RejectKind
) -> None:
    door.gate = msgspec.structs.replace(door.gate, **gate)
    assert refusal(door.write(1, place(1, OrderClass.ENTRY), NOW)).kind is kind
    assert refusal(door.write(1, modify(2, OrderClass.TRAILING), NOW)).kind is kind
    disguised = place(3, OrderClass.URGENT_EXIT, tag=tag(3, Leg.ENTRY), leg=Leg.ENTRY)
    assert refusal(door.write(1, disguised, NOW)).kind is kind
    cancel = wire.Cancel(
        req=4, broker_order_id="1", tag=tag(1, Leg.ENTRY), order_class=OrderClass.ENTRY, send_before=NOW + 1
    )
    for call in (place(5), modify(6), place(7, OrderClass.URGENT_EXIT), cancel):
        assert sent(door.write(1, call, NOW)), call


def test_a_half_open_breaker_lets_one_entry_try(door: Door) -> None:
    door.gate = msgspec.structs.replace(door.gate, breaker=BreakerState.HALF_OPEN)
    assert sent(door.write(1, place(1), NOW)), "a stop under way is no trial"
    (trial,) = sent(door.write(1, place(2, OrderClass.ENTRY), NOW))
    assert refusal(door.write(1, place(3, OrderClass.ENTRY), NOW)).kind is RejectKind.BROKER_DOWN
    assert refusal(door.write(1, modify(4, OrderClass.TRAILING), NOW)).kind is RejectKind.BROKER_DOWN
    assert sent(door.write(1, modify(5), NOW)), "an exit passes at any time"
    door.outcome(trial.call, wire.Accepted(now=NOW, req=2, broker_order_id="1"))
    assert sent(door.write(1, place(6, OrderClass.ENTRY), NOW + 1_100))


def test_a_halt_stops_an_entry_that_waits(door: Door) -> None:
    for req in range(1, 4):
        door.write(1, place(req, OrderClass.ENTRY), NOW)
    door.gate = msgspec.structs.replace(door.gate, halt_reason="stop")
    assert refusal(door.pump(NOW + 1_100)).kind is RejectKind.HALTED


def test_without_a_session_nothing_leaves(door: Door) -> None:
    door.gate = msgspec.structs.replace(door.gate, session=False)
    assert refusal(door.write(1, place(1), NOW)).kind is RejectKind.SESSION


def test_a_strategy_acts_for_itself_only(door: Door) -> None:
    assert refusal(door.write(1, place(1, tag=tag(1, strategy=TWO)), NOW)).kind is RejectKind.NOT_OWNER
    assert refusal(door.write(1, place(1, tag="nonsense"), NOW)).kind is RejectKind.NOT_OWNER
    door.row(row("17", tag(1, strategy=TWO)))
    assert refusal(door.write(1, modify(2), NOW)).kind is RejectKind.NOT_OWNER
    assert refusal(door.write(99, place(3), NOW)).kind is RejectKind.OLD_EPOCH


def test_one_owner_a_symbol(door: Door) -> None:
    owns, _ = door.connect(2, claims(TWO), NOW)
    assert owns
    entry = place(1, OrderClass.ENTRY, tag=tag(1, Leg.ENTRY, TWO))
    door.row(row("5", tag(7, Leg.ENTRY), status=OrderStatus.FILLED, filled=10))
    assert refusal(door.write(2, entry, NOW)).kind is RejectKind.NOT_OWNER
    assert door.open_positions == 1
    door.row(row("6", tag(8), side=Side.SELL, status=OrderStatus.FILLED, filled=10))
    assert door.open_positions == 0
    assert sent(door.write(1, place(9, OrderClass.ENTRY), NOW))
    assert refusal(door.write(2, entry, NOW)).kind is RejectKind.NOT_OWNER, "the other's entry is under way"


def test_exit_budget() -> None:
    door = open_door(Windows(writes=(SECOND, Window(length_ms=86_400_000, limit=4)), reads={}))
    door.connect(1, claims(), NOW)
    assert sent(door.write(1, place(1, OrderClass.ENTRY), NOW))
    assert sent(door.write(1, modify(2), NOW))
    assert refusal(door.write(1, place(3, OrderClass.ENTRY), NOW)).kind is RejectKind.EXIT_BUDGET
    assert sent(door.write(1, place(4), NOW))


def test_a_higher_epoch_cuts_the_older(door: Door) -> None:
    for req in range(1, 9):
        door.write(1, place(req), NOW)
    door.write(1, place(9), NOW)
    owns, effects = door.connect(2, claims(epoch=6), NOW)
    assert owns
    assert effects == [
        Reply(1, wire.NotSent(now=NOW, req=9, reason="a newer connection owns the strategy")),
        Reply(1, wire.EpochLost(now=NOW, newest=6)),
        Cut(1, "a newer connection owns the strategy"),
    ]
    assert len(door.in_flight_tags(ONE)) == 8
    assert refusal(door.write(1, place(10), NOW)).kind is RejectKind.OLD_EPOCH
    assert sent(door.write(2, place(9), NOW + 1_100)), "its tag never left"


def test_an_older_epoch_is_not_served(door: Door) -> None:
    owns, effects = door.connect(2, claims(epoch=4), NOW)
    assert not owns
    assert effects[0] == Reply(2, wire.EpochLost(now=NOW, newest=5))
    assert isinstance(effects[1], Cut)
    assert sent(door.write(1, place(1), NOW))


def test_the_same_epoch_replaces_without_a_last_word(door: Door) -> None:
    owns, effects = door.connect(2, claims(), NOW)
    assert owns
    assert [type(effect) for effect in effects] == [Cut]


def test_a_lost_runner_leaves_nothing_queued(door: Door) -> None:
    for req in range(1, 10):
        door.write(1, place(req), NOW)
    assert door.disconnect(1, NOW) == []
    assert door.pump(NOW + 1_100) == []
    assert door.calls == 8


def test_orders_of_nobody(door: Door) -> None:
    (notice,) = door.row(row("5", tag(1, Leg.ENTRY, TWO)))
    assert isinstance(notice, Notice)
    assert door.row(row("6", tag(2, Leg.STOP, TWO), side=Side.SELL)) != []
    assert door.row(row("7", "manual")) == []
    assert door.row(row("8", None)) == []


def test_rows_out_of_order_do_not_reopen_a_filled_order(door: Door) -> None:
    door.row(row("5", tag(1, Leg.ENTRY), status=OrderStatus.FILLED, filled=10, read_at=5))
    door.row(row("5", tag(1, Leg.ENTRY), status=OrderStatus.OPEN, filled=0, read_at=9))
    assert not door.has_live_orders()
    assert door.open_positions == 1


CALLS = st.tuples(
    st.sampled_from(["place", "entry", "modify", "connect", "lost", "outcome", "row", "wait", "halt"]),
    st.integers(0, 12),
    st.integers(0, 700),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(CALLS, max_size=60))
def test_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    door, now, connection, epoch = open_door(), NOW, 1, 5
    door.connect(connection, claims(epoch=epoch), now)
    effects: list[Effect] = []
    asked: set[int] = set()
    at: list[int] = []
    for req, (what, number, pause) in enumerate(steps, 1):
        now += pause
        new: list[Effect] = []
        if what in ("place", "entry"):
            order_class = OrderClass.ENTRY if what == "entry" else OrderClass.STOP
            leg = Leg.ENTRY if what == "entry" else Leg.STOP
            asked.add(req)
            new = door.write(connection, place(req, order_class, tag=tag(number, leg), send_before=now + 1_500), now)
        elif what == "modify":
            asked.add(req)
            new = door.write(connection, modify(req, send_before=now + 1_500), now)
        elif what == "connect":
            connection, epoch = connection + 1, epoch + number % 2
            _, new = door.connect(connection, claims(epoch=epoch), now)
        elif what == "lost":
            new = door.disconnect(connection, now)
            asked.clear()
            connection += 1
            door.connect(connection, claims(epoch=epoch), now)
        elif what == "outcome":
            new = door.outcome(number, wire.Unknown(now=now, req=0, reason="?"))
        elif what == "row":
            new = door.row(row(str(number), tag(number)))
        elif what == "halt":
            door.gate = msgspec.structs.replace(door.gate, halt_reason="halt" if number % 2 else "")
        else:
            new = door.pump(now)
        effects += new
        at += [now] * len(sent(new))
        for send in sent(new):
            assert now < send.write.send_before, "never after sendBefore"
            if isinstance(send.write, wire.Place) and send.write.leg is Leg.ENTRY:
                assert not door.gate.halt_reason, "no entry while halted, however long it waited"
    tags = Counter(send.write.tag for send in sent(effects) if isinstance(send.write, wire.Place))
    assert all(count == 1 for count in tags.values()), "a tag is forwarded once"
    for first in at:
        assert sum(first <= one < first + SECOND.length_ms for one in at) <= SECOND.limit
    now += 2_000
    effects += door.pump(now)
    answered = {one.message.req for one in effects if isinstance(one, Reply) and hasattr(one.message, "req")}
    left = {send.write.req for send in sent(effects)}
    assert asked <= answered | left, "every call is sent or answered"
