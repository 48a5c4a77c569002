"""Prices and order updates as they happen."""

import asyncio
import contextlib

from algo_crds.contracts.orders import OrderStatus
from case import case
from desk import Desk, R
from kept_feed import keeper_at


@case("BC-050", "prices of a subscribed instrument, with the exchange's time and the day's volume")
async def prices(desk: Desk) -> None:
    await desk.to("09:15:00")
    token = (await desk.ref()).token
    feed = await desk.open_feed()
    feed.subscribe([token])
    await desk.until(lambda: bool(desk.ear.frames.get("market")), "a first frame")
    await desk.to("09:17:30")
    await desk.until(lambda: any(tick.price == 19_995_000 for tick in desk.ear.ticks), "the newest price")
    assert {tick.token for tick in desk.ear.ticks} == {token}
    newest = [tick for tick in desk.ear.ticks if tick.price == 19_995_000][-1]
    assert newest.volume > 0
    assert abs(newest.time - desk.now()) <= 60_000
    assert not desk.ear.troubles


@case("BC-051", "nothing comes of what was not subscribed, or is no longer")
async def unsubscribed(desk: Desk) -> None:
    await desk.to("09:15:30")
    token = (await desk.ref()).token
    feed = await desk.open_feed()
    feed.subscribe([token])
    await desk.to("09:16:30")
    await desk.until(lambda: any(tick.price == 2001 * R for tick in desk.ear.ticks), "a price")
    feed.unsubscribe([token])
    await desk.broker.read_positions()  # a call's length for the broker to hear it
    await desk.to("09:16:45")
    desk.ear.ticks.clear()
    await desk.to("09:31:00")
    await desk.broker.read_positions()
    assert desk.ear.ticks == []


@case("BC-052", "an order's life comes over the socket: live, then filled, with its tag")
async def updates(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.ref()
    await desk.open_feed()
    order, ref = await desk.placed(price=1986 * R)
    await desk.until(
        lambda: any(row.status is OrderStatus.OPEN and row.tag == order.tag for row in desk.ear.rows), "a live row"
    )
    await desk.to("09:31:00")
    await desk.until(lambda: any(row.status is OrderStatus.FILLED for row in desk.ear.rows), "the fill")
    last = [row for row in desk.ear.rows if row.status is OrderStatus.FILLED][-1]
    assert (last.broker_order_id, last.filled, last.quantity) == (ref.broker_order_id, 10, 10)
    assert (last.exchange, last.symbol, last.average_price) == ("NSE", "RELIANCE", 1985 * R)


@case("BC-053", "a resting stop is told by the socket as one")
async def stop_update(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.bought()
    await desk.open_feed()
    _, ref = await desk.stop()

    def told() -> bool:
        mine = [row for row in desk.ear.rows if row.broker_order_id == ref.broker_order_id]
        return any((row.trigger, row.price, row.quantity) == (1980 * R, 1970 * R, 10) for row in mine)

    await desk.until(told, "the stop's row")


@case("BC-054", "a repeated update does no harm: the same row again")
async def repeated(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.ref()
    await desk.open_feed()
    await desk.fault(duplicate_updates=-1)
    _, ref = await desk.placed(price=1950 * R)
    await desk.until(lambda: len([r for r in desk.ear.rows if r.status is OrderStatus.OPEN]) >= 2, "two rows")
    rows = [row for row in desk.ear.rows if row.status is OrderStatus.OPEN]
    assert {(row.broker_order_id, row.quantity, row.price) for row in rows} == {(ref.broker_order_id, 10, 1950 * R)}


@case("BC-055", "a cut connection is told once; a new one takes a fresh subscription")
async def cut(desk: Desk) -> None:
    await desk.to("09:15:30")
    token = (await desk.ref()).token
    feed = await desk.open_feed()
    feed.subscribe([token])
    await desk.fault(disconnect=True)
    await desk.until(lambda: bool(desk.ear.closed), "the end of the feed")
    again = await desk.open_feed()
    again.subscribe([token])
    await desk.to("09:17:30")
    await desk.until(lambda: any(tick.price == 19_995_000 for tick in desk.ear.ticks), "the newest price")
    assert len(desk.ear.closed) == 1


@case("BC-056", "a mute feed keeps its heartbeat and brings no price")
async def mute(desk: Desk) -> None:
    await desk.to("09:15:30")
    feed = await desk.open_feed()
    feed.subscribe([(await desk.ref()).token])
    await desk.fault(mute_feed=True)
    await desk.to("09:16:30")
    desk.ear.ticks.clear()
    await desk.to("09:31:00")
    await desk.broker.read_positions()
    assert desk.ear.ticks == []
    assert not desk.ear.closed


@case("BC-057", "every stream of the feed says its number, so that a replayed market can wait for it")
async def numbered(desk: Desk) -> None:
    await desk.to("09:15:30")
    await desk.open_feed()
    streams = {"market"} if not desk.adapter.endpoints.order_socket else {"market", "orders"}
    await desk.until(lambda: set(desk.ear.connections) == streams, "the numbers")


@case("BC-058", "the gateway opens a cut connection again by itself, and asks for every symbol again")
async def kept(desk: Desk) -> None:
    await desk.to("09:15:30")
    share, other = (await desk.ref()).token, (await desk.ref("TCS")).token
    keeper, sink = keeper_at(desk)
    keeper.subscribe([share, other])
    keeper.session_changed(present=True)
    running = asyncio.create_task(keeper.run())
    try:
        await desk.until(lambda: sink.connections == 1, "a connection")
        await desk.to("09:16:30")
        await desk.until(lambda: {tick.token for tick in desk.ear.ticks} == {share, other}, "both symbols")
        await desk.fault(disconnect=True)
        await desk.until(lambda: bool(sink.gaps) and sink.connections == 2, "another connection after a gap")
        desk.ear.ticks.clear()
        await desk.to("09:17:30")
        await desk.until(lambda: {tick.token for tick in desk.ear.ticks} == {share, other}, "both symbols again")
        assert 19_995_000 in {tick.price for tick in desk.ear.ticks if tick.token == share}
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
