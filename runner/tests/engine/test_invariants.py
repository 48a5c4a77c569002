"""The eight invariants, each under arbitrary sequences of faults and in its own plain words."""

from typing import Any

from algo_crds.contracts import wire
from algo_crds.contracts.orders import FINAL, Leg, OrderClass, OrderStatus, OrderType, Product, Side
from algo_crds.contracts.runtime import Phase
from algo_runner.engine import invariants
from algo_runner.engine.actions import Intent, Journal
from algo_runner.engine.orders import filled, held, status, working
from algo_runner.engine.rows import merged
from algo_runner.engine.state import Line, restore, snapshot
from algo_runner.engine.step import step
from engine_broker import Deal
from engine_day import Day, days
from engine_ops import Op, ops
from engine_setup import at, rupees
from engine_world import bought, equal_states, restore_twin, started
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

FEW = settings(max_examples=max(settings.default.max_examples // 3, 10) if settings.default else 20)


@FEW
@given(sequence=ops, day=days)
def test_invariant_1_one_entry_live_or_unknown_and_fills_within_the_quantity(sequence: list[Op], day: Day) -> None:
    unknown: set[str] = set()
    for op in sequence:
        day.apply(op)
        assert invariants.one_entry(day.rig.state) == ""
        assert invariants.entry_fills_within_quantity(day.rig.state) == ""
    day.finish()
    sent = [a.tag for _, a in day.rig.log if isinstance(a, wire.Place) and a.leg is Leg.ENTRY]
    assert len(sent) == len(set(sent))
    for order in day.rig.state.orders.values():
        if order.leg is Leg.ENTRY and order.was_unknown:
            unknown.add(order.tag)
    assert not unknown or max(unknown) == max(sent)  # none was sent after one had been unknown


@FEW
@given(sequence=ops, day=days)
def test_invariant_2_nothing_can_sell_more_than_is_held(sequence: list[Op], day: Day) -> None:
    for op in sequence:
        day.apply(op)
        if not day.tainted:
            assert working(day.rig.state) <= max(held(day.rig.state), 0), day.rig.describe()
    day.finish()


@FEW
@given(sequence=ops, day=days)
def test_invariant_3_held_is_guarded_or_being_guarded(sequence: list[Op], day: Day) -> None:
    for op in sequence:
        day.apply(op)
        assert invariants.held_is_guarded(day.rig.state) == "", day.rig.describe()
    day.heal()
    rig = day.rig
    # With every fault gone, half a minute is enough to be protected, out, or in a person's hands.
    for _ in range(30):
        rig.advance(1000)
        rig.tick(rig.price)
    if rig.held > 0 and rig.now < rig.session.last_new_order and not day.tainted:
        known = rig.condition("Protected") == "True" or rig.state.exit_reason is not None
        assert known or rig.view.phase is Phase.FAILED, rig.describe()


@FEW
@given(sequence=ops, day=days)
def test_invariant_4_no_entry_without_a_journaled_intent_and_nothing_after_the_epoch(
    sequence: list[Op], day: Day
) -> None:
    for op in sequence:
        day.apply(op)
    rig = day.rig
    journaled = {entry.tag for entry in rig.journal if isinstance(entry, Intent) and entry.epoch == rig.epoch}
    for _, action in rig.log:
        if isinstance(action, wire.Place) and action.leg is Leg.ENTRY:
            assert action.tag in journaled
    rig.feed(wire.EpochLost(now=rig.now, newest=rig.epoch + 1))
    rig.forget()
    rig.heap.clear()
    rig.tick(rupees(1850))
    rig.feed(rig.book())
    rig.feed(wire.UpdatesGap(now=rig.now))
    assert not rig.actions


lines = st.builds(
    Line,
    broker_order_id=st.just("b1"),
    status=st.sampled_from([s for s in OrderStatus if s.value not in ("Intended", "Sent", "NotSent", "Unknown")]),
    type=st.just(OrderType.LIMIT),
    quantity=st.just(10),
    price=st.just(100),
    filled=st.integers(0, 10),
    average_price=st.integers(0, 100),
    read_at=st.integers(0, 5),
)


@given(sequence=st.lists(lines, min_size=1, max_size=8))
def test_invariant_5_larger_fills_are_believed_and_final_beats_live(sequence: list[Line]) -> None:
    line = sequence[0]
    for new in sequence[1:]:
        before, line = line, merged(line, new)
        assert line.filled == max(before.filled, new.filled)
        assert line.status in FINAL or before.status not in FINAL
        assert line.read_at == max(before.read_at, new.read_at)
        if line.status not in FINAL:
            older = new.status is OrderStatus.PENDING and before.status is not OrderStatus.PENDING
            newer = new.read_at > before.read_at or (new.read_at == before.read_at and not older)
            assert line.status is (new if newer else before).status


@FEW
@given(sequence=ops, day=days)
def test_invariant_6_a_run_ends_only_flat_and_final(sequence: list[Op], day: Day) -> None:
    for op in sequence:
        day.apply(op)
        state = day.rig.state
        assert invariants.ended_is_flat(state) == "", day.rig.describe()
        if day.rig.view.phase in (Phase.SOLD, Phase.STOPPED):
            assert held(state) == 0
            assert all(status(order) in FINAL for order in state.orders.values())
    day.finish()


def test_invariant_6_a_run_ends_only_when_the_book_shows_it() -> None:
    rig = bought()
    rig.book_down = True
    rig.tick(rupees(1979))
    rig.advance(5000)
    assert rig.held == 0
    assert (rig.view.final, rig.view.phase) == (False, Phase.BOUGHT)
    rig.book_down = False
    rig.advance(2000)
    assert (rig.view.final, rig.view.phase) == (True, Phase.SOLD)


@FEW
@given(sequence=ops, day=days)
def test_invariant_7_a_failed_read_changes_no_belief(sequence: list[Op], day: Day) -> None:
    for op in sequence:
        day.apply(op)
    rig = day.rig
    before = {tag: (status(order), filled(order), order.absent_reads) for tag, order in rig.state.orders.items()}
    shares = rig.held
    for _ in range(5):
        state, _ = step(rig.state, wire.Book(now=rig.now, req=0, begun_at=rig.now + 60_000, unavailable="503"), rig.now)
        state, _ = step(state, wire.Positions(now=rig.now, req=0, begun_at=rig.now, unavailable="503"), rig.now)
        after = {tag: (status(order), filled(order), order.absent_reads) for tag, order in state.orders.items()}
        assert after.items() >= before.items()
        assert held(state) == shares


def test_invariant_7_absent_needs_two_reads_a_second_apart_begun_late_enough() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", "lost"])
    rig.until("09:20:00")
    rig.book_down = True
    rig.advance(0)
    tag = next(tag for tag, order in rig.state.orders.items() if order.leg is Leg.STOP)
    certain_from = at("09:20:02") + 7_000 + 10_000

    def read(begun_at: int) -> OrderStatus:
        rows = tuple(rig.row(deal) for deal in rig.deals)
        rig.state, _ = step(rig.state, wire.Book(now=rig.now, req=0, begun_at=begun_at, rows=rows), rig.now)
        return status(rig.state.orders[tag])

    assert read(certain_from) is OrderStatus.UNKNOWN
    assert read(certain_from + 1) is OrderStatus.UNKNOWN
    assert rig.state.orders[tag].absent_reads == 1
    assert read(certain_from + 1_000) is OrderStatus.UNKNOWN
    assert rig.state.orders[tag].absent_reads == 1
    assert read(certain_from + 1_001) is OrderStatus.NOT_SENT
    assert rig.state.orders[tag].absent


@FEW
@given(sequence=ops, day=days)
def test_invariant_8_the_same_events_give_the_same_states_and_actions(sequence: list[Op], day: Day) -> None:
    twin = Day(restore_twin(day.rig))
    for op in sequence:
        day.apply(op)
        twin.apply(op)
    assert day.rig.log == twin.rig.log
    assert equal_states(day.rig.state, twin.rig.state)
    assert snapshot(day.rig.state) == snapshot(twin.rig.state)


@FEW
@given(sequence=ops, day=days)
def test_a_snapshot_is_complete_but_for_the_connection(sequence: list[Op], day: Day) -> None:
    for op in sequence:
        day.apply(op)
    again = restore(snapshot(day.rig.state))
    assert again is not None
    assert held(again) == day.rig.held
    assert working(again) == working(day.rig.state)
    assert snapshot(again) == snapshot(restore(snapshot(again)) or again)


def test_never_more_sold_than_held_beats_never_unprotected() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", "lost"])
    rig.until("09:20:00")
    rig.feed_on = True
    rig.forget()
    rig.tick(rupees(1900), time=rig.now + 1000)
    assert rig.held == 10
    assert not rig.sent(wire.Place)


def test_the_shell_refuses_what_would_break_1_2_or_4() -> None:
    rig = bought()
    place: dict[str, Any] = {
        "req": 99,
        "tag": "a6z0asbpg0czx0zz",
        "order_class": OrderClass.EXIT,
        "side": Side.SELL,
        "type": OrderType.LIMIT,
        "quantity": 10,
        "price": 1,
        "product": Product.INTRADAY,
        "send_before": 1,
    }
    order = next(o for o in rig.state.orders.values() if o.leg is Leg.STOP)
    state = replace(rig.state, orders={**rig.state.orders, "a6z0asbpg0czx0zz": replace(order, tag="a6z0asbpg0czx0zz")})
    assert invariants.refuses(state, wire.Place(leg=Leg.EXIT, **place)).startswith("2")
    assert invariants.refuses(rig.state, wire.Place(leg=Leg.ENTRY, **place)).startswith("4")
    entry = next(o for o in rig.state.orders.values() if o.leg is Leg.ENTRY)
    live = replace(entry, lines=(), own=OrderStatus.SENT)
    two = replace(rig.state, orders={**rig.state.orders, "e1": live, "e2": replace(live, tag="e2")})
    assert invariants.refuses(two, wire.Place(leg=Leg.ENTRY, **place)).startswith("1")
    modify = wire.Modify(
        req=1,
        broker_order_id="b2",
        tag=order.tag,
        order_class=OrderClass.EXIT,
        type=OrderType.LIMIT,
        quantity=11,
        price=1,
        send_before=1,
    )
    assert invariants.refuses(rig.state, modify).startswith("2")
    assert invariants.refuses(replace(rig.state, lost=True), modify).startswith("4")
    assert invariants.intent_before_entry(rig.state, (wire.Place(leg=Leg.ENTRY, **place),)).startswith("4")
    assert invariants.intent_before_entry(rig.state, (Journal(entry=rig.journal[0]),)) == ""


def test_a_second_broker_order_under_one_tag_is_cancelled() -> None:
    rig = bought()
    stop = rig.stop
    twin = Deal(**{**vars(stop), "id": "twin"})
    rig.deals.append(twin)
    rig.expect_oversell = True
    rig.tell(twin)
    rig.advance(0)
    assert twin.status is OrderStatus.CANCELLED
    assert stop.live
    rig.advance(100)
    assert rig.condition("Protected") == "True"
