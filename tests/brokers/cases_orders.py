"""Orders: placed, seen, changed, filled, refused."""

import pytest
from algo_brokers.errors import AddressRefused, BrokerError, BrokerUnavailable, RequestRefused, TooManyRequests
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_brokers.records import Change
from algo_crds.contracts.orders import OrderRow, OrderStatus, OrderType, Product, RejectKind, Side
from case import case
from desk import Desk, R

LIVE = {OrderStatus.OPEN}


def waits(row: OrderRow) -> bool:
    """A stop that rests."""
    return row.status is OrderStatus.TRIGGER_PENDING


@case("BC-020", "a limit order rests and shows in the book with its tag")
async def rests(desk: Desk) -> None:
    await desk.to("09:16:00")
    order, ref = await desk.placed(price=1950 * R)
    row = await desk.row(ref, lambda row: row.status in LIVE)
    assert (row.tag, row.exchange, row.symbol) == (order.tag, "NSE", "RELIANCE")
    assert (row.side, row.type, row.product) == (Side.BUY, OrderType.LIMIT, Product.INTRADAY)
    assert (row.quantity, row.price, row.trigger, row.filled) == (10, 1950 * R, 0, 0)
    assert row.read_at == desk.now()


@case("BC-021", "an order is found by its tag, and a tag nobody used is not")
async def by_tag(desk: Desk) -> None:
    await desk.to("09:16:00")
    order, ref = await desk.placed(price=1950 * R)
    await desk.row(ref)
    found = await desk.broker.read_by_tag(tag=order.tag, begun_at=desk.now())
    assert [row.broker_order_id for row in found] == [ref.broker_order_id]
    assert await desk.broker.read_by_tag(tag=order.tag[:-1] + "9", begun_at=desk.now()) == ()


@case("BC-022", "a fill shows in row, trades and position")
async def fills(desk: Desk) -> None:
    await desk.to("09:16:00")
    _, ref = await desk.placed(price=2005 * R)
    row = await desk.row(ref, lambda row: row.status is OrderStatus.FILLED)
    assert (row.filled, row.average_price) == (10, 2001 * R)
    trades = await desk.broker.read_trades()
    assert sum(trade.quantity for trade in trades) == 10
    assert {(trade.broker_order_id, trade.price, trade.side) for trade in trades} == {
        (ref.broker_order_id, 2001 * R, Side.BUY)
    }
    (position,) = await desk.broker.read_positions()
    assert (position.exchange, position.symbol, position.product) == ("NSE", "RELIANCE", Product.INTRADAY)
    assert (position.quantity, position.average_price) == (10, 2001 * R)


@case("BC-023", "a fill in parts is told in parts", world={"liquidity": 4})
async def parts(desk: Desk) -> None:
    await desk.to("09:16:00")
    _, ref = await desk.placed(price=2005 * R)
    row = await desk.row(ref, lambda row: 0 < row.filled < 10)
    assert row.status in LIVE


@case("BC-024", "a stop rests at the exchange: type, trigger, limit and what remains")
async def stop_rests(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.bought()
    _, ref = await desk.stop()
    row = await desk.row(ref, waits if desk.broker.capability.has_trigger_status else lambda row: row.trigger > 0)
    assert (row.type, row.trigger, row.price, row.quantity, row.filled) == (
        OrderType.STOP_LIMIT,
        1980 * R,
        1970 * R,
        10,
        0,
    )


@case("BC-025", "a resting stop's trigger and limit are changed")
async def stop_moves(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.bought()
    _, ref = await desk.stop()
    await desk.row(ref)
    change = Change(order=ref, type=OrderType.STOP_LIMIT, quantity=10, price=1980 * R, trigger=1988 * R)
    assert isinstance(await desk.broker.modify(change=change), Accepted)
    row = await desk.row(ref, lambda row: row.trigger == 1988 * R)
    assert (row.price, row.quantity) == (1980 * R, 10)


@case("BC-026", "a resting stop is resized after a fill in parts")
async def stop_resized(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.bought()
    _, ref = await desk.stop(quantity=4)
    await desk.row(ref)
    change = Change(order=ref, type=OrderType.STOP_LIMIT, quantity=10, price=1970 * R, trigger=1980 * R)
    assert isinstance(await desk.broker.modify(change=change), Accepted)
    assert (await desk.row(ref, lambda row: row.quantity == 10)).trigger == 1980 * R


@case(
    "BC-027",
    "a resting stop becomes the exit by a change, where the broker offers it; else the exit is a new order",
)
async def stop_converted(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.bought()
    _, ref = await desk.stop()
    await desk.row(ref)
    change = Change(order=ref, type=OrderType.LIMIT, quantity=10, price=1990 * R)
    if not desk.broker.capability.convert_stop_to_exit:
        assert isinstance(await desk.broker.cancel(order=ref), Accepted)
        await desk.row(ref, lambda row: row.status is OrderStatus.CANCELLED)
        _, ref = await desk.placed(side=Side.SELL, price=1990 * R)
        assert (await desk.row(ref, lambda row: row.filled == 10)).status is OrderStatus.FILLED
        return
    assert isinstance(await desk.broker.modify(change=change), Accepted)
    row = await desk.row(ref, lambda row: row.status is OrderStatus.FILLED)
    assert (row.filled, row.average_price) == (10, 2001 * R)


@case("BC-028", "the fall through the trigger sells")
async def stop_fires(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.bought()
    _, ref = await desk.stop(trigger=1988 * R, price=1980 * R)
    await desk.row(ref)
    await desk.to("09:31:00")
    row = await desk.row(ref, lambda row: row.filled == 10)
    assert row.status is OrderStatus.FILLED
    positions = await desk.broker.read_positions()
    assert sum(one.quantity for one in positions) == 0


@case("BC-029", "an order is cancelled, and a second cancel says that it is over")
async def cancelled(desk: Desk) -> None:
    await desk.to("09:16:00")
    _, ref = await desk.placed(price=1950 * R)
    await desk.row(ref)
    assert isinstance(await desk.broker.cancel(order=ref), Accepted)
    row = await desk.row(ref, lambda row: row.status is OrderStatus.CANCELLED)
    assert row.filled == 0
    again = await desk.broker.cancel(order=ref)
    assert isinstance(again, Rejected), again
    assert again.kind is RejectKind.NOT_MODIFIABLE


@case("BC-030", "a filled order takes no change")
async def not_modifiable(desk: Desk) -> None:
    await desk.to("09:16:00")
    _, ref = await desk.placed(price=2005 * R)
    await desk.row(ref, lambda row: row.status is OrderStatus.FILLED)
    outcome = await desk.broker.modify(change=Change(order=ref, type=OrderType.LIMIT, quantity=10, price=2006 * R))
    assert isinstance(outcome, Rejected), outcome
    assert outcome.kind is RejectKind.NOT_MODIFIABLE


async def refused(desk: Desk, **order: object) -> RejectKind:
    """The kind of refusal, in the answer or in the order's row; the trader reads why."""
    placed, outcome = await desk.place(**order)
    if isinstance(outcome, Rejected):
        assert outcome.message
        return outcome.kind
    assert isinstance(outcome, Accepted), outcome
    rows = [row for row in await desk.broker.read_book(begun_at=desk.now()) if row.tag == placed.tag]

    async def over() -> bool:
        rows[:] = [row for row in await desk.broker.read_book(begun_at=desk.now()) if row.tag == placed.tag]
        return bool(rows) and rows[0].status is OrderStatus.REJECTED

    await desk.until_true(over, lambda: f"the order is refused; last seen {rows}")
    assert rows[0].message
    assert rows[0].reject_kind is not None
    return rows[0].reject_kind


@case("BC-031", "an order beyond the funds is refused as such")
async def too_dear(desk: Desk) -> None:
    await desk.to("09:16:00")
    assert await refused(desk, quantity=5_000) is RejectKind.MARGIN


@case("BC-032", "a price off the tick is refused as such")
async def off_tick(desk: Desk) -> None:
    await desk.to("09:16:00")
    assert await refused(desk, price=19_999_700) is RejectKind.TICK_SIZE


@case("BC-033", "a price outside the band is refused as such")
async def off_band(desk: Desk) -> None:
    await desk.to("09:16:00")
    assert await refused(desk, price=2_500 * R, quantity=1) in {RejectKind.BAND, RejectKind.PRICE}


@case("BC-034", "a stop that the market has passed is refused as such")
async def passed_stop(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.bought()
    kind = await refused(desk, side=Side.SELL, type=OrderType.STOP_LIMIT, trigger=2010 * R, price=2005 * R)
    assert kind in {RejectKind.THROUGH, RejectKind.PRICE}


@case("BC-035", "the exchange takes an order out: its row says so")
async def exchange_cancel(desk: Desk) -> None:
    await desk.to("09:16:00")
    _, ref = await desk.placed(price=1950 * R)
    await desk.row(ref)
    await desk.hand(action="exchange_cancel", order_id=ref.broker_order_id)
    await desk.row(ref, lambda row: row.status is OrderStatus.CANCELLED)


@case("BC-036", "an order of the trader's own hand has no tag of ours")
async def by_hand(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.ref()
    await desk.hand(action="place", symbol="NSE:RELIANCE", side="Buy", quantity=3, price="1950.00")
    rows: list[OrderRow] = []

    async def shown() -> bool:
        rows[:] = await desk.broker.read_book(begun_at=desk.now())
        return bool(rows)

    await desk.until_true(shown, lambda: "the order shows")
    (row,) = rows
    assert (row.quantity, row.symbol) == (3, "RELIANCE")
    assert not row.tag


@case("BC-037", "one order's states, oldest first")
async def history(desk: Desk) -> None:
    await desk.to("09:16:00")
    _, ref = await desk.placed(price=2005 * R)
    await desk.row(ref, lambda row: row.status is OrderStatus.FILLED)
    rows = await desk.broker.read_order(broker_order_id=ref.broker_order_id, begun_at=desk.now())
    assert rows[-1].status is OrderStatus.FILLED
    assert {row.broker_order_id for row in rows} == {ref.broker_order_id}


@case("BC-038", "a delivery order is one in row and position")
async def delivery(desk: Desk) -> None:
    await desk.to("09:16:00")
    _, ref = await desk.placed(price=2005 * R, product=Product.DELIVERY, quantity=1)
    row = await desk.row(ref, lambda row: row.filled == 1)
    assert row.product is Product.DELIVERY


@case("BC-040", "too many calls: an order is refused or looked up, a read says so, nothing was done")
async def rate(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.ref()
    await desk.fault(rate_limit=2)
    _, outcome = await desk.place()
    # Angel One's plain text does not prove that the order was not taken: its tag is looked up instead.
    assert isinstance(outcome, Unknown) or (isinstance(outcome, Rejected) and outcome.kind is RejectKind.RATE), outcome
    with pytest.raises(TooManyRequests):
        await desk.broker.read_positions()
    assert await desk.broker.read_book(begun_at=desk.now()) == ()


@case("BC-041", "an order from an address that is not registered: refused by the door; reads work")
async def address(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.ref()
    await desk.fault(refuse_address=True)
    _, outcome = await desk.place()
    assert isinstance(outcome, Rejected), outcome
    assert outcome.kind is RejectKind.ADDRESS
    try:
        await desk.broker.read_book(begun_at=desk.now())
    except AddressRefused:
        pytest.fail("reads need no registered address")


@case("BC-042", "an answer that never comes is unknown; the order is found by its tag")
async def lost(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.ref()
    await desk.fault(lose_answers=1, lost_after_ms=0)
    order, outcome = await desk.place(price=1950 * R)
    assert isinstance(outcome, Unknown), outcome

    async def found() -> bool:
        return len(await desk.broker.read_by_tag(tag=order.tag, begun_at=desk.now())) == 1

    await desk.until_true(found, lambda: "the order is found by its tag")


@case("BC-043", "a failure after the order was taken is not taken for a refusal")
async def failed_after(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.ref()
    await desk.fault(fail_after=1, fail_status=502)
    order, outcome = await desk.place(price=1950 * R)
    assert isinstance(outcome, Unknown), outcome
    assert len(await desk.broker.read_by_tag(tag=order.tag, begun_at=desk.now())) == 1


@case("BC-044", "a failed read is an error, never an empty book")
async def failed_read(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.placed(price=1950 * R)
    await desk.fault(fail_reads=1, fail_status=503)
    with pytest.raises(BrokerError) as caught:
        await desk.broker.read_book(begun_at=desk.now())
    assert isinstance(caught.value, BrokerUnavailable | RequestRefused)
    assert len(await desk.broker.read_book(begun_at=desk.now())) == 1


@case("BC-045", "what a broker echoes shows no secret")
async def canary(desk: Desk) -> None:
    await desk.to("09:16:00")
    assert desk.session is not None
    _, outcome = await desk.place(quantity=5_000)
    texts = f"{outcome!r} {desk.session!r} {desk.credentials!r}"
    assert "canary" not in texts
    assert desk.session.access_token not in texts
