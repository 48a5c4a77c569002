"""A run that was over is not over any more when an order of it may still trade after all."""

from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderStatus
from algo_crds.contracts.runtime import Desired, Phase
from engine_day import Day
from engine_setup import CAPABILITY, at, rupees
from engine_world import Rig, bought
from msgspec.structs import replace


def ended_after_a_lost_stop(outcome: str) -> Rig:
    """The second stop's outcome is not seen and the book does not show it: called absent, then all is sold."""
    rig = bought(capability=replace(CAPABILITY, convert_stop_to_exit=False))
    rig.visible_delay = 60_000
    rig.script["place"].append(outcome)
    stop = rig.stop
    stop.status = OrderStatus.CANCELLED
    rig.tell(stop)
    rig.rows_lost = True
    rig.run_until(at("09:20:30"), lambda: rupees(2000))
    rig.rows_lost, rig.visible_delay = False, 0
    rig.expect_oversell = outcome == "done"
    rig.change(desired=Desired.STOP_EXIT)
    rig.run_until(at("09:20:32"), lambda: rupees(2000))
    return rig


def test_a_run_is_never_over_while_the_door_says_that_an_order_is_under_way() -> None:
    rig = ended_after_a_lost_stop("lost")
    assert (rig.view.phase, rig.view.final, rig.held) == (Phase.STOPPED, True, 0)
    tag = next(tag for tag, order in rig.state.orders.items() if order.absent)
    rig.in_flight[tag] = rig.now + 1000
    rig.disconnect()
    rig.connect()
    assert not rig.view.final, "what is under way may still be done"
    rig.run_until(rig.now + 5_000, lambda: rupees(2000))
    assert (rig.view.phase, rig.view.final) == (Phase.STOPPED, True), "it was not, as two more reads say"


def test_a_run_is_never_over_while_an_order_that_was_called_absent_lives() -> None:
    rig = ended_after_a_lost_stop("done")
    late = rig.legs(Leg.STOP)[1]
    assert (rig.true_held, late.live) == (0, True)
    late.visible_at = 0
    rig.script["cancel"].append("lost")
    rig.feed(wire.Row(now=rig.now, seq=1, row=rig.row(late)))
    assert not rig.view.final
    rig.run_until(rig.now + 10_000, lambda: rupees(2000))
    assert late.status is OrderStatus.CANCELLED
    assert (rig.view.phase, rig.view.final) == (Phase.STOPPED, True)


def test_an_order_of_an_earlier_run_that_nobody_knew_reopens_a_run_that_is_over() -> None:
    rig = bought()
    rig.tick(rupees(1979))
    rig.advance(0)
    rig.price = rupees(2000)
    rig.change(buy_time=9 * 3600 + 30 * 60)
    rig.command_start()
    rig.until("09:30:02")
    rig.tick(rupees(1979))
    rig.advance(0)
    assert rig.view.final
    day = Day(rig)
    old = rig.legs(Leg.STOP)[0]
    ghost = replace(rig.row(old), broker_order_id="ghost", filled=0, status=OrderStatus.OPEN)
    ghost = replace(ghost, tag=(old.tag or "").lower()[:-3] + "000")
    rig.feed(wire.Row(now=rig.now, seq=1, row=ghost))
    assert not rig.view.final
    rig.feed(wire.Row(now=rig.now, seq=2, row=replace(ghost, status=OrderStatus.CANCELLED, read_at=rig.now)))
    rig.run_until(rig.now + 5_000, lambda: rupees(2000))
    assert rig.view.final
    day.check()
