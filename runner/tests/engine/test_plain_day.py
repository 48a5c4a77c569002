"""A plain day: buy, stop, and out by stop, target, time or command."""

from algo_crds.contracts.orders import Leg, OrderStatus, OrderType
from algo_crds.contracts.runtime import Desired, ExitReason, Level, Phase
from engine_setup import at, make_spec, rupees
from engine_world import bought, started


def test_entry_waits_for_buy_time_and_is_marketable() -> None:
    rig = started()
    rig.until("09:19:59")
    assert not rig.deals
    rig.until("09:20:01")
    entry = rig.legs(Leg.ENTRY)[0]
    assert (entry.type, entry.price, entry.quantity) == (OrderType.LIMIT, rupees(2004), 10)
    assert entry.time == at("09:20:00")


def test_fill_is_protected_at_once() -> None:
    rig = bought()
    stop = rig.stop
    assert (stop.type, stop.trigger, stop.price, stop.quantity) == (
        OrderType.STOP_LIMIT,
        rupees(1980),
        rupees(1970.10),
        10,
    )
    assert rig.condition("Protected") == "True"
    assert rig.view.phase is Phase.BOUGHT
    assert rig.view.unprotected_session_ms == 0


def test_resting_stop_fires() -> None:
    rig = bought()
    rig.tick(rupees(1979))
    rig.advance(0)
    assert rig.view.phase is Phase.SOLD
    assert rig.view.exit_reason is ExitReason.STOP
    assert rig.view.final
    assert rig.true_held == 0
    assert rig.view.pnl == -10 * rupees(21)


def test_target_converts_the_stop() -> None:
    rig = bought(spec=make_spec(target=Level(bp=100)))
    rig.advance(1000)
    rig.tick(rupees(2020))
    rig.advance(0)
    assert len(rig.legs(Leg.STOP)) == 1
    assert not rig.legs(Leg.EXIT)
    assert rig.stop.status is OrderStatus.FILLED
    assert (rig.view.phase, rig.view.exit_reason) == (Phase.SOLD, ExitReason.TARGET)


def test_sell_time_converts_the_stop() -> None:
    rig = bought()
    rig.until("15:05:01")
    assert (rig.view.phase, rig.view.exit_reason) == (Phase.SOLD, ExitReason.TIME)
    assert rig.stop.type is OrderType.LIMIT


def test_stop_exit_sells() -> None:
    rig = bought()
    rig.change(desired=Desired.STOP_EXIT)
    rig.advance(2000)
    assert (rig.view.phase, rig.view.exit_reason) == (Phase.STOPPED, ExitReason.COMMAND)
    assert rig.true_held == 0
