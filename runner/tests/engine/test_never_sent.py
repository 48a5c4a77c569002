"""An attempt is sent once: its number is never used again, whatever was refused, forgotten or lost."""

import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg
from algo_crds.contracts.runtime import Desired
from engine_setup import CAPABILITY, at, rupees
from engine_world import bought, entries_of
from msgspec.structs import replace


def test_an_attempt_is_never_used_twice_in_a_day() -> None:
    """Over runs, legs, refusals and epochs."""
    rig = bought(capability=replace(CAPABILITY, convert_stop_to_exit=False))
    for clock in ("09:30:00", "09:40:00", "09:50:00"):
        rig.change(desired=Desired.STOP_EXIT)
        rig.advance(5000)
        assert rig.view.final
        rig.epoch += 1
        rig.restart("snapshot")
        rig.script["place"].append("door:Rate")
        rig.change(desired=Desired.RUN, buy_time=(at(clock) - at("00:00:00")) // 1000)
        rig.run_until(at(clock) + 5_000, lambda: rupees(2000))
        assert rig.held == 10
    attempts = [entry.tag[-3:] for entry in entries_of(rig.journal)]
    assert len(attempts) == 3 * 4 + 2, "of each run entry, stop and exit, and what the door refused"
    assert attempts == sorted(set(attempts))


@pytest.mark.parametrize("how", ["snapshot", "journal", "book"])
def test_an_attempt_is_never_used_again_after_a_restart(how: str) -> None:
    rig = bought()
    rig.restart(how)
    rig.advance(0)
    rig.cancel_by_hand(rig.stop)
    rig.until("09:20:15")  # without a memory nothing new is sent before the book shows all that the door has sent
    tags = [deal.tag.lower() for deal in rig.deals if deal.tag is not None]
    assert [tag[-4:] for tag in tags] == ["e001", "s002", "s003"]


def test_an_absent_exit_is_never_sent_again_under_its_old_attempt() -> None:
    rig = bought(capability=replace(CAPABILITY, convert_stop_to_exit=False))
    rig.script["place"].append("lost")
    rig.change(desired=Desired.STOP_EXIT)
    rig.run_until(at("09:20:40"), lambda: rupees(2000))
    exits = [action.tag for _, action in rig.log if isinstance(action, wire.Place) and action.leg is Leg.EXIT]
    assert len(exits) == len(set(exits)) == 2
    assert rig.true_held == 0
