"""What never counts as protection, never rests beside the stop, and never ends the watch of a position."""

import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderType
from algo_crds.contracts.runtime import Desired, ExitReason, Level
from algo_runner.engine.actions import Alert
from algo_runner.engine.orders import held, working
from algo_runner.engine.step import step
from engine_setup import CAPABILITY, make_spec, rupees
from engine_world import bought
from msgspec.structs import replace


@pytest.mark.parametrize("change", [{"type": OrderType.LIMIT}, {"trigger": 0}])
def test_where_no_trigger_status_exists_type_limit_or_trigger_0_is_never_protection(change: dict[str, int]) -> None:
    rig = bought(capability=replace(CAPABILITY, has_trigger_status=False))
    assert rig.condition("Protected") == "True"
    rig.feed(wire.Row(now=rig.now, seq=1, row=rig.row(rig.stop, **change)))
    assert rig.condition("Protected") == "False"
    assert rig.state.exit_reason is ExitReason.STOP


def test_the_target_never_rests_at_the_exchange() -> None:
    rig = bought(spec=make_spec(target=Level(bp=100)))
    rig.until("09:25:00")
    sells = [deal for deal in rig.deals if deal.side is rig.stop.side]
    assert sells == [rig.stop]
    assert not rig.sent(wire.Modify)
    rig.tick(rupees(2020))
    rig.advance(0)
    assert (rig.true_held, [deal for deal in rig.deals if deal.side is rig.stop.side]) == (0, [rig.stop])


def test_protection_never_uses_the_changes_that_are_kept_for_the_exit() -> None:
    """The trader loosens the stop again and again: it is set back by a change as long as there are some to spare."""
    rig = bought()
    for _ in range(20):
        rig.stop.trigger -= rupees(1)
        rig.tell(rig.stop)
        rig.run_until(rig.now + 3000, lambda: rupees(2000))
    changes = [action for _, action in rig.log if isinstance(action, wire.Modify)]
    per_order = [[c.broker_order_id for c in changes].count(deal.id) for deal in rig.legs(Leg.STOP)]
    spare = CAPABILITY.max_modifications - rig.state.constants.kept_modifications
    assert spare == 15
    assert per_order[0] == spare, "then it went on by cancel, confirmed, place"
    assert len(rig.legs(Leg.STOP)) > 1
    assert rig.condition("Protected") == "True"
    rig.change(desired=Desired.STOP_EXIT)
    rig.advance(1000)
    assert rig.true_held == 0


def test_a_fault_of_the_engine_never_raises_and_never_forgets() -> None:
    rig = bought()
    broken = wire.Row(now=rig.now, seq=1, row=None)  # type: ignore[arg-type] # what no decoder lets through
    state, actions = step(rig.state, broken, rig.now)
    (alert,) = [action for action in actions if isinstance(action, Alert)]
    assert (alert.code, alert.severity) == ("EngineFault", "critical")
    assert (held(state), working(state)) == (10, 10)
    assert not state.reconciled, "whatever the event said of orders stands in the book too"
    rig.state, rig.wake = state, rig.now
    rig.settle()
    assert rig.sent(wire.ReadBook)
    assert rig.state.reconciled
    rig.tick(rupees(1979))
    rig.advance(1000)
    assert rig.true_held == 0
