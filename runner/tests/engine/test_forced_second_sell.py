"""Only a person forces a second sell: one order, once, and never by a word that is older than the doubt."""

import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderStatus
from algo_runner.engine.events import CommandKind
from engine_setup import at, rupees
from engine_world import Rig, bought, with_unknown_stop
from msgspec.structs import replace


def still_unknown() -> tuple[Rig, str]:
    """A stop whose outcome stays unknown because no book can be read, and its tag."""
    rig = with_unknown_stop("lost")
    rig.book_down = True
    rig.run_until(at("09:20:40"), lambda: rupees(2000))
    (stop,) = [order for order in rig.view.orders if order.leg is Leg.STOP]
    assert stop.status is OrderStatus.UNKNOWN
    return rig, stop.tag


def in_doubt_again(rig: Rig, tag: str) -> None:
    """The door says on a new connection that this order is under way after all; no book can be read."""
    rig.disconnect()
    rig.book_down = True
    rig.in_flight[tag] = rig.now + 60_000
    rig.connect()
    rig.advance(10)


def noted(rig: Rig) -> list[tuple[str, str]]:
    return [(entry.what, entry.detail) for entry in rig.journal if "second sell" in getattr(entry, "what", "")]


@pytest.mark.parametrize("way", ["annotation", "command"])
def test_only_a_person_may_force_a_second_sell(way: str) -> None:
    rig, tag = still_unknown()
    assert not rig.legs(Leg.STOP)
    assert "force-second-sell" in rig.state.conditions["Protected"].message
    if way == "annotation":
        rig.change(force_second_sell=tag)
    else:
        rig.command(CommandKind.FORCE, tag=tag)
    rig.advance(10)
    assert len(rig.legs(Leg.STOP)) == 1
    actor = "annotation" if way == "annotation" else "usr_test"
    assert noted(rig) == [("second sell forced by a person", f"{actor} {tag}")]
    first = next(order for order in rig.view.orders if order.tag == tag)
    assert (first.status, first.message) == (OrderStatus.NOT_SENT, "a person forced a second sell")
    rig.book_down = False
    rig.run_until(at("09:20:45"), lambda: rupees(2000))
    assert rig.condition("Protected") == "True"


@pytest.mark.parametrize("way", ["annotation", "command"])
def test_a_forced_second_sell_names_one_sell_of_unknown_outcome(way: str) -> None:
    rig, _ = still_unknown()
    (entry,) = [order for order in rig.view.orders if order.leg is Leg.ENTRY]
    for other in (entry.tag, "a12345678abcs002"):
        rig.forget()
        if way == "annotation":
            rig.change(force_second_sell=other)
            assert rig.view.forced_tag == other, "it is dealt with, so the operator may take it back"
        else:
            rig.command(CommandKind.FORCE, tag=other)
        rig.advance(10)
        assert rig.alerts() == ["NothingForced"]
        assert not rig.legs(Leg.STOP)
        assert rig.condition("Protected") == "Unknown"


def test_a_word_that_still_stands_is_never_obeyed_at_a_later_doubt() -> None:
    rig, tag = still_unknown()
    rig.expect_oversell, rig.check = True, False  # the order in doubt and the second sell are both counted as live
    rig.change(force_second_sell=tag)
    rig.advance(10)
    in_doubt_again(rig, tag)
    rig.change(quantity=10)  # another spec, with the word as it was
    assert rig.condition("Protected") == "Unknown"
    rig.restart("snapshot")
    rig.change(quantity=10)
    assert rig.condition("Protected") == "Unknown"
    assert len(noted(rig)) == 1
    rig.change(force_second_sell="")
    assert rig.view.forced_tag == ""
    rig.change(force_second_sell=tag)
    assert [what for what, _ in noted(rig)] == ["second sell forced by a person"] * 2


def test_a_word_about_an_order_that_is_known_is_never_kept_for_a_later_doubt() -> None:
    rig = bought()
    (stop,) = [order for order in rig.view.orders if order.leg is Leg.STOP]
    rig.change(force_second_sell=stop.tag)
    assert "NothingForced" in rig.alerts()
    rig.deals.remove(rig.stop)
    rig.advance(11_000)
    rig.feed(wire.UpdatesGap(now=rig.now))
    rig.advance(10)  # one read without it: two are needed to call it absent
    assert rig.condition("Protected") == "Unknown"
    rig.book_down = True
    rig.advance(3_000)
    assert rig.condition("Protected") == "Unknown"
    assert rig.legs(Leg.STOP) == []


@pytest.mark.parametrize("how", ["journal", "book"])
def test_a_word_from_before_the_memory_was_lost_is_never_obeyed(how: str) -> None:
    rig, tag = still_unknown()
    rig.spec = replace(rig.spec, force_second_sell=tag)
    rig.in_flight[tag] = rig.now + 60_000
    rig.restart(how)
    rig.change(quantity=10)
    rig.advance(1_000)
    assert (rig.view.forced_tag, noted(rig), rig.legs(Leg.STOP)) == (tag, [], [])
    rig.change(force_second_sell="")
    rig.change(force_second_sell=tag)
    assert len(noted(rig)) == 1, "said again it counts"
