"""A strategy that a person starts again on the same day: what was read while the last run held shares says nothing."""

from datetime import timedelta

import pytest
from algo_crds.contracts.orders import Leg, Side
from algo_crds.contracts.runtime import Phase
from algo_runner.engine.actions import OrderChanged
from algo_runner.engine.events import CommandKind
from engine_setup import CAPABILITY, MIDNIGHT, at, rupees
from engine_world import Rig, bought, stamped, started

VISIBLE_MS = CAPABILITY.visibility_delay_ms


def seconds(instant: int) -> int:
    return int(timedelta(milliseconds=instant - MIDNIGHT).total_seconds())


def sold_while_positions_are_fresh() -> Rig:
    """A run whose stop has fired a second after the positions were read: they still tell of ten shares."""
    rig = bought()
    rig.until("09:21:00")
    while rig.state.positions_quantity != 10:
        rig.advance(1000)
        rig.tick(rupees(2000))
    rig.advance(1000)
    rig.tick(rupees(1979))
    rig.advance(100)
    assert rig.view.final
    assert rig.held == 0
    assert rig.state.positions_quantity == 10
    rig.tick(rupees(2000))
    return rig


def again(rig: Rig, in_s: int) -> int:
    """Another run, `in_s` from now; its buy time as an instant."""
    due = rig.now // 1000 * 1000 + in_s * 1000
    rig.change(buy_time=seconds(due))
    rig.command(CommandKind.START)
    return due


@pytest.mark.parametrize("in_s", [1, 3, 9, 12, 30])
def test_a_new_run_is_not_refused_for_the_shares_of_the_last(in_s: int) -> None:
    rig = sold_while_positions_are_fresh()
    sold_at = rig.now
    due = again(rig, in_s)
    rig.run_until(max(due, sold_at + VISIBLE_MS) + 3000, lambda: rupees(2000))
    assert len(rig.legs(Leg.ENTRY)) == 2
    assert rig.view.phase is Phase.BOUGHT
    entered = rig.legs(Leg.ENTRY)[-1].time
    assert entered >= due
    assert entered >= sold_at - 100 + VISIBLE_MS, "before the positions could show what was sold"
    assert entered <= max(due, sold_at + VISIBLE_MS) + 2000


def test_positions_read_before_the_last_fill_never_allow_an_entry() -> None:
    rig = sold_while_positions_are_fresh()
    due = again(rig, 1)
    rig.run_until(due + 5000, lambda: rupees(2000))
    assert len(rig.legs(Leg.ENTRY)) == 1
    assert rig.view.reason == "Reconciling"


def test_what_the_trader_bought_between_two_runs_is_seen() -> None:
    rig = sold_while_positions_are_fresh()
    rig.run_until(rig.now + VISIBLE_MS + 30_000, lambda: rupees(2000))
    rig.by_hand(5, Side.BUY)
    due = again(rig, 2)
    rig.run_until(due + 10_000, lambda: rupees(2000))
    assert len(rig.legs(Leg.ENTRY)) == 1
    assert rig.view.reason == "PositionNotOurs"


def test_shares_bought_by_hand_after_a_fresh_read_bar_the_entry() -> None:
    rig = sold_while_positions_are_fresh()
    due = again(rig, 20)
    rig.run_until(due - 5000, lambda: rupees(2000))
    assert rig.state.positions_quantity == 0
    rig.by_hand(5, Side.BUY)
    rig.run_until(due + 5000, lambda: rupees(2000))
    assert len(rig.legs(Leg.ENTRY)) == 1
    assert rig.view.reason == "PositionNotOurs"


def test_a_book_that_is_read_again_is_no_news_to_people() -> None:
    rig = bought()
    rig.forget()
    for _ in range(3):
        rig.advance(1000)
        rig.tick(rupees(2000))
        rig.feed(stamped(rig.book(), rig.now))
    assert not rig.sent(OrderChanged)


@pytest.mark.parametrize("how", ["snapshot", "journal", "book"])
def test_what_an_earlier_run_paid_never_moves_the_stop_of_this_one(how: str) -> None:
    """However little is remembered: the first run bought a hundred rupees higher, and sold."""
    rig = bought()
    rig.tick(rupees(1979))
    rig.advance(100)
    rig.price = rupees(1900)
    due = again(rig, 30)
    rig.run_until(due + 3000, lambda: rupees(1900))
    assert (rig.held, rig.stop.trigger) == (10, rupees(1881))
    rig.restart(how)
    rig.run_until(rig.now + 15_000, lambda: rupees(1900))
    assert (rig.held, rig.view.entry_price, rig.stop.trigger) == (10, rupees(1900), rupees(1881))
    assert "LateFill" not in rig.alerts()
    assert rig.condition("Protected") == "True"


def test_a_late_fill_of_an_earlier_run_belongs_to_this_one() -> None:
    rig = started(now=at("09:19:50"), liquidity=0)
    rig.until("09:20:08")
    assert rig.view.reason == "EntryUnfilled"
    first = rig.legs(Leg.ENTRY)[0]
    again(rig, 60)
    rig.advance(1000)
    assert rig.state.run == 2
    rig.liquidity = None
    first.filled, first.value = 4, 4 * rupees(2000)
    rig.feed(stamped(rig.book(), rig.now))
    rig.advance(1000)
    assert (rig.held, rig.stop.quantity, rig.condition("Protected")) == (4, 4, "True")
    assert (rig.view.entry_price, rig.stop.trigger) == (rupees(2000), rupees(1980))
    assert "LateFill" in rig.alerts()
