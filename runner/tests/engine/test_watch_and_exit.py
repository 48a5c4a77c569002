"""The watch beside the resting stop, and the exit in all its forms."""

from collections import deque
from itertools import pairwise

import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType
from algo_crds.contracts.runtime import Desired, ExitReason, Level, Phase
from engine_setup import CAPABILITY, INSTRUMENT, SESSION, at, make_spec, rupees
from engine_world import Rig, bought, equal_states, restore_twin, started
from msgspec.structs import replace


def deaf(rig: Rig) -> None:
    """The exchange does not trigger the resting stop (a false print, or a stop that is stuck)."""
    rig.stop.trigger = 1


def reason(rig: Rig) -> ExitReason | None:
    return rig.state.exit_reason


# Watch


def test_a_false_print_never_sells() -> None:
    rig = bought()
    deaf(rig)
    rig.advance(500)
    rig.tick(rupees(1979))
    rig.price = rupees(2000)
    rig.forget()
    rig.advance(500)
    rig.tick(rupees(2000))
    rig.advance(5000)
    assert not rig.sent(wire.Modify)
    assert rig.held == 10


def test_a_second_tick_of_another_second_beyond_the_level_sells() -> None:
    rig = bought()
    deaf(rig)
    rig.advance(1000)
    rig.feed_on = True
    rig.tick(rupees(1979))
    rig.tick(rupees(1979.05))  # same exchange second: not a second witness
    rig.feed_on = False
    rig.advance(400)
    rig.feed_on = True
    assert reason(rig) is None
    rig.advance(700)
    rig.tick(rupees(1978))
    assert reason(rig) is ExitReason.SOFTWARE_STOP
    assert rig.true_held == 0


def test_a_quote_is_a_second_witness() -> None:
    rig = bought()
    deaf(rig)
    rig.advance(1000)
    rig.tick(rupees(1979))
    assert reason(rig) is None
    rig.advance(300)
    assert rig.sent(wire.ReadQuote)
    assert reason(rig) is ExitReason.SOFTWARE_STOP


def test_the_grace_is_300_ms() -> None:
    rig = bought()
    deaf(rig)
    rig.advance(900)
    rig.tick(rupees(1979))
    rig.advance(150)
    rig.tick(rupees(1979))
    assert reason(rig) is None
    rig.advance(149)
    assert reason(rig) is None
    rig.advance(1)
    assert reason(rig) is ExitReason.SOFTWARE_STOP


def test_without_a_confirmed_stop_one_tick_is_enough() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", "door:BrokerDown"])
    rig.until("09:20:00")
    assert rig.condition("Protected") == "False"
    rig.tick(rupees(1979), time=rig.now + 1000)
    assert reason(rig) is ExitReason.SOFTWARE_STOP


def test_a_triggered_stop_is_left_alone_while_it_fills() -> None:
    rig = bought(liquidity=None)
    rig.fill_limits = deque([3, 3, 4])
    rig.forget()
    for _ in range(3):
        rig.advance(1000)
        rig.tick(rupees(1979))
    rig.advance(0)
    assert not rig.sent(wire.Modify)
    assert (rig.view.phase, rig.view.exit_reason) == (Phase.SOLD, ExitReason.STOP)


def test_a_triggered_stop_is_repriced_when_the_market_is_beyond_its_limit() -> None:
    rig = bought()
    rig.advance(1000)
    rig.forget()
    rig.tick(rupees(1950))  # gaps through trigger and limit
    modify = rig.sent(wire.Modify)
    assert len(modify) == 1
    assert modify[0].type is OrderType.LIMIT
    assert modify[0].price < rupees(1950)
    rig.advance(0)
    assert rig.true_held == 0
    assert rig.view.exit_reason is ExitReason.STOP


def test_a_triggered_stop_is_repriced_after_two_seconds_without_a_fill() -> None:
    rig = bought(liquidity=None)
    rig.liquidity = 0
    rig.advance(1000)
    rig.forget()
    rig.tick(rupees(1979))
    rig.advance(1900)
    assert not rig.sent(wire.Modify)
    rig.advance(100)
    assert len(rig.sent(wire.Modify)) == 1


def test_triggered_is_inferred_where_no_such_status_exists() -> None:
    rig = bought(capability=replace(CAPABILITY, has_trigger_status=False), liquidity=None)
    rig.liquidity = 0
    rig.advance(1000)
    rig.tick(rupees(1979))
    rig.advance(1000)
    rig.tick(rupees(1979))
    assert reason(rig) is ExitReason.STOP
    rig.liquidity = None
    rig.tick(rupees(1979))
    rig.advance(0)
    assert rig.view.phase is Phase.SOLD


def test_the_hot_path_sends_what_the_long_way_would() -> None:
    rig = bought(spec=make_spec(target=Level(bp=100)))
    rig.advance(1000)
    assert rig.state.plan is not None
    tick = wire.Tick(now=rig.now, price=rupees(2020), time=rig.now // 1000 * 1000, volume=99, source="src")
    fast, slow = restore_twin(rig), restore_twin(rig)
    slow.state.plan = None
    fast.feed(tick)
    slow.feed(tick)
    assert fast.sent(wire.Modify) == slow.sent(wire.Modify)
    fast.settle()
    slow.settle()
    fast.state.plan = slow.state.plan = None
    fast.state.journal_seq = slow.state.journal_seq
    assert equal_states(fast.state, slow.state)


# Exit


def test_exit_modifies_the_resting_stop_and_never_adds_a_second_sell() -> None:
    rig = bought()
    rig.until("15:05:01")
    assert len(rig.legs(Leg.STOP)) == 1
    assert not rig.legs(Leg.EXIT)


def test_where_conversion_is_not_possible_cancel_final_row_place() -> None:
    rig = bought(capability=replace(CAPABILITY, convert_stop_to_exit=False))
    rig.until("15:05:02")
    kinds = [type(a).__name__ for a in rig.actions if isinstance(a, wire.Place | wire.Modify | wire.Cancel)]
    assert kinds[-2:] == ["Cancel", "Place"]
    assert rig.stop.status is OrderStatus.CANCELLED
    assert rig.legs(Leg.EXIT)[0].status is OrderStatus.FILLED


def test_a_refused_conversion_is_remembered_when_the_stop_still_waits() -> None:
    rig = bought()
    rig.script["modify"].append("order:OrderOther")
    rig.until("15:05:03")
    assert rig.state.no_convert
    assert rig.stop.status is OrderStatus.CANCELLED
    assert rig.true_held == 0


def test_a_refusal_that_meant_it_triggered_is_believed_from_the_row() -> None:
    rig = bought()
    rig.rows_lost = True
    rig.liquidity = 0
    rig.stop.status = OrderStatus.TRIGGERED  # and no row has said so yet
    rig.script["modify"].append("order:NotModifiable")
    rig.forget()
    rig.change(desired=Desired.STOP_EXIT)
    rig.advance(1000)
    assert not rig.state.no_convert
    assert not rig.sent(wire.Cancel)
    rig.liquidity = None
    rig.rows_lost = False
    rig.tick(rupees(1979))
    rig.advance(3000)
    rig.tick(rupees(1979))
    rig.advance(1000)
    assert rig.true_held == 0
    assert len(rig.legs(Leg.EXIT)) == 0


def test_a_partly_filled_sell_is_modified_only_where_the_meaning_is_proven() -> None:
    rig = bought(capability=replace(CAPABILITY, modify_quantity_is_total=False))
    rig.advance(1000)
    rig.fill_limits = deque([4])
    rig.liquidity = 0
    rig.tick(rupees(1979))
    rig.forget()
    rig.liquidity = None
    rig.price = rupees(1960)
    rig.advance(2500)
    assert not rig.sent(wire.Modify)
    rig.tick(rupees(1960))
    rig.advance(1000)
    rig.tick(rupees(1960))
    rig.advance(1000)
    assert rig.stop.status is OrderStatus.CANCELLED
    assert rig.legs(Leg.EXIT)[0].quantity == 6
    assert rig.true_held == 0


def test_an_entry_that_is_not_final_is_cancelled_first() -> None:
    rig = started(now=at("09:19:50"))
    rig.fill_limits = deque([4])
    rig.liquidity = 0
    rig.until("09:20:01")
    rig.forget()
    rig.liquidity = None
    rig.change(halts=("drill",))
    calls = [a for a in rig.actions if isinstance(a, wire.Modify | wire.Cancel | wire.Place)]
    assert isinstance(calls[0], wire.Cancel)
    rig.advance(1000)
    assert rig.true_held == 0
    assert rig.view.exit_reason is ExitReason.KILL


def test_a_later_entry_fill_goes_to_the_exit_never_to_a_new_stop() -> None:
    rig = started(now=at("09:19:50"), latency=200)
    rig.fill_limits = deque([4])
    rig.liquidity = 0
    rig.until("09:20:01")
    rig.script["cancel"].append("lost")  # the cancel of the entry does not arrive
    rig.change(halts=("drill",))
    rig.advance(300)
    rig.fill_limits = deque([6])
    rig.liquidity = None
    rig.tick(rupees(1995))
    rig.advance(3000)
    assert len(rig.legs(Leg.STOP)) == 1
    assert rig.true_held == 0
    assert rig.held == 0


def test_unfilled_exits_are_repriced_towards_the_market_and_never_change_nothing() -> None:
    rig = bought()
    rig.until("15:04:59")
    rig.liquidity = 0
    rig.forget()
    rig.until("15:05:31")
    prices = [m.price for m in rig.sent(wire.Modify)]
    assert prices == sorted(prices, reverse=True)
    assert len(set(prices)) == len(prices)
    assert prices[0] == rupees(1990)
    assert prices[-1] == rupees(1800)
    assert "NobodyBuys" in rig.alerts()


def test_nobody_on_the_other_side_until_the_session_ends_is_failed() -> None:
    rig = bought()
    rig.until("15:04:59")
    rig.liquidity = 0
    rig.until("15:30:00")
    rig.close()
    rig.advance(61_000)
    assert rig.view.phase is Phase.FAILED
    assert "broker" in rig.view.message
    assert rig.held == 10


def test_rejected_exits_back_off_and_retry_at_once_when_the_session_changes() -> None:
    rig = bought(capability=replace(CAPABILITY, convert_stop_to_exit=False))
    rig.until("15:04:59")
    rig.script["place"].extend(["door:BrokerDown"] * 3)
    rig.forget()
    rig.until("15:05:30")
    times = [time for time, a in rig.log if isinstance(a, wire.Place) and a.leg is Leg.EXIT]
    assert [b - a for a, b in pairwise(times)] == [1000, 2000, 4000]
    assert rig.true_held == 0


def test_ten_modifications_are_kept_for_the_exit() -> None:
    rig = bought()
    rig.until("15:04:59")
    rig.liquidity = 0
    rig.run_until(at("15:08:00"), lambda: rig.price - rupees(0.5))
    assert rig.state.orders[rig.stop.tag.lower() if rig.stop.tag else ""].modifications <= 25


def test_at_the_cap_of_modifications_it_goes_on_by_cancel_and_place() -> None:
    rig = bought(capability=replace(CAPABILITY, max_modifications=3))
    rig.until("15:04:59")
    rig.liquidity = 0
    rig.until("15:05:20")
    rig.liquidity = None
    rig.until("15:05:23")
    assert rig.legs(Leg.EXIT)
    assert rig.true_held == 0


def test_time_of_exit_is_the_earliest_of_sell_time_square_off_and_end_of_stops() -> None:
    rig = bought(spec=make_spec(sell_time=15 * 3600 + 25 * 60))
    assert rig.state.exit_at == at("15:15:00")
    auction = replace(SESSION, last_new_order=at("15:15:00"), end_of_stops=at("15:15:00"))
    assert bought(spec=make_spec(sell_time=15 * 3600 + 25 * 60), session=auction).state.exit_at == at("15:10:00")
    rig.feed(rig.health(open_positions=400))
    assert rig.state.exit_at == at("15:15:00") - 110_000


def test_margin_is_never_less_than_three_minutes() -> None:
    rig = bought(spec=make_spec(sell_time=15 * 3600 + 25 * 60))
    rig.state.constants = replace(rig.state.constants, square_off_margin_ms=1)
    rig.feed(rig.health())
    assert rig.state.exit_at == at("15:17:00")


def test_from_the_last_time_for_new_orders_on_nothing_new_is_placed() -> None:
    rig = bought()
    rig.until("15:04:59")
    rig.liquidity = 0
    rig.until("15:20:01")
    rig.forget()
    rig.cancel_by_hand(rig.stop)  # the broker's square-off
    rig.until("15:21:00")
    assert not rig.sent(wire.Place)
    rig.by_hand(10)
    rig.advance(1000)
    assert rig.held == 0
    assert rig.view.phase is Phase.SOLD


def test_an_exit_without_a_fresh_price_asks_for_a_quote_and_does_not_wait_long() -> None:
    rig = bought()
    rig.until("15:04:50")
    rig.feed_on = False
    rig.forget()
    rig.run_until(at("15:05:01"), lambda: rupees(2000))
    assert rig.sent(wire.ReadQuote)
    assert rig.sent(wire.Modify)[0].price == rupees(1800)
    assert rig.true_held == 0


@pytest.mark.parametrize("price", [1950.0, 1800.0])
def test_lower_circuit_price_stays_inside_the_band(price: float) -> None:
    rig = bought(instrument=replace(INSTRUMENT, band_low=rupees(1800)))
    rig.advance(1000)
    rig.liquidity = 0
    rig.tick(rupees(price))
    rig.until("09:20:30")
    assert all(m.price >= rupees(1800) for m in rig.sent(wire.Modify))


def test_where_a_change_names_the_remainder_a_live_exit_is_never_changed() -> None:
    """A fill that crosses the change on the wire would be sold a second time."""
    rig = bought(capability=replace(CAPABILITY, modify_quantity_is_total=False))
    rig.liquidity = 1
    rig.change(desired=Desired.STOP_EXIT)
    rig.until("09:25:00")
    changes = [a for _, a in rig.log if isinstance(a, wire.Modify)]
    assert len(changes) == 1
    assert rig.true_held >= 0
