"""What is refused before a byte leaves, and what must never be: exits and stops of whatever is held."""

import msgspec
import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderClass, OrderType, RejectKind
from algo_gateway.order_check import order_refusal
from door_orders import modify, place, tag
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_000_000
FACTS = wire.Instrument(
    exchange="NFO",
    symbol="NIFTY26DECFUT",
    tick_size=500,
    lot=65,
    freeze_quantity=1_800,
    band_low=200_000_000,
    band_high=240_000_000,
    previous_close=220_000_000,
)
PRICE = 220_000_500
CLASSES_OF_SAFETY = [OrderClass.URGENT_EXIT, OrderClass.STOP, OrderClass.EXIT, OrderClass.TRAILING]
prices = st.integers(1, 1_000_000).map(lambda ticks: ticks * FACTS.tick_size)


def entry(**changes: object) -> wire.Place:
    return place(7, OrderClass.ENTRY, **{"quantity": 130, "price": PRICE, **changes})


def kind_of(order: wire.Place | wire.Modify, facts: wire.Instrument = FACTS) -> RejectKind | None:
    refused = order_refusal(order, facts, NOW)
    if refused is None:
        return None
    assert (refused.req, refused.now) == (order.req, NOW)
    assert refused.message
    return refused.kind


def test_a_good_entry_passes() -> None:
    assert kind_of(entry()) is None


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"price": PRICE + 1}, RejectKind.TICK_SIZE),
        ({"type": OrderType.STOP_LIMIT, "trigger": PRICE + 100}, RejectKind.TICK_SIZE),
        ({"quantity": 129}, RejectKind.QUANTITY),
        ({"quantity": 0}, RejectKind.QUANTITY),
        ({"quantity": -65}, RejectKind.QUANTITY),
        ({"quantity": 1_820}, RejectKind.QUANTITY),
        ({"price": 0}, RejectKind.PRICE),
        ({"type": OrderType.STOP_LIMIT, "trigger": 0}, RejectKind.PRICE),
        ({"price": FACTS.band_high + 500}, RejectKind.BAND),
        ({"price": FACTS.band_low - 500}, RejectKind.BAND),
    ],
)
def test_an_entry_that_the_exchange_would_refuse_does_not_leave(change: dict[str, object], kind: RejectKind) -> None:
    assert kind_of(entry(**change)) is kind


def test_the_message_names_the_rule() -> None:
    refused = order_refusal(entry(price=PRICE + 1), FACTS, NOW)
    assert refused is not None
    assert refused.message == "the price 22000.0501 is not a multiple of the tick size 0.05"


def test_a_changed_entry_is_held_to_the_same_rules() -> None:
    changed = modify(3, OrderClass.ENTRY, tag=tag(1, Leg.ENTRY), quantity=64, price=PRICE)
    assert kind_of(changed) is RejectKind.QUANTITY


def test_an_entry_that_calls_itself_an_exit_is_still_an_entry() -> None:
    disguised = msgspec.structs.replace(entry(quantity=64), order_class=OrderClass.URGENT_EXIT)
    assert kind_of(disguised) is RejectKind.QUANTITY


@given(
    quantity=st.integers(1, 100_000),
    price=prices,
    trigger=prices,
    order_class=st.sampled_from(CLASSES_OF_SAFETY),
    stop=st.booleans(),
)
def test_no_band_lot_or_freeze_quantity_stands_in_the_way_of_an_exit_or_a_stop(
    quantity: int, price: int, trigger: int, order_class: OrderClass, stop: bool
) -> None:
    kind = OrderType.STOP_LIMIT if stop else OrderType.LIMIT
    values = {"quantity": quantity, "price": price, "trigger": trigger if stop else 0, "type": kind}
    assert kind_of(place(1, order_class, **values)) is None
    assert kind_of(modify(1, order_class, **values)) is None


@given(quantity=st.integers(-10, 10_000), price=st.integers(-10, 300_000_000), stop=st.booleans())
def test_what_passes_has_a_quantity_and_prices_on_the_tick(quantity: int, price: int, stop: bool) -> None:
    kind = OrderType.STOP_LIMIT if stop else OrderType.LIMIT
    for order in (place(1, OrderClass.STOP, quantity=quantity, price=price, trigger=price, type=kind), entry()):
        if order_refusal(order, FACTS, NOW) is None:
            assert order.quantity > 0
            assert order.price > 0
            assert order.price % FACTS.tick_size == 0
    stray = place(1, OrderClass.STOP, quantity=1, price=price * 500 + 1, trigger=0)
    assert order_refusal(stray, FACTS, NOW) is not None


@given(price=st.integers(1, 300_000_000), quantity=st.integers(1, 10**8))
def test_a_fact_that_is_not_known_refuses_nothing(price: int, quantity: int) -> None:
    unknown = msgspec.structs.replace(FACTS, tick_size=0, lot=1, freeze_quantity=0, band_low=0, band_high=0)
    assert kind_of(entry(price=price, quantity=quantity), unknown) is None
