"""Orders and reads over real sockets: writes once, reads whole or an error."""

import asyncio
from typing import Any

import msgspec
import pytest
from aiohttp import web
from algo_brokers import calls
from algo_brokers.angelone import market_reads
from algo_brokers.angelone.names import pack
from algo_brokers.angelone.order_ids import UniqueIds
from algo_brokers.errors import BadAnswer, BrokerUnavailable, RequestRefused, SessionRefused, TooManyRequests
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_brokers.records import Change, InstrumentRef, Interval, NewTrigger, TriggerLeg
from algo_crds.contracts.orders import Leg, OrderType, Product, RejectKind, Side
from angelone_samples import RELIANCE, TAG, line, option, order
from angelone_stand import ORDER, Ear, Stand, ok, refused
from order_samples import order_ref

S = "/rest/secure/angelbroking"
BARE = InstrumentRef(exchange="NSE", symbol="RELIANCE")
ACCEPTED = Accepted(broker_order_id="17")


def accept(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return ok({"orderid": "17", "uniqueorderid": "u-17"})

    stand.handler = handle


async def test_place_modify_cancel(stand: Stand) -> None:
    accept(stand)
    ref = order_ref("17", instrument=RELIANCE)
    assert await stand.broker.place(order=ORDER) == ACCEPTED
    change = Change(order=ref, type=OrderType.STOP_LIMIT, quantity=10, price=1, trigger=2)
    assert await stand.broker.modify(change=change) == ACCEPTED
    assert await stand.broker.cancel(order=ref) == ACCEPTED
    assert stand.seen == [f"POST {S}/order/v1/{call}Order" for call in ("place", "modify", "cancel")]


async def test_what_the_list_does_not_know_is_not_sent(stand: Stand) -> None:
    accept(stand)
    triggers = stand.broker.triggers
    assert triggers is not None
    trigger = _trigger(BARE)
    for outcome in (
        await stand.broker.place(order=msgspec.structs.replace(ORDER, instrument=BARE)),
        await stand.broker.modify(
            change=Change(order=order_ref("17", instrument=BARE), type=OrderType.LIMIT, quantity=1, price=1)
        ),
        await triggers.place(trigger=trigger),
        await triggers.modify(trigger_id="1", trigger=trigger),
        await triggers.cancel(trigger_id="1", instrument=BARE),
    ):
        assert isinstance(outcome, Rejected)
        assert "load the list first" in outcome.message
    for read in (
        stand.broker.read_margin(orders=(msgspec.structs.replace(ORDER, instrument=BARE),)),
        stand.broker.read_candles(instrument=BARE, start=0, end=1),
    ):
        with pytest.raises(RequestRefused, match="load the list first"):
            await read
    assert await stand.broker.read_quotes(instruments=(BARE,)) == ()
    assert stand.seen == []


async def test_a_lost_answer_is_unknown_and_nothing_is_sent_twice(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return ok({})

    stand.handler = hang_up
    assert isinstance(await stand.broker.place(order=ORDER), Unknown)
    monkeypatch.setattr(calls, "TIMEOUT_S", 0.05)
    gate = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        await gate.wait()
        return ok({})

    stand.handler = hang
    assert isinstance(await stand.broker.place(order=ORDER), Unknown)
    gate.set()
    assert len(stand.seen) == 2


async def test_without_a_session_nothing_is_sent(stand: Stand) -> None:
    stand.session = None
    outcome = await stand.broker.place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert outcome.kind is RejectKind.SESSION
    with pytest.raises(SessionRefused):
        await stand.broker.read_book(begun_at=0)
    with pytest.raises(SessionRefused):
        await stand.broker.open_feed(listener=Ear())
    assert stand.seen == []


async def test_reads(stand: Stand) -> None:
    answers: dict[str, Any] = {
        f"{S}/order/v1/getOrderBook": [order(), order(orderid="2", ordertag="other")],
        f"{S}/order/v1/details/5f0c1f7e-3d9a-4d1b-9a51-0c2a4d7e9b11": order(status="complete"),
        f"{S}/order/v1/getTradeBook": None,
        f"{S}/order/v1/getPosition": None,
        f"{S}/portfolio/v1/getHolding": None,
        f"{S}/user/v1/getRMS": {"net": "1.5"},
        f"{S}/order/v1/getLtpData": {"ltp": 3},
        f"{S}/margin/v1/batch": {"totalMarginRequired": 2.5},
        f"{S}/historical/v1/getCandleData": None,
    }

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/quote/"):
            return ok({"fetched": [{"exchange": "NSE", "symbolToken": "2885", "ltp": 2.5}]})
        return ok(answers[request.path])

    stand.handler = handle
    broker = stand.broker
    assert [row.read_at for row in await broker.read_book(begun_at=9)] == [9, 9]
    assert [row.broker_order_id for row in await broker.read_by_tag(tag=TAG.upper(), begun_at=9)] == ["260302000012345"]
    (row,) = await broker.read_order(broker_order_id="260302000012345", begun_at=9)
    assert row.status == "Filled"
    assert await broker.read_trades() == ()
    assert await broker.read_positions() == ()
    assert await broker.read_holdings() == ()
    assert (await broker.read_funds()).available == 15000
    assert (await broker.read_margin(orders=(ORDER,))).required == 25000
    assert (await broker.read_quotes(instruments=(RELIANCE,)))[0].price == 25000
    assert await broker.read_ltp(instruments=(RELIANCE,)) == {("NSE", "RELIANCE"): 30000}
    assert await broker.read_candles(instrument=RELIANCE, start=0, end=1) == ()


async def test_an_order_whose_second_id_is_not_known_is_looked_for_in_the_book(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return ok([order(), order(orderid="2")])

    stand.handler = handle
    assert [row.broker_order_id for row in await stand.broker.read_order(broker_order_id="2", begun_at=0)] == ["2"]
    assert stand.seen == [f"GET {S}/order/v1/getOrderBook"]


def test_second_ids_are_kept_within_bounds() -> None:
    ids = UniqueIds()
    for number in range(20_002):
        ids.learn(str(number), f"u{number}")
    assert (ids.of("0"), ids.of("1"), ids.of("2")) == (None, None, "u2")


async def test_the_list_of_the_day_needs_no_session_and_names_rows(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path == "/files/OpenAPI_File/files/OpenAPIScripMaster.json":
            assert "Authorization" not in request.headers
            answer = web.json_response([line(), option()])
            answer.enable_compression(web.ContentCoding.gzip)
            return answer
        row = order(exchange="NFO", symboltoken="48212", tradingsymbol="NIFTY26MAR2625000CE")
        return ok([row]) if "OrderBook" in request.path else ok({"orderid": "17"})

    stand.handler = handle
    session, stand.session = stand.session, None
    assert [one.symbol for one in await stand.broker.read_instruments(exchange="NFO")] == ["NIFTY26MAR25000CE"]
    assert [one.symbol for one in await stand.broker.read_instruments(exchange="NSE")] == ["RELIANCE"]
    stand.session = session
    (row,) = await stand.broker.read_book(begun_at=0)
    assert row.symbol == "NIFTY26MAR25000CE"
    assert isinstance(await stand.broker.place(order=msgspec.structs.replace(ORDER, instrument=BARE)), Accepted)


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [(500, "application/json", BrokerUnavailable), (200, "text/html", BadAnswer), (200, "application/json", BadAnswer)],
)
async def test_no_list(stand: Stand, status: int, kind: str, error: type[Exception]) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>", status=status, content_type=kind)

    stand.handler = handle
    with pytest.raises(error):
        await stand.broker.read_instruments(exchange="NSE")


async def test_many_instruments_and_long_ranges_take_several_calls(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market_reads, "QUOTE_PACE_S", 0.0)
    monkeypatch.setattr(market_reads, "CANDLE_PACE_S", 0.0)
    monkeypatch.setattr(market_reads, "LTP_PACE_S", 0.0)

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if "exchangeTokens" in body:
            tokens = body["exchangeTokens"]["NSE"]
            assert len(tokens) <= 50
            return ok({"fetched": [{"exchange": "NSE", "symbolToken": token, "ltp": 1} for token in tokens]})
        return ok({"ltp": 1} if "Ltp" in request.path else [])

    stand.handler = handle
    many = tuple(
        InstrumentRef(exchange="NSE", symbol=f"S{number}", token=pack(1, number), broker_symbol=f"S{number}-EQ")
        for number in range(1, 102)
    )
    assert len(await stand.broker.read_quotes(instruments=many)) == 101
    assert len(stand.seen) == 3
    assert len(await stand.broker.read_ltp(instruments=many[:3])) == 3
    assert len(stand.seen) == 6
    with pytest.raises(RequestRefused, match="takes 50"):
        await stand.broker.read_margin(orders=(ORDER,) * 51)
    assert await stand.broker.read_candles(instrument=RELIANCE, start=-61 * 86_400_000, end=0) == ()
    assert len(stand.seen) == 9
    await stand.broker.read_candles(instrument=RELIANCE, start=-61 * 86_400_000, end=0, interval=Interval.DAY)
    assert len(stand.seen) == 10


def _trigger(instrument: InstrumentRef, legs: int = 1) -> NewTrigger:
    found = tuple(TriggerLeg(trigger=1000000 + leg, price=990000, quantity=1) for leg in range(legs))
    return NewTrigger(instrument=instrument, side=Side.SELL, product=Product.DELIVERY, legs=found, last_price=1100000)


async def test_lasting_trigger_orders(stand: Stand) -> None:
    rule = {
        "id": "9",
        "status": "ACTIVE",
        "exchange": "NSE",
        "tradingsymbol": "RELIANCE-EQ",
        "symboltoken": "2885",
        "transactiontype": "SELL",
        "producttype": "DELIVERY",
        "price": "99.00",
        "triggerprice": "100.00",
        "qty": "1",
    }

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("ruleList"):
            page = (await request.json())["page"]
            return ok([rule] * (10 if page == 1 else 3))
        return ok({"id": "9"})

    stand.handler = handle
    triggers = stand.broker.triggers
    assert triggers is not None
    nine = Accepted(broker_order_id="9")
    assert await triggers.place(trigger=_trigger(RELIANCE, 2)) == nine
    assert await triggers.modify(trigger_id="9", trigger=_trigger(RELIANCE)) == nine
    assert await triggers.cancel(trigger_id="9", instrument=RELIANCE) == nine
    assert len(await triggers.read()) == 13
    assert len(stand.seen) == 5
    refused_change = await triggers.modify(trigger_id="9", trigger=_trigger(RELIANCE, 2))
    assert isinstance(refused_change, Rejected)
    assert isinstance(await triggers.place(trigger=_trigger(RELIANCE, 3)), Rejected)
    assert len(stand.seen) == 5


async def test_a_list_of_rules_without_an_end_is_an_error(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        row = {"id": 1, "status": "NEW", "exchange": "NSE", "tradingsymbol": "X-EQ", "transactiontype": "SELL"}
        more = {"producttype": "DELIVERY", "price": 1, "triggerprice": 1, "qty": 1}
        return ok([row | more] * 10)

    stand.handler = handle
    assert stand.broker.triggers is not None
    with pytest.raises(BadAnswer, match="does not end"):
        await stand.broker.triggers.read()


async def test_an_instrument_that_the_broker_does_not_know_has_no_price(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return refused("AB1009", "Symbol Not Found")

    stand.handler = handle
    assert await stand.broker.read_ltp(instruments=(RELIANCE,)) == {}


async def test_a_rate_limited_read(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(text="Access denied because of exceeding access rate", status=403)

    stand.handler = handle
    with pytest.raises(TooManyRequests):
        await stand.broker.read_positions()
    assert stand.over == []
    assert len(stand.seen) == 1


async def test_an_expired_session_is_told(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return refused("AG8002", "Token Expired", status=401)

    stand.handler = handle
    outcome = await stand.broker.cancel(order=order_ref("17", leg=Leg.ENTRY))
    assert isinstance(outcome, Rejected)
    assert outcome.session_over
    with pytest.raises(SessionRefused):
        await stand.broker.read_book(begun_at=0)
    assert stand.over == [1, 1]
