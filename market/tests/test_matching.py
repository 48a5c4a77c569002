"""The matching engine: each sentence of the simulated exchange, then invariants over arbitrary event sequences."""

from datetime import date, time

import pytest
from algo_crds.contracts.clock import instant
from algo_crds.contracts.orders import FINAL, OrderStatus, OrderType, RejectKind, Side
from algo_market.instruments import instrument_on
from algo_market.matching import (
    MatchBook,
    Outcome,
    SimOrder,
    cancel,
    end_session,
    end_stops,
    is_final,
    modify,
    place,
    trade,
)
from algo_market.order_rules import Refused
from hypothesis import given
from hypothesis import strategies as st

DAY = date(2021, 4, 12)
OPEN = instant(DAY, time(9, 15))
NOON = instant(DAY, time(12))
END = instant(DAY, time(15, 30))
TICK = 500


def _book(last: int = 10_000, *, liquidity: int = 0) -> MatchBook:
    """A book of RELIANCE; prices in these tests are ticks of 0.05 rupee."""
    return MatchBook(
        instrument=instrument_on("NSE", "RELIANCE", DAY),
        band_low=9_000 * TICK,
        band_high=11_000 * TICK,
        open=OPEN,
        last_new_order=END,
        end_of_stops=END,
        last_match=END,
        last_price=last * TICK,
        liquidity=liquidity,
    )


def _order(side: Side, price: int, quantity: int = 10, *, trigger: int = 0, order_id: str = "1") -> SimOrder:
    kind = OrderType.STOP_LIMIT if trigger else OrderType.LIMIT
    return SimOrder(
        order_id=order_id, side=side, type=kind, quantity=quantity, price=price * TICK, trigger=trigger * TICK
    )


def _fills(outcome: Outcome | Refused) -> list[tuple[int, int]]:
    assert isinstance(outcome, Outcome)
    return [(fill.price // TICK, fill.quantity) for fill in outcome.fills]


def test_a_marketable_limit_fills_at_the_last_trade() -> None:
    order = _order(Side.BUY, 10_020)
    assert _fills(place(_book(), order, NOON)) == [(10_000, 10)]
    assert order.status is OrderStatus.FILLED
    assert order.average_price == 10_000 * TICK


def test_a_resting_limit_fills_at_its_limit_when_reached() -> None:
    book, order = _book(), _order(Side.BUY, 9_990)
    assert _fills(place(book, order, NOON)) == []
    assert _fills(trade(book, 9_991 * TICK, NOON)) == []
    assert _fills(trade(book, 9_990 * TICK, NOON)) == [(9_990, 10)]


def test_a_gap_in_the_orders_favour_fills_at_the_trade() -> None:
    book, order = _book(), _order(Side.SELL, 10_010)
    place(book, order, NOON)
    assert _fills(trade(book, 10_100 * TICK, NOON)) == [(10_100, 10)]


def test_the_rest_of_a_partial_fill_gets_its_limit_not_a_second_gap() -> None:
    book, order = _book(liquidity=4), _order(Side.BUY, 9_990)
    place(book, order, NOON)
    assert _fills(trade(book, 9_980 * TICK, NOON)) == [(9_980, 4)]
    assert _fills(trade(book, 9_970 * TICK, NOON)) == [(9_990, 4)]


def test_a_stop_triggers_and_fills_against_the_same_trade() -> None:
    book, order = _book(), _order(Side.SELL, 9_850, trigger=9_900)
    place(book, order, NOON)
    assert order.status is OrderStatus.TRIGGER_PENDING
    assert _fills(trade(book, 9_901 * TICK, NOON)) == []
    assert _fills(trade(book, 9_890 * TICK, NOON)) == [(9_890, 10)]


def test_a_stop_that_is_jumped_over_rests_at_its_limit() -> None:
    book, order = _book(), _order(Side.SELL, 9_850, trigger=9_900)
    place(book, order, NOON)
    assert _fills(trade(book, 9_800 * TICK, NOON)) == []
    assert order.status is OrderStatus.TRIGGERED
    assert _fills(trade(book, 9_850 * TICK, NOON)) == [(9_850, 10)]


def test_a_buy_stop_mirrors_it() -> None:
    book, order = _book(), _order(Side.BUY, 10_150, trigger=10_100)
    place(book, order, NOON)
    assert _fills(trade(book, 10_120 * TICK, NOON)) == [(10_120, 10)]


def test_liquidity_is_shared_by_price_then_time() -> None:
    book = _book(liquidity=15)
    low, first, second = (
        _order(Side.BUY, 9_980, order_id="low"),
        _order(Side.BUY, 9_990, order_id="first"),
        _order(Side.BUY, 9_990, order_id="second"),
    )
    for order in (low, first, second):
        place(book, order, NOON)
    trade(book, 9_970 * TICK, NOON)
    assert (first.filled, second.filled, low.filled) == (10, 5, 0)


def test_the_quantity_of_a_trade_may_be_given() -> None:
    book, order = _book(), _order(Side.BUY, 9_990)
    place(book, order, NOON)
    assert _fills(trade(book, 9_990 * TICK, NOON, quantity=3)) == [(9_990, 3)]


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        (_order(Side.BUY, 11_001), RejectKind.BAND),
        (_order(Side.BUY, 0), RejectKind.PRICE),
        (_order(Side.BUY, 10_000, 0), RejectKind.QUANTITY),
        (_order(Side.BUY, 10_000, 200_001), RejectKind.QUANTITY),
        (_order(Side.SELL, 9_900, trigger=10_000), RejectKind.THROUGH),
        (_order(Side.SELL, 9_900, trigger=8_999), RejectKind.BAND),
        (_order(Side.SELL, 9_900, trigger=9_899), RejectKind.PRICE),
        (_order(Side.BUY, 10_100, trigger=10_101), RejectKind.PRICE),
        (
            SimOrder(order_id="1", side=Side.BUY, type=OrderType.LIMIT, quantity=1, price=5_000_001),
            RejectKind.TICK_SIZE,
        ),
    ],
)
def test_the_exchange_rejects(order: SimOrder, kind: RejectKind) -> None:
    place(_book(), order, NOON)
    assert (order.status, order.reject_kind) == (OrderStatus.REJECTED, kind)
    assert order.message


@pytest.mark.parametrize("now", [OPEN - 1, END])
def test_no_new_order_outside_the_session(now: int) -> None:
    order = _order(Side.BUY, 10_000)
    place(_book(), order, now)
    assert order.reject_kind is RejectKind.CLOSED


def test_an_index_cannot_be_traded() -> None:
    book, order = _book(), _order(Side.BUY, 10_000)
    book.instrument = instrument_on("NSE", "NIFTY", DAY)
    place(book, order, NOON)
    assert order.reject_kind is RejectKind.PRODUCT


def test_lots_are_checked() -> None:
    day = date(2025, 8, 1)
    book, order = _book(), _order(Side.BUY, 10_000, 74)
    book.instrument = instrument_on("NFO", "NIFTY25AUGFUT", day)
    place(book, order, NOON)
    assert order.reject_kind is RejectKind.QUANTITY


def test_a_resting_stop_becomes_the_exit_by_modify() -> None:
    book, order = _book(), _order(Side.SELL, 9_850, trigger=9_900)
    place(book, order, NOON)
    assert _fills(modify(book, order, now=NOON, type=OrderType.LIMIT, price=9_950 * TICK)) == [(10_000, 10)]


def test_modify_refusals_change_nothing() -> None:
    book, order = _book(liquidity=4), _order(Side.BUY, 10_000)
    place(book, order, NOON)
    trade(book, 10_000 * TICK, NOON)
    before = (order.price, order.quantity, order.type)
    for change in ({"price": 1}, {"quantity": order.filled}, {"type": OrderType.STOP_LIMIT, "trigger": 9_900 * TICK}):
        assert isinstance(modify(book, order, now=NOON, **change), Refused)
    assert (order.price, order.quantity, order.type) == before


def test_modify_and_cancel_of_a_final_order_are_refused() -> None:
    book, order = _book(), _order(Side.BUY, 10_000)
    place(book, order, NOON)
    assert is_final(order)
    for refused in (modify(book, order, now=NOON, price=9_990 * TICK), cancel(book, order)):
        assert isinstance(refused, Refused)
        assert refused.kind is RejectKind.NOT_MODIFIABLE


def test_ends_of_the_session_cancel() -> None:
    book = _book()
    stop, limit = _order(Side.SELL, 9_850, trigger=9_900, order_id="s"), _order(Side.BUY, 9_900, order_id="l")
    place(book, stop, NOON)
    place(book, limit, NOON)
    assert end_stops(book).changed == ["s"]
    assert end_session(book).changed == ["l"]
    assert stop.status is limit.status is OrderStatus.CANCELLED
    assert book.live == {}


_EVENT = st.one_of(
    st.tuples(
        st.just("place"), st.sampled_from(Side), st.integers(9_950, 10_050), st.integers(1, 20), st.integers(0, 40)
    ),
    st.tuples(st.just("modify"), st.integers(0, 9), st.integers(9_950, 10_050), st.integers(1, 30), st.booleans()),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
    st.tuples(st.just("trade"), st.integers(9_930, 10_070), st.integers(0, 12)),
)


@given(st.lists(_EVENT, max_size=60), st.integers(0, 15))
def test_quantity_is_conserved_and_nothing_moves_back(events: list[tuple[object, ...]], liquidity: int) -> None:
    book = _book(liquidity=liquidity)
    orders: list[SimOrder] = []
    traded: dict[str, int] = {}
    for event in events:
        before = [(o.filled, o.status) for o in orders]
        outcome = _apply(book, orders, event)
        for (filled, status), order in zip(before, orders, strict=False):
            assert order.filled >= filled
            assert status not in FINAL or (order.status, order.filled) == (status, filled)
        _check_fills(book, orders, outcome, event, traded)


def _apply(book: MatchBook, orders: list[SimOrder], event: tuple[object, ...]) -> Outcome | Refused | None:
    match event:
        case ("place", Side() as side, int(price), int(quantity), int(gap)):
            trigger = 0 if gap < 20 else price + (-gap if side is Side.BUY else gap)
            orders.append(_order(side, price, quantity, trigger=max(trigger, 0), order_id=str(len(orders))))
            return place(book, orders[-1], NOON)
        case ("modify", int(index), int(price), int(quantity), bool(to_limit)) if orders:
            order = orders[index % len(orders)]
            kind = OrderType.LIMIT if to_limit else None
            return modify(book, order, now=NOON, type=kind, price=price * TICK, quantity=quantity)
        case ("cancel", int(index)) if orders:
            return cancel(book, orders[index % len(orders)])
        case ("trade", int(price), int(quantity)):
            return trade(book, price * TICK, NOON, quantity=quantity)
    return None


def _check_fills(
    book: MatchBook,
    orders: list[SimOrder],
    outcome: Outcome | Refused | None,
    event: tuple[object, ...],
    traded: dict[str, int],
) -> None:
    fills = outcome.fills if isinstance(outcome, Outcome) else []
    for fill in fills:
        order = orders[int(fill.order_id)]
        assert fill.quantity > 0
        assert fill.price <= order.price if order.side is Side.BUY else fill.price >= order.price
        traded[fill.order_id] = traded.get(fill.order_id, 0) + fill.quantity
    limit = (event[2] if event[0] == "trade" else 0) or book.liquidity
    if limit:
        assert sum(fill.quantity for fill in fills) <= int(str(limit)) or event[0] != "trade"
    for order in orders:
        assert order.filled == traded.get(order.order_id, 0) <= order.quantity
        assert (order.order_id in book.live) == (order.status not in FINAL)
        assert (order.status is OrderStatus.FILLED) == (order.filled == order.quantity)
