"""What the door knows of orders decides who may touch them: the book, the day, and what it placed itself."""

from datetime import timedelta

import msgspec
from algo_brokers.order_states import unknown_status
from algo_brokers.outcomes import Accepted
from algo_brokers.records import InstrumentRef, NewOrder
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderClass, OrderStatus, Product, RejectKind
from algo_crds.contracts.tags import make_tag, strategy_hash
from algo_gateway.calls import perform
from algo_gateway.door.door import Door
from algo_gateway.door.effects import Notice
from algo_gateway.door.unknown_states import UNKNOWN_ORDER_STATUS
from door_orders import DAY, NOW, ONE, TWO, WINDOWS, claims, modify, open_door, place, refusal, row, sent, tag

ROWS = (("8", tag(5, Leg.ENTRY)), ("hand", None))


def test_no_entry_before_the_book_but_stops_and_exits() -> None:
    door = Door(WINDOWS)
    door.gate = msgspec.structs.replace(door.gate, halts_known=True, session=True)
    door.connect(1, claims(), NOW)
    refused = refusal(door.write(1, place(1, OrderClass.ENTRY), NOW))
    assert refused.kind is RejectKind.HALTED
    assert "book" in refused.message
    assert sent(door.write(1, place(2), NOW))
    assert sent(door.write(1, modify(3, broker_order_id="9"), NOW))
    door.book([row("8", tag(5, Leg.ENTRY))], NOW, restore=True)
    assert sent(door.write(1, place(4, OrderClass.ENTRY), NOW + 1_100))
    assert refusal(door.write(1, place(5, OrderClass.ENTRY), NOW + 1_200)).kind is RejectKind.DUPLICATE_TAG


def test_orders_of_the_traders_hand_are_not_touched() -> None:
    door = open_door()
    door.connect(1, claims(), NOW)
    door.row(row("hand", None))
    door.row(row("other", tag(1, Leg.STOP, TWO)))
    for req, name in enumerate(("hand", "other"), 1):
        assert refusal(door.write(1, modify(req, broker_order_id=name), NOW)).kind is RejectKind.NOT_OWNER
    assert sent(door.write(1, modify(3, broker_order_id="not seen yet"), NOW))


def test_an_own_order_whose_row_lost_its_tag_can_still_be_changed() -> None:
    door = open_door()
    door.connect(1, claims(), NOW)
    (send,) = sent(door.write(1, place(1), NOW))
    door.outcome(send.call, wire.Accepted(now=NOW, req=1, broker_order_id="9"))
    door.row(row("9", None))
    assert sent(door.write(1, modify(2, broker_order_id="9"), NOW))


def test_the_first_book_fills_the_windows_and_counts_the_day() -> None:
    door = open_door()
    door.connect(1, claims(), NOW)
    rows = [row(str(n), tag(n, Leg.STOP, TWO), order_time=NOW - 100) for n in range(1, 7)]
    door.book([*rows, row("hand", None, order_time=NOW - 100)], NOW, restore=True)
    assert sent(door.write(1, place(1), NOW)) == [], "seven orders and two calls that the book may not show yet"
    assert door.next_pump(NOW) == NOW + 1_000
    assert sent(door.pump(NOW + 1_000))
    assert door.orders.sent() == 6, "an order of the trader's hand is none of ours"


def test_a_new_day_begins_with_nothing() -> None:
    door = open_door()
    door.start_day(DAY)
    door.row(row("5", tag(1, Leg.ENTRY, TWO), status=OrderStatus.FILLED, filled=10))
    door.row(row("6", tag(2, Leg.STOP, TWO)))
    door.connect(1, claims(), NOW)
    assert refusal(door.write(1, place(3, OrderClass.ENTRY), NOW)).kind is RejectKind.NOT_OWNER, (
        "a symbol has one owner"
    )
    door.start_day(DAY + timedelta(days=1))
    assert (door.open_positions, door.has_live_orders()) == (0, False)
    door.book([row("6", tag(2, Leg.STOP, TWO))], NOW, restore=False)
    assert not door.has_live_orders(), "a book that still shows yesterday"
    tomorrow = make_tag(strategy_hash(ONE), DAY + timedelta(days=1), Leg.ENTRY, 1)
    assert sent(door.write(1, place(4, OrderClass.ENTRY, tag=tomorrow), NOW))
    assert door.has_live_orders()


async def test_the_exchanges_number_of_the_algorithm_goes_with_every_new_order() -> None:
    seen: list[NewOrder] = []

    class Broker:
        async def place(self, *, order: NewOrder) -> Accepted:
            seen.append(order)
            return Accepted(broker_order_id="1")

    outcome = await perform(
        Broker(),  # type: ignore[arg-type] # it only places
        place(1),
        instrument=InstrumentRef(exchange="NSE", symbol="RELIANCE"),
        product=Product.INTRADAY,
        algo_id="NSE-77",
        now=lambda: NOW,
        crash=lambda _point: None,
    )
    assert outcome == wire.Accepted(now=NOW, req=1, broker_order_id="1")
    assert [order.algo_id for order in seen] == ["NSE-77"]


def test_an_order_of_an_unknown_status_is_told_once_and_lives() -> None:
    door = open_door()
    door.connect(1, claims(), NOW)
    status, note = unknown_status("FROZEN")
    strange = [msgspec.structs.replace(row(name, own), status=status, message=note) for name, own in ROWS]
    told = door.row(strange[0]) + door.book([*strange, *strange], NOW, restore=False)
    notices = [effect for effect in told if isinstance(effect, Notice)]
    assert [notice.code for notice in notices] == [UNKNOWN_ORDER_STATUS] * 2
    assert all(notice.error and "unknown status 'FROZEN'" in notice.message for notice in notices)
    assert ["order 8 (NSE:RELIANCE)" in notices[0].message, "order hand " in notices[1].message] == [True, True]
    assert door.has_live_orders()
    assert door.row(row("10", tag(6, Leg.ENTRY))) == [], "a known status is no news"


def test_what_brokers_write_themselves_is_not_taken_for_an_unknown_status() -> None:
    text = "unknown status of the exchange"
    refused = msgspec.structs.replace(row("8", tag(5)), status=OrderStatus.REJECTED, message=text)
    assert open_door().row(refused) == []
