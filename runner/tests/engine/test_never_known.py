"""What is known: only rows and what follows from them, never an answer and never a copy."""

from algo_crds.contracts import wire
from algo_crds.contracts.orders import FINAL, Leg, OrderRow, OrderStatus
from algo_crds.contracts.runtime import Desired, Level
from algo_runner.engine.orders import filled, held, may_still_trade, status, working
from algo_runner.engine.state import Order, State
from engine_setup import CAPABILITY, at, rupees
from engine_world import Rig, bought, started
from msgspec.structs import replace


def blind(rig: Rig) -> None:
    """From here on no row comes, by socket or book."""
    rig.rows_lost = rig.book_down = True


def stop_of(rig: Rig) -> Order:
    return [order for order in rig.state.orders.values() if order.leg is Leg.STOP][-1]


def test_what_is_held_and_what_may_still_sell_are_never_stored() -> None:
    names = {"held", "working", "bought", "sold", "sellable", "filled", "status", "remaining"}
    assert not names & ({*State.__struct_fields__} | {*Order.__struct_fields__})
    rig = bought()
    state = rig.state
    assert (held(state), working(state)) == (10, 10)
    changed = {
        tag: replace(order, lines=tuple(replace(line, filled=3) for line in order.lines))
        for tag, order in state.orders.items()
    }
    changed = {tag: order for tag, order in changed.items() if order.leg is Leg.ENTRY} | {
        tag: order for tag, order in state.orders.items() if order.leg is not Leg.ENTRY
    }
    assert held(replace(state, orders=changed)) == 3


def test_the_remainder_is_never_the_brokers_pending_field() -> None:
    assert not [name for name in OrderRow.__struct_fields__ if "pending" in name or "remain" in name]
    rig = bought()
    rig.feed(wire.Row(now=rig.now, seq=1, row=rig.row(rig.stop, filled=4, status=OrderStatus.TRIGGERED)))
    stop = stop_of(rig)
    assert (filled(stop), may_still_trade(stop)) == (4, 6)


def test_an_accepted_entry_is_never_a_position() -> None:
    rig = started(now=at("09:19:50"))
    rig.until("09:19:59")
    blind(rig)
    rig.until("09:20:04")
    assert rig.true_held == 10, "the broker knows better, and nobody has told the engine"
    entry = next(order for order in rig.state.orders.values() if order.leg is Leg.ENTRY)
    assert entry.accepted_at
    assert (status(entry), rig.held) == (OrderStatus.SENT, 0)
    assert not rig.legs(Leg.STOP)


def test_an_accepted_change_is_never_a_confirmed_stop() -> None:
    rig = bought()
    blind(rig)
    rig.change(stop_loss=Level(bp=50))
    rig.advance(500)
    assert rig.sent(wire.Modify)[-1].trigger == rig.stop.trigger == rupees(1990)
    assert stop_of(rig).busy == 0, "it was accepted"
    assert rig.condition("Protected") == "False"
    rig.rows_lost = rig.book_down = False
    rig.until("09:20:10")
    assert rig.condition("Protected") == "True"


def test_an_accepted_cancel_is_never_the_end_of_an_order() -> None:
    rig = bought(capability=replace(CAPABILITY, convert_stop_to_exit=False))
    blind(rig)
    rig.change(desired=Desired.STOP_EXIT)
    rig.advance(1500)
    assert rig.sent(wire.Cancel)
    assert rig.stop.status is OrderStatus.CANCELLED, "the broker knows better, and nobody has told the engine"
    assert status(stop_of(rig)) not in FINAL
    assert not rig.legs(Leg.EXIT), "two sells of the same shares"
