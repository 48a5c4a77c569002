"""A refusal by the door says nothing of the order: it never flattens, never touches what rests, never ends an order."""

import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.orders import DOOR_KINDS, Leg, OrderStatus, RejectKind
from algo_crds.contracts.runtime import Desired, Level
from algo_runner.engine.orders import status
from engine_setup import CAPABILITY, at, rupees
from engine_world import Rig, bought, started
from msgspec.structs import replace

KINDS = sorted(DOOR_KINDS - {RejectKind.DUPLICATE_TAG})
"""A tag that was forwarded before is no refusal: that order is unknown."""


def states_of(rig: Rig) -> dict[str, OrderStatus]:
    return {tag: status(order) for tag, order in rig.state.orders.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_door_refusal_of_any_kind_never_means_flatten(kind: RejectKind) -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", f"door:{kind}"])
    rig.until("09:20:00")
    assert (rig.held, rig.state.exit_reason) == (10, None)
    assert not rig.legs(Leg.STOP)
    rig.until("09:20:06")
    assert (rig.state.exit_reason, rig.condition("Protected")) == (None, "True")


@pytest.mark.parametrize("kind", KINDS)
def test_a_door_refusal_of_a_change_never_touches_what_rests(kind: RejectKind) -> None:
    rig = bought()
    before = states_of(rig)
    rig.script["modify"].append(f"door:{kind}")
    rig.change(stop_loss=Level(bp=50))
    assert states_of(rig) == before
    assert (rig.stop.trigger, rig.stop.live, rig.state.exit_reason) == (rupees(1980), True, None)
    assert not rig.sent(wire.Cancel)
    rig.until("09:20:10")
    assert (rig.stop.trigger, rig.condition("Protected")) == (rupees(1990), "True")


@pytest.mark.parametrize("kind", KINDS)
def test_a_door_refusal_of_a_cancel_never_ends_the_order(kind: RejectKind) -> None:
    rig = bought(capability=replace(CAPABILITY, convert_stop_to_exit=False))
    before = states_of(rig)
    rig.script["cancel"].append(f"door:{kind}")
    rig.change(desired=Desired.STOP_EXIT)
    assert states_of(rig) == before
    assert not rig.legs(Leg.EXIT)
    rig.until("09:20:10")
    assert rig.true_held == 0
