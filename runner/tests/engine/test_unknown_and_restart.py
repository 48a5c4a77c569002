"""Unknown outcomes, restarts and gaps: everything starts with the book, and nothing is sent twice in doubt."""

import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderStatus
from algo_crds.contracts.runtime import ExitReason, Phase
from algo_runner.engine.state import snapshot
from engine_setup import CAPABILITY, at, make_spec, rupees
from engine_world import Rig, bought, equal_states, restore_twin, started, with_unknown_stop
from msgspec.structs import replace

# Unknown sells


def test_an_unknown_stop_that_was_done_is_found_and_protects() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", "done"])
    rig.until("09:19:59")
    rig.until("09:20:00")
    rig.advance(1100)
    assert rig.condition("Protected") == "True"
    assert len(rig.legs(Leg.STOP)) == 1


def test_an_unknown_stop_shows_protected_unknown_and_is_looked_up_urgently() -> None:
    rig = with_unknown_stop("lost")
    assert rig.condition("Protected") == "Unknown"
    assert "OutcomeUnknown" in rig.alerts()
    rig.forget()
    rig.run_until(rig.now + 5_000, lambda: rupees(2000))
    assert len([r for r in rig.sent(wire.ReadBook) if r.urgent]) >= 4


def test_while_a_sell_is_unknown_no_other_sell_is_placed() -> None:
    rig = with_unknown_stop("lost")
    rig.forget()
    rig.tick(rupees(1950), time=rig.now + 1000)
    rig.run_until(at("09:20:18"), lambda: rupees(1950))
    assert not rig.sent(wire.Place)
    assert rig.held == 10


def test_a_certainly_absent_stop_is_sent_again_under_a_new_attempt() -> None:
    rig = with_unknown_stop("lost")
    # send-before 2 s, HTTP time-out 7 s, visibility 10 s: two reads begun after 09:20:19
    rig.run_until(at("09:20:19"), lambda: rupees(2000))
    assert not rig.legs(Leg.STOP)
    rig.run_until(at("09:20:22"), lambda: rupees(2000))
    assert rig.stop.tag is not None
    assert rig.stop.tag.lower().endswith("s003")
    assert rig.condition("Protected") == "True"


def test_a_failed_read_never_changes_a_belief() -> None:
    rig = with_unknown_stop("lost")
    rig.book_down = True
    rig.run_until(at("09:22:00"), lambda: rupees(2000))
    assert not rig.legs(Leg.STOP)
    assert rig.condition("Protected") == "Unknown"
    assert "BookUnreadable" in rig.alerts()
    rig.book_down = False
    rig.run_until(at("09:22:05"), lambda: rupees(2000))
    assert rig.condition("Protected") == "True"


def test_an_order_that_appears_after_being_called_absent_is_cancelled_or_counts() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", "done"])
    rig.until("09:19:59")
    rig.rows_lost = True
    rig.until("09:20:00")
    rig.visible_delay = 60_000  # longer than the broker promises
    rig.feed(wire.Row(now=rig.now, seq=1, row=rig.row(rig.legs(Leg.ENTRY)[0])))
    rig.settle()
    late = rig.legs(Leg.STOP)[0]
    rig.visible_delay = 0
    rig.rows_lost = False
    rig.expect_oversell = True
    rig.run_until(at("09:20:30"), lambda: rupees(2000))
    assert len(rig.legs(Leg.STOP)) == 2
    rig.run_until(at("09:21:00"), lambda: rupees(2000))
    rig.feed(rig.book())
    rig.settle()
    assert late.status is OrderStatus.CANCELLED
    assert rig.stop.live
    assert "OrderAppeared" in rig.alerts()


def test_a_tag_that_the_door_has_forwarded_is_unknown_never_resent() -> None:
    rig = started(now=at("09:19:50"))
    rig.until("09:19:59")
    rig.script["place"].extend(["accept", "door:DuplicateTag"])
    rig.until("09:20:05")
    assert rig.condition("Protected") == "Unknown"
    assert not rig.legs(Leg.STOP)


# Restart


@pytest.mark.parametrize("how", ["snapshot", "journal", "book"])
def test_restart_with_a_position_adopts_what_rests(how: str) -> None:
    rig = bought()
    rig.advance(500)
    rig.restart(how)
    rig.advance(0)
    assert rig.condition("Ready") == "True"
    assert rig.condition("Protected") == "True"
    assert len(rig.legs(Leg.STOP)) == 1
    assert len(rig.legs(Leg.ENTRY)) == 1
    rig.until("15:05:01")
    assert (rig.view.phase, rig.view.exit_reason, rig.true_held) == (Phase.SOLD, ExitReason.TIME, 0)


@pytest.mark.parametrize("how", ["snapshot", "journal", "book"])
def test_a_restart_before_buy_time_enters_once(how: str) -> None:
    rig = started(now=at("09:19:50"))
    rig.until("09:19:55")
    rig.restart(how)
    rig.until("09:20:30")
    assert len(rig.legs(Leg.ENTRY)) == 1


def test_a_journaled_place_without_an_outcome_is_unknown_never_run_again() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].append("mute")
    rig.until("09:20:00")
    assert not rig.legs(Leg.ENTRY)
    rig.in_flight.clear()  # the gateway was replaced too and remembers nothing
    rig.restart("journal")
    rig.until("09:21:30")
    assert not rig.legs(Leg.ENTRY)
    assert rig.view.phase is Phase.WAITING


@pytest.mark.parametrize("outcome", ["mute", "mute_done"])
def test_a_call_that_was_under_way_when_the_process_died_is_unknown_by_its_snapshot(outcome: str) -> None:
    rig = started(now=at("09:19:50"), rows_lost=True, visible_delay=6_000)
    rig.script["place"].append(outcome)
    rig.until("09:20:00")
    rig.in_flight.clear()
    rig.journal.clear()
    rig.restart("snapshot")
    rig.rows_lost = False
    rig.until("09:20:50")
    assert len(rig.legs(Leg.ENTRY)) == (0 if outcome == "mute" else 1)
    assert rig.condition("Protected") == ("False" if outcome == "mute" else "True")


def test_death_between_fill_and_stop_protects_on_return() -> None:
    rig = started(now=at("09:19:50"), rows_lost=True)
    rig.script["place"].append("mute_done")
    rig.until("09:20:00")
    rig.rows_lost = False
    rig.advance(3000)
    rig.restart("snapshot")
    rig.advance(0)
    assert rig.held == 10
    assert rig.condition("Protected") == "True"


def test_death_with_the_stop_under_way_never_places_two() -> None:
    for how in ("snapshot", "journal", "book"):
        rig = started(now=at("09:19:50"))
        rig.script["place"].extend(["accept", "mute_done"])
        rig.until("09:20:00")
        rig.legs(Leg.STOP)[0].visible_at = rig.now + 8_000
        rig.restart(how)
        rig.run_until(rig.now + 12_000, lambda: rupees(2000))
        assert len(rig.legs(Leg.STOP)) == 1, how
        assert rig.condition("Protected") == "True", how


def replaced_stop_without_trace() -> tuple[Rig, bytes, int]:
    """A stop is cancelled; the first new one is late at the door and the second rests, not yet in the book. With the
    snapshot and the length of the journal of before: of both nothing is on disk."""
    rig = started(now=at("09:19:50"))
    rig.until("09:20:00")
    data, length = snapshot(rig.state), len(rig.journal)
    rig.script["place"].append("not_sent")
    rig.rows_lost = True
    rig.cancel_by_hand(rig.stop)
    rig.feed(rig.book())
    rig.advance(1_500)
    assert [deal.tag for deal in rig.legs(Leg.STOP) if deal.live] == [rig.last_tag]
    rig.stop.visible_at = rig.now + 5_000
    return rig, data, length


def test_an_order_without_trace_is_waited_for_also_where_one_of_the_same_moment_is_known() -> None:
    rig, data, length = replaced_stop_without_trace()
    rig.restart_from(data, length)
    rig.run_until(rig.now + 4_000, lambda: rupees(2000))
    assert rig.true_working <= rig.true_held
    rig.rows_lost = False
    rig.run_until(rig.now + 10_000, lambda: rupees(2000))
    assert rig.true_working == rig.true_held == 10
    assert rig.condition("Protected") == "True"


def test_another_restart_or_connection_does_not_shorten_the_wait_for_an_order_without_trace() -> None:
    for again in ("restart", "connection"):
        rig, data, length = replaced_stop_without_trace()
        rig.restart_from(data, length)
        if again == "restart":
            rig.restart_from(snapshot(rig.state), length)
        else:
            rig.disconnect()
            rig.connect()
        rig.run_until(rig.now + 4_000, lambda: rupees(2000))
        assert rig.true_working <= rig.true_held, again
        rig.rows_lost = False
        rig.run_until(rig.now + 10_000, lambda: rupees(2000))
        assert rig.true_working == rig.true_held == 10, again


def test_positions_that_lag_never_cut_a_good_stop() -> None:
    rig = started(now=at("09:19:50"))
    rig.until("09:20:00")
    late = [wire.Positions(now=rig.now, req=0, begun_at=rig.now)]
    rig.positions = lambda req=0: replace(late[0], now=rig.now, req=req, begun_at=rig.now)  # type: ignore[method-assign]
    rig.restart_from(snapshot(rig.state), len(rig.journal))
    rig.run_until(at("09:20:09"), lambda: rupees(2000))
    assert rig.stop.live
    assert rig.condition("Protected") == "True"
    rig.run_until(at("09:20:40"), lambda: rupees(2000))
    assert not rig.stop.live, "what is said for longer than the broker is late counts"


def test_fills_of_an_ended_run_reopen_it() -> None:
    rig = started(now=at("09:19:50"), liquidity=0)
    rig.until("09:20:08")
    assert rig.view.final
    deal = rig.legs(Leg.ENTRY)[0]
    deal.filled, deal.value = 4, 4 * rupees(2000)
    rig.feed(wire.Row(now=rig.now, seq=1, row=rig.row(deal)))
    rig.liquidity = None
    rig.advance(1000)
    assert rig.held == 4
    assert rig.view.phase is Phase.BOUGHT
    assert rig.stop.quantity == 4
    assert not rig.view.final


def test_lower_attempts_belong_to_earlier_runs_and_are_never_adopted() -> None:
    rig = bought()
    rig.tick(rupees(1979))
    rig.advance(0)
    assert rig.view.final
    first = rig.state.highest
    rig.change(buy_time=(9 * 3600 + 30 * 60))
    rig.command_start()
    rig.until("09:30:02")
    assert rig.state.first_attempt == first + 1
    old = rig.legs(Leg.STOP)[0]
    ghost = replace(rig.row(old), broker_order_id="ghost", filled=0, status=OrderStatus.TRIGGER_PENDING)
    ghost = replace(ghost, tag=(old.tag or "").lower()[:-3] + "000")
    rig.expect_oversell = True
    rig.forget()
    rig.feed(wire.Row(now=rig.now, seq=1, row=ghost))
    assert rig.sent(wire.Cancel)[0].broker_order_id == "ghost"


def test_start_of_a_run_needs_no_tag_of_ours_live_in_the_book() -> None:
    rig = Rig(now=at("09:19:50"))
    donor = bought()
    stray = donor.legs(Leg.STOP)[0]
    stray.visible_at, stray.time = 0, rig.now
    rig.deals.append(stray)
    rig.expect_oversell = True
    rig.connect()
    rig.advance(0)
    assert stray.status is OrderStatus.CANCELLED
    assert not rig.legs(Leg.ENTRY)


def test_a_gap_starts_with_the_book() -> None:
    rig = bought()
    rig.rows_lost = True
    rig.tick(rupees(1979))
    assert rig.held == 10
    rig.rows_lost = False
    rig.forget()
    rig.feed(wire.UpdatesGap(now=rig.now))
    assert isinstance(rig.actions[0], wire.ReadBook)
    rig.settle()
    rig.advance(0)
    assert rig.held == 0


def test_a_breach_while_disconnected_exits_on_return() -> None:
    rig = bought()
    rig.stop.trigger = 1  # it does not fire
    rig.disconnect()
    rig.tick(rupees(1970))
    rig.advance(2000)
    rig.connect()
    rig.tick(rupees(1970))
    rig.advance(1000)
    rig.tick(rupees(1970))
    assert rig.true_held == 0


def test_no_action_at_all_after_the_epoch_was_lost() -> None:
    rig = bought()
    rig.feed(wire.EpochLost(now=rig.now, newest=999))
    rig.forget()
    rig.advance(1000)
    rig.tick(rupees(1900))
    rig.feed(rig.book())
    rig.feed(rig.health(session_valid_until=0))
    assert not rig.actions


def test_the_same_events_give_the_same_states_and_actions() -> None:
    one = bought(spec=make_spec(), capability=CAPABILITY)
    other = restore_twin(one)
    for rig in (one, other):
        rig.tick(rupees(1990))
        rig.advance(3000)
        rig.tick(rupees(1979))
        rig.advance(3000)
    assert one.log == other.log
    assert equal_states(one.state, other.state)
