"""Stop, kill and delete; the trader's hand; a mute feed; a lost session."""

from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, PositionRow, Side
from algo_crds.contracts.runtime import Desired, ExitReason, Level, Phase
from algo_runner.engine.events import CommandKind
from engine_setup import CAPABILITY, SESSION, at, make_spec, rupees
from engine_world import Rig, bought, started
from msgspec.structs import replace

# Stop, kill, delete


def test_stop_keep_leaves_the_stop_and_watches_until_flat() -> None:
    rig = bought()
    rig.change(desired=Desired.STOP_KEEP)
    rig.until("10:00:00")
    assert rig.view.phase is Phase.BOUGHT
    assert rig.condition("Protected") == "True"
    rig.tick(rupees(1979))
    rig.advance(0)
    assert (rig.view.phase, rig.true_held) == (Phase.STOPPED, 0)


def test_stop_keep_ends_at_the_time_of_exit() -> None:
    rig = bought()
    rig.change(desired=Desired.STOP_KEEP)
    rig.until("15:05:02")
    assert (rig.view.phase, rig.view.exit_reason) == (Phase.STOPPED, ExitReason.TIME)


def test_delete_exits() -> None:
    rig = bought()
    rig.change(deleting=True)
    rig.advance(1000)
    assert (rig.true_held, rig.view.phase) == (0, Phase.STOPPED)


def test_a_halt_flattens_and_blocks_entries() -> None:
    rig = bought()
    rig.change(halts=("tenant: drill",))
    rig.advance(1000)
    assert (rig.true_held, rig.view.exit_reason, rig.view.phase) == (0, ExitReason.KILL, Phase.STOPPED)
    assert rig.view.message == "flat; halted: tenant: drill"


def test_a_halt_lifted_before_buy_time_costs_nothing() -> None:
    rig = started(now=at("09:19:50"))
    rig.change(halts=("account: drill",))
    rig.advance(0)
    assert rig.view.phase is Phase.STOPPED
    rig.until("09:19:55")
    rig.change(halts=())
    rig.until("09:20:02")
    assert rig.held == 10


def test_a_kill_latches_until_a_person_starts() -> None:
    rig = started(now=at("09:19:50"))
    rig.command(CommandKind.KILL)
    rig.restart("snapshot")
    rig.until("09:20:05")
    assert not rig.deals
    assert rig.view.phase is Phase.STOPPED
    rig.command(CommandKind.START)
    rig.until("09:20:08")
    assert rig.held == 10


def test_while_bought_the_frozen_fields_stay_and_the_stop_only_comes_nearer() -> None:
    rig = bought()
    rig.change(quantity=20, stop_loss=Level(bp=200))
    assert rig.state.spec.spec.quantity == 10
    assert rig.stop.trigger == rupees(1980)
    assert "SpecFrozen" in rig.alerts()
    rig.change(quantity=10, stop_loss=Level(bp=50))
    rig.advance(0)
    assert rig.stop.trigger == rupees(1990)
    assert rig.condition("Protected") == "True"
    rig.change(sell_time=14 * 3600)
    rig.until("14:00:01")
    assert rig.view.exit_reason is ExitReason.TIME


# The trader's hand


def test_squared_off_by_hand_cancels_the_stop() -> None:
    rig = bought()
    rig.expect_oversell = True
    rig.by_hand(10)
    rig.advance(1000)
    assert not rig.stop.live
    assert (rig.view.phase, rig.view.exit_reason) == (Phase.SOLD, ExitReason.MANUAL)
    assert rig.true_held == 0


def test_a_part_sold_by_hand_cuts_the_stop_before_anything_else() -> None:
    rig = bought()
    rig.expect_oversell = True
    rig.forget()
    rig.by_hand(4)
    calls = [a for a in rig.actions if isinstance(a, wire.Place | wire.Modify | wire.Cancel)]
    assert isinstance(calls[0], wire.Modify)
    assert calls[0].quantity == 6
    rig.advance(1000)
    assert rig.stop.quantity == 6
    assert rig.condition("Protected") == "True"
    rig.by_hand(3, Side.BUY)  # the trader's own shares
    rig.advance(1000)
    assert rig.held == 6
    rig.by_hand(3)  # and sold again: still not ours
    rig.advance(1000)
    assert rig.held == 6


def test_a_stop_cancelled_by_hand_is_placed_again_once_then_flattened() -> None:
    rig = bought()
    rig.cancel_by_hand(rig.stop)
    rig.advance(100)
    assert len(rig.legs(Leg.STOP)) == 2
    assert rig.condition("Protected") == "True"
    assert "StopCancelledByHand" in rig.alerts()
    rig.cancel_by_hand(rig.stop)
    rig.advance(100)
    assert len(rig.legs(Leg.STOP)) == 2
    assert (rig.true_held, rig.view.exit_reason) == (0, ExitReason.UNSAFE)


def test_a_tighter_stop_by_hand_is_accepted_a_looser_one_restored() -> None:
    rig = bought()
    stop = rig.stop
    stop.trigger, stop.price = rupees(1990), rupees(1980)
    rig.tell(stop)
    rig.advance(100)
    assert not rig.sent(wire.Modify)
    assert rig.condition("Protected") == "True"
    assert rig.view.stop_price == rupees(1990)
    stop.trigger, stop.price = rupees(1970), rupees(1960)
    rig.tell(stop)
    rig.advance(100)
    assert (stop.trigger, stop.price) == (rupees(1990), rupees(1980))
    assert rig.condition("Protected") == "True"


def test_a_stop_for_less_than_all_is_restored() -> None:
    rig = bought()
    rig.stop.quantity = 5
    rig.tell(rig.stop)
    rig.advance(1500)
    assert rig.stop.quantity == 10


def test_a_row_that_equals_a_modify_of_ours_is_ours() -> None:
    rig = bought()
    old = rig.row(rig.stop)
    rig.change(stop_loss=Level(bp=50))
    rig.advance(10)
    rig.forget()
    rig.feed(wire.Row(now=rig.now, seq=1, row=replace(old, read_at=rig.now)))
    assert "StopChangedByHand" not in rig.alerts()
    assert "StopTightenedByHand" not in rig.alerts()


def test_a_difference_of_positions_seen_three_times_blocks_and_alerts_and_cuts_only_below_the_sells() -> None:
    rig = bought()
    shares = [10, 4]
    rig.positions = lambda req=0: wire.Positions(  # type: ignore[method-assign]
        now=rig.now,
        req=req,
        begun_at=rig.now,
        rows=(replace(position_row(), quantity=shares[0]),),
    )
    shares[0] = 12
    rig.until("09:26:00")
    assert "PositionDiffers" in rig.alerts()
    assert rig.stop.quantity == 10
    assert rig.held == 10
    shares[0] = 4
    rig.expect_oversell = True
    rig.until("09:28:00")
    assert rig.stop.quantity == 4


def position_row() -> PositionRow:
    rig = Rig()
    return rig.positions().rows[0]


# Feed


def test_feed_fresh_turns_false_exactly_ten_seconds_after_the_last_tick() -> None:
    rig = bought()
    rig.until("10:42:16")
    rig.feed_on = False
    rig.forget()
    rig.advance(9_999)
    assert rig.condition("FeedFresh") == "True"
    rig.advance(1)
    assert rig.condition("FeedFresh") == "False"
    assert rig.condition("Protected") == "True"
    assert "FeedStale" in rig.alerts()
    rig.advance(323_000)
    assert not [a for a in rig.actions if isinstance(a, wire.Place | wire.Modify | wire.Cancel)]
    rig.feed_on = True
    rig.tick(rupees(2000))
    assert rig.condition("FeedFresh") == "True"


def test_stale_without_a_confirmed_stop_flattens_unless_a_sell_is_unknown() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", *["door:BrokerDown"] * 20])
    rig.until("09:20:01")
    rig.feed_on = False
    rig.advance(10_000)
    assert rig.state.exit_reason is ExitReason.UNSAFE
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", "lost"])
    rig.until("09:20:01")
    rig.feed_on = False
    rig.advance(12_000)
    assert rig.state.exit_reason is None


def test_strange_ticks_are_counted_by_cause_and_change_nothing() -> None:
    rig = bought()
    rig.forget()
    rig.advance(1000)
    rig.forget()
    second = rig.now // 1000 * 1000
    market = rig.state.market
    tick = wire.Tick(now=rig.now, price=rupees(1900), time=second, volume=7, source="src")
    for strange in (
        replace(tick, time=5000),
        replace(tick, time=second + 5 * 86_400_000),
        replace(tick, time=at("09:10:00")),
        replace(tick, time=at("15:30:00")),
        replace(tick, time=market.time - 1000),
        replace(tick, time=market.time, price=market.price, volume=market.volume),
        replace(tick, price=rupees(1700)),
        replace(tick, price=0),
        replace(tick, source="brk_other"),
    ):
        rig.feed(strange)
    assert rig.view.ticks_rejected == {
        "epoch": 1,
        "other_day": 1,
        "out_of_session": 2,
        "backwards": 1,
        "duplicate": 1,
        "out_of_band": 1,
        "not_a_price": 1,
        "wrong_source": 1,
    }
    assert not [a for a in rig.actions if isinstance(a, wire.Place | wire.Modify | wire.Cancel)]
    assert rig.view.last_price == rupees(2000)


def test_several_ticks_of_one_second_are_good() -> None:
    rig = bought()
    rig.advance(1000)
    second = rig.now // 1000 * 1000
    for price, volume in ((1999.0, 60), (1998.0, 61), (1999.0, 62)):
        rig.feed(wire.Tick(now=rig.now, price=rupees(price), time=second, volume=volume, source="src"))
    assert not rig.view.ticks_rejected
    rig.feed(wire.Tick(now=rig.now, price=rupees(1999), time=second, volume=60, source="src"))
    assert rig.view.ticks_rejected == {"duplicate": 1}


# Session


def test_session_lost_with_a_position_alerts_and_exits_when_it_returns() -> None:
    rig = bought()
    rig.session_until = 0
    rig.feed(rig.health())
    assert rig.condition("BrokerSession") == "False"
    assert "SessionLost" in rig.alerts()
    assert rig.stop.live
    rig.forget()
    rig.until("15:05:30")
    assert not [a for a in rig.actions if isinstance(a, wire.Place | wire.Modify | wire.Cancel)]
    rig.session_until = at("23:59:00")
    rig.feed(rig.health())
    rig.settle()
    assert isinstance(rig.sent(wire.ReadBook)[0], wire.ReadBook)
    rig.until("15:05:33")
    assert (rig.true_held, rig.view.exit_reason) == (0, ExitReason.TIME)


def test_a_failed_run_blocks_the_next_until_a_person_clears_it_with_a_note() -> None:
    rig = bought(spec=make_spec(sell_time=15 * 3600 + 5 * 60))
    rig.until("15:04:59")
    rig.liquidity = 0
    rig.until("15:30:00")
    rig.close()
    rig.advance(61_000)
    assert rig.view.phase is Phase.FAILED
    day = 86_400_000
    rig.session = replace(
        SESSION,
        day="2021-04-13",
        open=SESSION.open + day,
        last_new_order=SESSION.last_new_order + day,
        end_of_stops=SESSION.end_of_stops + day,
        last_match=SESSION.last_match + day,
    )
    rig.session_until += day
    rig.deals.clear()
    rig.now = rig.session.open
    rig.feed(rig.health())
    rig.feed(wire.SessionChanged(now=rig.now, instrument=rig.instrument, session=rig.session))
    rig.settle()
    rig.run_until(at("09:20:05") + day, lambda: rupees(2000))
    assert not rig.deals
    assert rig.view.phase is Phase.FAILED
    rig.command(CommandKind.DISCARD)
    assert rig.view.phase is Phase.FAILED
    rig.command(CommandKind.DISCARD, note="the broker squared the shares off")
    assert rig.view.phase.value == "Waiting"


def test_capability_of_no_trigger_status_protects_too() -> None:
    rig = bought(capability=replace(CAPABILITY, has_trigger_status=False))
    assert rig.condition("Protected") == "True"
    rig.until("15:05:01")
    assert rig.stop.type is OrderType.LIMIT
    assert rig.stop.status is OrderStatus.FILLED
