"""Protect: a stop for all that is held, confirmed by a row, or out."""

import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType
from algo_crds.contracts.runtime import ExitReason, Level, Phase
from engine_setup import CAPABILITY, INSTRUMENT, at, make_spec, rupees
from engine_world import bought, started
from msgspec.structs import replace


def test_price_already_through_the_stop_exits_at_once() -> None:
    rig = started(now=at("09:19:50"), liquidity=0)
    rig.until("09:20:01")
    rig.liquidity = None
    rig.tick(rupees(1985))  # fills at the gap; the average is not known yet to the engine's stop
    rig.advance(0)
    assert rig.held == 10
    rig = started(now=at("09:19:50"), liquidity=0, row_delay=1500)
    rig.until("09:20:01")
    rig.liquidity = None
    rig.tick(rupees(2000))
    rig.advance(1000)
    rig.tick(rupees(1950))
    rig.advance(3000)
    assert rig.view.exit_reason is ExitReason.SOFTWARE_STOP
    assert not rig.legs(Leg.STOP)
    assert rig.true_held == 0


def test_percent_counts_from_the_average_entry() -> None:
    rig = started(now=at("09:19:50"), price=rupees(1999.95))
    rig.until("09:20:02")
    # 1 % below 1999.95 is 1979.9505: towards the entry is 1980.00
    assert rig.stop.trigger == rupees(1980)


def test_points_and_price_forms() -> None:
    assert bought(spec=make_spec(stop_loss=Level(points=rupees(7)))).stop.trigger == rupees(1993)
    assert bought(spec=make_spec(stop_loss=Level(price=rupees(1990)))).stop.trigger == rupees(1990)


def test_the_entry_limit_stands_for_an_unknown_average_and_one_modify_corrects_it() -> None:
    rig = started(now=at("09:19:50"), liquidity=0)
    rig.until("09:20:01")
    deal = rig.legs(Leg.ENTRY)[0]
    deal.filled, deal.value, deal.status = 10, 0, OrderStatus.FILLED
    rig.feed(wire.Row(now=rig.now, seq=9, row=rig.row(deal, average_price=0)))
    rig.settle()
    assert rig.stop.trigger == rupees(1984)  # 1 % below 2004.00 is 1983.96, rounded towards the entry
    deal.value = 10 * rupees(2000)
    rig.liquidity = None
    rig.feed(rig.book())
    rig.advance(1000)
    assert rig.stop.trigger == rupees(1980)
    assert len(rig.sent(wire.Modify)) == 1


def test_an_average_worse_than_the_limit_is_not_believed() -> None:
    rig = started(now=at("09:19:50"), liquidity=0)
    rig.until("09:20:01")
    deal = rig.legs(Leg.ENTRY)[0]
    deal.filled, deal.value, deal.status = 10, 10 * rupees(2100), OrderStatus.FILLED
    rig.feed(wire.Row(now=rig.now, seq=9, row=rig.row(deal)))
    rig.settle()
    assert rig.stop.trigger == rupees(1984)


def test_limit_stays_inside_gap_and_band() -> None:
    assert bought(capability=replace(CAPABILITY, max_trigger_gap_bp=10)).stop.price == rupees(1978.05)
    rig = bought(instrument=replace(INSTRUMENT, band_low=rupees(1975.02)))
    assert rig.stop.price == rupees(1975.05)


def test_fills_are_gathered_before_a_resize() -> None:
    rig = started(now=at("09:19:50"), liquidity=4)
    rig.until("09:20:00")
    assert rig.stop.quantity == 4
    rig.tick(rupees(2000))
    rig.advance(100)
    rig.tick(rupees(2000), volume=99)
    assert rig.stop.quantity == 4
    rig.advance(150)
    assert rig.stop.quantity == 10
    assert len(rig.sent(wire.Modify)) == 1
    assert rig.condition("Protected") == "True"


def test_http_success_is_no_confirmation() -> None:
    rig = started(now=at("09:19:50"))
    rig.until("09:19:59")
    rig.advance(0)
    rig.until("09:20:00")
    rig = started(now=at("09:19:50"))
    rig.until("09:19:59")
    rig.row_delay = 5000
    rig.book_down = True
    rig.run_until(at("09:20:05.500"), lambda: rupees(2000))
    assert rig.held == 10
    assert rig.legs(Leg.STOP)
    assert rig.condition("Protected") == "False"
    rig.run_until(at("09:20:09.500"), lambda: rupees(2000))
    assert rig.state.conditions["Protected"].reason == "StopUnconfirmed"
    rig.run_until(at("09:20:12"), lambda: rupees(2000))
    assert rig.condition("Protected") == "True"


def test_an_unconfirmed_stop_is_exited_through_its_id() -> None:
    rig = started(now=at("09:19:50"))
    rig.until("09:19:59")
    rig.row_delay = 5000
    rig.book_down = True
    rig.run_until(at("09:20:08"), lambda: rupees(2000))
    assert rig.condition("Protected") == "False"
    rig.stop.status = OrderStatus.PENDING  # the exchange does not have it, so it cannot trigger
    rig.tick(rupees(1979))
    modify = rig.sent(wire.Modify)[-1]
    assert (modify.broker_order_id, modify.type) == (rig.stop.id, OrderType.LIMIT)
    assert len(rig.legs(Leg.EXIT)) == 0


@pytest.mark.parametrize("change", ["exchange_order_id", "trigger", "price", "quantity", "type", "status"])
def test_confirmed_needs_every_part_of_the_row(change: str) -> None:
    rig = bought(rows_lost=False)
    row = rig.row(rig.stop)
    wrong = {
        "exchange_order_id": None,
        "trigger": row.trigger - 500,
        "price": row.price - 500,
        "quantity": 9,
        "type": OrderType.LIMIT,
        "status": OrderStatus.PENDING,
    }
    rig = started(now=at("09:19:50"))
    rig.until("09:19:59")
    rig.rows_lost = True
    rig.until("09:20:00")
    entry = rig.legs(Leg.ENTRY)[0]
    rig.feed(wire.Row(now=rig.now, seq=1, row=rig.row(entry)))
    rig.settle()
    rig.feed(wire.Row(now=rig.now, seq=2, row=replace(rig.row(rig.stop), **{change: wrong[change]})))
    assert rig.condition("Protected") == "False"


def test_a_stop_tag_of_type_limit_is_never_protection() -> None:
    rig = bought(capability=replace(CAPABILITY, has_trigger_status=False))
    assert rig.condition("Protected") == "True"
    rig.feed(wire.Row(now=rig.now, seq=1, row=rig.row(rig.stop, type=OrderType.LIMIT, trigger=0)))
    assert rig.condition("Protected") == "False"
    assert rig.state.exit_reason is ExitReason.STOP


def test_rejected_as_through_exits() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", "order:Through"])
    rig.until("09:20:03")
    assert rig.view.exit_reason is ExitReason.SOFTWARE_STOP
    assert rig.true_held == 0


@pytest.mark.parametrize("kind", ["TickSize", "Band", "Gap"])
def test_rejected_for_tick_band_or_gap_is_recomputed_once(kind: str) -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", f"order:{kind}"])
    rig.until("09:20:03")
    assert rig.condition("Protected") == "True"
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", f"order:{kind}", f"order:{kind}"])
    rig.until("09:20:03")
    assert rig.view.exit_reason is ExitReason.UNSAFE
    assert rig.view.phase is Phase.SOLD


def test_an_unprotected_position_is_never_kept() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", "order:Margin"])
    rig.until("09:20:03")
    assert (rig.view.phase, rig.view.exit_reason) == (Phase.SOLD, ExitReason.UNSAFE)


def test_a_door_refusal_never_means_flatten() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", "door:Rate", "door:BrokerDown"])
    rig.until("09:20:01")
    assert rig.held == 10
    assert rig.state.exit_reason is None
    rig.until("09:20:06")
    assert rig.condition("Protected") == "True"
    assert rig.view.exit_reason is None
    assert rig.view.unprotected_session_ms == 3000


def test_an_exchange_cancel_with_the_price_through_exits_and_is_not_placed_again() -> None:
    rig = bought()
    rig.rows_lost = True
    rig.stop.status = OrderStatus.PENDING
    rig.tick(rupees(1979))
    rig.rows_lost = False
    stop = rig.stop
    rig.cancel_by_hand(stop)
    rig.advance(2000)
    assert len(rig.legs(Leg.STOP)) == 1
    assert rig.true_held == 0
    assert rig.view.exit_reason is ExitReason.SOFTWARE_STOP


def test_a_book_of_the_same_instant_never_takes_a_confirmed_stop_back() -> None:
    """The book was begun before the stop rested and is read after the socket said so: same instant, earlier stage."""
    rig = bought()
    read_at = rig.state.orders[rig.stop.tag.lower()].lines[0].read_at
    earlier = rig.row(rig.stop, status=OrderStatus.PENDING, read_at=read_at)
    rig.feed(replace(rig.book(), rows=(*rig.book().rows[:-1], earlier)))
    assert rig.condition("Protected") == "True"
