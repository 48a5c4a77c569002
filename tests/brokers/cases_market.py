"""Instruments, polled prices, bars, money."""

from datetime import time

from algo_brokers.records import InstrumentRef, Interval, NewOrder
from algo_crds.contracts.clock import instant
from algo_crds.contracts.orders import OrderType, Product, Side
from case import case
from desk import DAY, Desk, R


@case("BC-010", "the day's list names an instrument, its tick size and its lot")
async def listing(desk: Desk) -> None:
    await desk.ref()
    one = desk.listing["RELIANCE"]
    assert (one.exchange, one.tick_size, one.lot, one.kind) == ("NSE", 500, 1, "EQ")
    assert one.token


@case("BC-011", "a quote has price, time, volume, the day's band and yesterday's close")
async def quote(desk: Desk) -> None:
    await desk.to("09:17:00")
    (one,) = await desk.broker.read_quotes(instruments=(await desk.ref(),))
    assert (one.exchange, one.symbol, one.price) == ("NSE", "RELIANCE", 19_995_000)
    assert one.volume > 0
    assert one.previous_close == 2000 * R
    if one.band_high:
        assert one.band_low < one.price < one.band_high


@case("BC-012", "last prices of several instruments; an unknown one is missing")
async def ltp(desk: Desk) -> None:
    await desk.to("09:17:00")
    nobody = InstrumentRef(
        exchange="NSE", symbol="NOSUCH", token=(await desk.ref()).token + 7_777, broker_symbol="X-EQ"
    )
    prices = await desk.broker.read_ltp(instruments=(await desk.ref(), await desk.ref("TCS"), nobody))
    assert prices["NSE", "RELIANCE"] == 19_995_000
    assert ("NSE", "NOSUCH") not in prices


@case("BC-013", "one-minute bars of the session so far")
async def candles(desk: Desk) -> None:
    await desk.to("09:20:30")
    start, end = instant(DAY, time(9, 15)), instant(DAY, time(9, 20))
    bars = await desk.broker.read_candles(instrument=await desk.ref(), start=start, end=end)
    by_time = {bar.time: bar for bar in bars}
    assert by_time[start].open == 2000 * R
    assert by_time[start + 60_000].close == 2001 * R
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)


@case("BC-014", "bars of five minutes")
async def five_minutes(desk: Desk) -> None:
    await desk.to("09:20:30")
    start, end = instant(DAY, time(9, 15)), instant(DAY, time(9, 19))
    bars = await desk.broker.read_candles(
        instrument=await desk.ref(), start=start, end=end, interval=Interval.FIVE_MINUTES
    )
    assert (bars[0].time, bars[0].open, bars[0].high) == (start, 2000 * R, 2001 * R)


@case("BC-015", "funds that may be spent fall when shares are bought")
async def funds(desk: Desk) -> None:
    await desk.to("09:16:00")
    before = await desk.broker.read_funds()
    await desk.bought()
    after = await desk.broker.read_funds()
    assert 0 < after.available < before.available


@case("BC-016", "what an order would take of the funds")
async def margin(desk: Desk) -> None:
    await desk.to("09:16:00")
    order = NewOrder(
        tag="",
        instrument=await desk.ref(),
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=10,
        price=2000 * R,
        product=Product.DELIVERY,
    )
    needed = await desk.broker.read_margin(orders=(order,))
    assert 15_000 * R <= needed.required <= 25_000 * R


@case(
    "BC-017",
    "shares in the demat account",
    world={"account": {"holdings": [{"symbol": "NSE:TCS", "quantity": 7, "average_price": "3200.50"}]}},
)
async def holdings(desk: Desk) -> None:
    (one,) = await desk.broker.read_holdings()
    assert (one.exchange, one.symbol, one.quantity, one.average_price) == ("NSE", "TCS", 7, 32_005_000)
