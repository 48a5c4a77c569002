"""The engine under each broker's own record of what it can do: the resting stop, its changes, the exit, refusals."""

from collections import deque
from typing import Any

import pytest
from algo_brokers.registry import ADAPTERS
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Product, Side
from algo_crds.contracts.runtime import Desired, Level, Phase
from engine_setup import INSTRUMENT, at, make_spec, rupees
from engine_world import Rig, bought, started
from msgspec.structs import replace

BROKERS = sorted(ADAPTERS)


def record(broker: str) -> wire.Capability:
    return ADAPTERS[broker].capability


UNPROVEN = [name for name in BROKERS if not record(name).modify_quantity_is_total]
"""Where nothing proves what the quantity of a change means."""


@pytest.mark.parametrize("broker", BROKERS)
def test_the_stop_is_confirmed_by_its_type_trigger_limit_and_remaining_quantity(broker: str) -> None:
    rig = bought(capability=record(broker))
    stop = rig.stop
    assert (stop.type, stop.trigger, stop.quantity) == (OrderType.STOP_LIMIT, rupees(1980), 10)
    assert 0 < stop.trigger - stop.price <= stop.trigger * record(broker).max_trigger_gap_bp // 10_000
    assert rig.condition("Protected") == "True"


@pytest.mark.parametrize("broker", BROKERS)
def test_the_stop_grows_with_fills_in_parts(broker: str) -> None:
    rig = started(now=at("09:19:50"), liquidity=4, capability=record(broker))
    rig.until("09:20:00")
    assert rig.stop.quantity == 4
    rig.tick(rupees(2000))
    rig.advance(100)
    rig.tick(rupees(2000), volume=99)
    rig.advance(300)
    assert (rig.stop.quantity, rig.condition("Protected")) == (10, "True")
    assert rig.sent(wire.Modify)[-1].quantity == 10, "nothing is sold: total and remainder are the same"


@pytest.mark.parametrize("broker", BROKERS)
def test_the_exit_is_the_stop_by_a_change_where_that_is_documented_else_a_new_order(broker: str) -> None:
    rig = bought(capability=record(broker))
    rig.until("15:05:03")
    assert (rig.true_held, rig.view.phase) == (0, Phase.SOLD)
    by_change = record(broker).convert_stop_to_exit
    assert rig.stop.status is (OrderStatus.FILLED if by_change else OrderStatus.CANCELLED)
    assert len(rig.legs(Leg.EXIT)) == (0 if by_change else 1)


@pytest.mark.parametrize("broker", BROKERS)
def test_a_refused_change_falls_back_to_cancel_and_a_new_order(broker: str) -> None:
    rig = bought(capability=record(broker))
    rig.script["modify"].append("order:OrderOther")
    rig.until("15:05:04")
    assert (rig.true_held, rig.stop.status, len(rig.legs(Leg.EXIT))) == (0, OrderStatus.CANCELLED, 1)


MEANINGS = [(True, False), (False, False), (False, True)]
"""What the record knows (the total or nothing), and whether a change names the remainder in truth."""


@pytest.mark.parametrize(("known", "remainder"), MEANINGS)
@pytest.mark.parametrize("broker", BROKERS)
def test_a_partly_filled_sell_is_changed_only_where_the_quantity_is_known_to_be_the_total(
    broker: str, *, known: bool, remainder: bool
) -> None:
    """Where it is not known, all is sold and nothing twice, whatever it means."""
    rig = bought(capability=replace(record(broker), modify_quantity_is_total=known))
    rig.names_remainder = remainder
    rig.advance(1000)
    rig.fill_limits = deque([4])
    rig.liquidity = 0
    rig.tick(rupees(1979))
    rig.forget()
    rig.liquidity = None
    for price in (1960, 1960, 1960):
        rig.price = rupees(price)
        rig.advance(2500)
        rig.tick(rupees(price))
        rig.advance(1000)
    assert (rig.true_held, rig.held) == (0, 0)
    assert bool(rig.sent(wire.Modify)) is known


@pytest.mark.parametrize("remainder", [False, True])
@pytest.mark.parametrize("broker", UNPROVEN)
def test_an_exit_that_fills_in_parts_while_its_rows_are_late_sells_what_is_held(
    broker: str, *, remainder: bool
) -> None:
    """A fill that nobody has told yet is the worst moment for a change whose quantity may mean either."""
    rig = bought(capability=record(broker), names_remainder=remainder)
    rig.advance(1000)
    rig.liquidity, rig.row_delay = 3, 2500
    for price in (1979, 1975, 1960, 1960, 1950, 1940, 1940, 1930, 1930, 1930):
        rig.tick(rupees(price))
        rig.advance(1700)
    assert (rig.true_held, rig.held) == (0, 0), rig.describe()


@pytest.mark.parametrize("remainder", [False, True])
@pytest.mark.parametrize("broker", UNPROVEN)
def test_a_stop_that_may_trigger_unseen_as_the_sell_time_comes_is_never_changed(
    broker: str, *, remainder: bool
) -> None:
    """The price that went through it and the row of its part fill are both still on their way."""
    rig = bought(capability=record(broker), names_remainder=remainder)
    rig.until("15:04:58")
    rig.tick(rupees(1986))
    rig.forget()
    rig.feed_on, rig.row_delay, rig.liquidity = False, 2500, 3
    rig.tick(rupees(1979))
    rig.run_until(at("15:05:01"), lambda: rig.price)
    assert rig.stop.filled == 3
    assert not rig.sent(wire.Modify)
    rig.feed_on, rig.liquidity = True, None
    rig.run_until(at("15:05:30"), lambda: rupees(1979))
    assert (rig.true_held, rig.held) == (0, 0), rig.describe()


@pytest.mark.parametrize("broker", UNPROVEN)
def test_an_old_price_does_not_say_that_the_stop_still_waits(broker: str) -> None:
    rig = bought(capability=record(broker))
    rig.until("15:04:50")
    rig.forget()
    rig.feed_on = False
    rig.advance(13_000)
    assert not rig.sent(wire.Modify)
    assert (rig.true_held, rig.stop.status) == (0, OrderStatus.CANCELLED)


@pytest.mark.parametrize("broker", BROKERS)
def test_no_order_is_changed_more_often_than_the_broker_allows(broker: str) -> None:
    """With a cap that is soon reached; where it is not known what the quantity of a change means, no exit is changed,
    and the one change is the stop's into the exit, where that is offered."""
    capability = replace(record(broker), max_modifications=3)
    rig = bought(capability=capability)
    rig.until("15:04:59")
    rig.liquidity = 0
    rig.run_until(at("15:12:00"), lambda: max(rig.price - rupees(0.5), rupees(1900)))
    asked = [change.broker_order_id for change in rig.sent(wire.Modify)]
    known = 3 if capability.modify_quantity_is_total else int(capability.convert_stop_to_exit)
    assert max((asked.count(one) for one in asked), default=0) == known
    assert rig.stop.status is OrderStatus.CANCELLED, "it went on by cancel and a new order"
    rig.liquidity = None
    rig.run_until(at("15:14:00"), lambda: rig.price)
    assert rig.true_held == 0


def entered(capability: wire.Capability, **changes: Any) -> Rig:
    rig = started(now=at("09:19:50"), capability=capability, **changes)
    rig.until("09:20:02")
    return rig


LACKS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no resting stop": ({"no_stops": ("equity/Intraday",)}, {}, "StopNotOffered"),
    "no intraday orders": ({"intraday": False}, {}, "ProductRefused"),
    "no short sales": ({"short": False}, {"side": Side.SELL}, "ShortRefused"),
}


@pytest.mark.parametrize("lack", LACKS)
@pytest.mark.parametrize("broker", BROKERS)
def test_a_strategy_that_needs_what_the_broker_lacks_is_refused(broker: str, lack: str) -> None:
    changes, spec, reason = LACKS[lack]
    whole = entered(record(broker), spec=make_spec(**spec))
    assert whole.legs(Leg.ENTRY), "it is taken where the broker has all of it"
    rig = entered(replace(record(broker), **changes), spec=make_spec(**spec))
    assert not rig.legs(Leg.ENTRY)
    assert (rig.view.phase, rig.view.reason) == (Phase.WAITING, reason)
    assert broker in rig.view.message


@pytest.mark.parametrize(
    ("exchange", "option", "kind"), [("NFO", True, "options"), ("NFO", False, "futures"), ("MCX", False, "futures")]
)
def test_a_stop_that_is_lacking_is_named_by_segment_and_product(exchange: str, option: bool, kind: str) -> None:
    capability = replace(record("zerodha"), no_stops=(f"{kind}/Intraday",))
    instrument = replace(INSTRUMENT, exchange=exchange, option=option)
    rig = entered(capability, instrument=instrument, spec=make_spec(exchange=exchange))
    assert (rig.view.reason, kind in rig.view.message) == ("StopNotOffered", True)
    assert not rig.legs(Leg.ENTRY)


def test_what_another_segment_lacks_is_no_matter() -> None:
    capability = replace(record("zerodha"), no_stops=("options/Intraday", f"equity/{Product.DELIVERY}"))
    rig = entered(capability, spec=make_spec(stop_loss=Level(bp=100), desired=Desired.RUN))
    assert rig.legs(Leg.ENTRY)
