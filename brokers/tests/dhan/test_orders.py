"""Writes and reads over real sockets: sent once, and unknown where the answer was not seen."""

import json
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.dhan import reads
from algo_brokers.errors import BrokerUnavailable, RequestRefused, SessionRefused
from algo_brokers.login import Credentials
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_brokers.records import Change, Funds, InstrumentRef, Interval, Margin
from algo_crds.contracts.orders import OrderType, RejectKind
from dhan_samples import AUTHENTICATOR, HEADER, MONTHLY, PROFILE, SHARE, TOKEN, WEEKLY
from dhan_stand import (
    CANARY,
    CLIENT,
    HDFC,
    HELD,
    KEY,
    OPTION,
    ORDER,
    SECRET,
    TAG,
    Stand,
    answer,
    error,
    handler,
    order,
    order_ref,
)
from order_samples import new_order

GOOD = answer(200, {"orderId": "17", "orderStatus": "TRANSIT"})


async def test_place_modify_cancel(stand: Stand) -> None:
    bodies: list[Any] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.headers["access-token"] == CANARY
        assert request.headers["client-id"] == CLIENT
        text = await request.text()
        bodies.append(json.loads(text) if text else None)
        return web.json_response({"orderId": "17", "orderStatus": "TRANSIT"})

    stand.handler = handle
    accepted = Accepted(broker_order_id="17")
    assert await stand.broker.place(order=ORDER) == accepted
    change = Change(order=order_ref("17", instrument=HDFC), type=OrderType.LIMIT, quantity=10, price=1)
    assert await stand.broker.modify(change=change) == accepted
    assert await stand.broker.cancel(order=order_ref("17", instrument=HDFC)) == accepted
    assert stand.seen == ["POST /v2/orders", "PUT /v2/orders/17", "DELETE /v2/orders/17"]
    assert bodies[0]["securityId"] == "1333"
    assert bodies[2] is None


async def test_a_lost_answer_is_unknown_and_nothing_is_sent_twice(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    stand.handler = handle
    assert isinstance(await stand.broker.place(order=ORDER), Unknown)
    assert stand.seen == ["POST /v2/orders"]
    with pytest.raises(BrokerUnavailable):
        await stand.broker.read_book(begun_at=1)


async def test_a_dead_session_is_told_once_for_each_answer(stand: Stand) -> None:
    stand.handler = handler(error(400, "DH-906", "Invalid Token"))
    outcome = await stand.broker.place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, stand.over) == (RejectKind.SESSION, [1])
    with pytest.raises(SessionRefused):
        await stand.broker.read_funds()
    assert stand.over == [1, 1]
    stand.session = None
    outcome = await stand.broker.place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert outcome.kind is RejectKind.SESSION
    with pytest.raises(SessionRefused):
        await stand.broker.read_funds()
    assert len(stand.seen) == 2


async def test_an_instrument_without_a_token(stand: Stand) -> None:
    nameless = new_order(instrument=InstrumentRef(exchange="NSE", symbol="RELIANCE"))
    outcome = await stand.broker.place(order=nameless)
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, stand.seen) == (RejectKind.ORDER_OTHER, [])
    with pytest.raises(RequestRefused, match="read the list first"):
        await stand.broker.read_margin(orders=(nameless,))
    with pytest.raises(RequestRefused, match="read the list first"):
        await stand.broker.read_candles(instrument=nameless.instrument, start=0, end=1)
    with pytest.raises(RequestRefused, match="read the list first"):
        await stand.broker.read_candles(instrument=OPTION, start=0, end=1)
    assert await stand.broker.read_quotes(instruments=(nameless.instrument,)) == ()


async def test_the_list_teaches_tokens_and_names(stand: Stand) -> None:
    stand.session = None  # the list is public
    text = "\n".join((HEADER, SHARE, WEEKLY, MONTHLY))

    async def handle(request: web.Request) -> web.StreamResponse:
        assert "access-token" not in request.headers
        return web.Response(text=text, content_type="text/csv")

    stand.handler = handle
    (share,) = await stand.broker.read_instruments(exchange="NSE")
    options = await stand.broker.read_instruments(exchange="NFO")
    assert [one.symbol for one in options] == ["NIFTY26D0126000CE", "NIFTY26DEC26050.5PE"]
    assert stand.seen == ["GET /files/api-data/api-scrip-master.csv"] * 2
    stand.session = HELD
    stand.handler = handler(GOOD)
    assert await stand.broker.place(order=new_order()) == Accepted(broker_order_id="17")
    stand.handler = handler(answer(200, [order(securityId="49081", exchangeSegment="NSE_FNO", tradingSymbol="N")]))
    (row,) = await stand.broker.read_book(begun_at=3)
    assert (row.exchange, row.symbol) == ("NFO", "NIFTY26D0126000CE")
    assert share.ref.token


async def test_an_order_and_a_tag_are_looked_up_and_the_book_decides(stand: Stand) -> None:
    mine, other = order(orderId="17"), order(orderId="18", correlationId="a12345678abcx001")
    by_tag, by_id = stand.broker.read_by_tag, stand.broker.read_order
    stand.handler = handler(answer(200, [mine]))
    assert [row.broker_order_id for row in await by_tag(tag=TAG.upper(), begun_at=3)] == ["17"]
    assert [row.read_at for row in await by_id(broker_order_id="17", begun_at=3)] == [3]
    assert stand.seen == [f"GET /v2/orders/external/{TAG.upper()}", "GET /v2/orders/17"]
    for nothing in (answer(200, []), error(400, "DH-905", "no such order")):
        stand.seen.clear()
        stand.handler = handler(nothing, answer(200, [other, mine]))
        assert [row.broker_order_id for row in await by_tag(tag=TAG, begun_at=3)] == ["17"]
        stand.handler = handler(nothing, answer(200, [other]))
        assert await by_id(broker_order_id="17", begun_at=3) == ()
        assert stand.seen[1::2] == ["GET /v2/orders"] * 2
    stand.handler = handler(error(500, "DH-908"))
    with pytest.raises(BrokerUnavailable):
        await by_tag(tag=TAG, begun_at=3)


async def test_the_account(stand: Stand) -> None:
    stand.handler = handler(answer(200, []))
    assert await stand.broker.read_trades() == ()
    assert await stand.broker.read_positions() == ()
    assert await stand.broker.read_holdings() == ()
    stand.handler = handler(answer(200, {"availabelBalance": 5.5}))
    assert await stand.broker.read_funds() == Funds(available=55000)
    stand.handler = handler(answer(200, {"totalMargin": 5.5}))
    assert await stand.broker.read_margin(orders=(ORDER,)) == Margin(required=55000)
    assert [one.split("/")[-1] for one in stand.seen] == [
        "trades",
        "positions",
        "holdings",
        "fundlimit",
        "margincalculator",
    ]


async def test_quotes_and_bars(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(reads, "sleep", pause)
    stand.handler = handler(answer(200, {"data": {"NSE_EQ": {"1333": {"last_price": 1605.5}}}, "status": "success"}))
    assert [quote.price for quote in await stand.broker.read_quotes(instruments=(HDFC,))] == [16055000]
    assert await stand.broker.read_ltp(instruments=(HDFC,)) == {("NSE", "HDFCBANK"): 16055000}
    many = tuple(InstrumentRef(exchange="NSE", symbol=str(n), token=1 << 32 | n) for n in range(1, 1_002))
    await stand.broker.read_ltp(instruments=many)
    assert stand.seen == ["POST /v2/marketfeed/quote"] + ["POST /v2/marketfeed/ltp"] * 3
    assert pauses == [1.1]  # one call a second
    stand.seen.clear()
    asked: list[Any] = []
    day = 86_400_000

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        column = [1.0]
        names = ("open", "high", "low", "close", "volume")
        return web.json_response(dict.fromkeys(names, column) | {"timestamp": [len(asked) * 89 * day / 1000]})

    stand.handler = handle
    bars = await stand.broker.read_candles(instrument=HDFC, start=0, end=180 * day)
    assert [bar.time for bar in bars] == [89 * day, 178 * day]
    assert [one["fromDate"][:10] for one in asked] == ["1970-01-01", "1970-04-01", "1970-06-30"]
    assert pauses == [1.1, 0.25, 0.25]
    asked.clear()
    await stand.broker.read_candles(instrument=HDFC, start=0, end=400 * day, interval=Interval.DAY)
    assert (len(asked), stand.seen[-1]) == (1, "POST /v2/charts/historical")


async def test_every_way_in(stand: Stand) -> None:
    login = stand.broker.login
    assert login.begin is not None
    assert login.finish is not None
    assert login.direct is not None
    assert login.renew is not None
    assert (login.end, login.state_in_redirect) == (None, False)
    keys = Credentials(client_id=CLIENT, api_key=KEY, api_secret=SECRET, pin="123456", totp_secret=AUTHENTICATOR)
    stand.handler = handler(answer(200, {"consentAppId": "c", "status": "success"}))
    page = await login.begin(credentials=keys, state="not sent")
    assert page.endswith("/auth/login/consentApp-login?consentAppId=c")
    stand.handler = handler(answer(200, TOKEN))
    by_page = await login.finish(credentials=keys, callback={"tokenId": "t"}, now=5)
    by_code = await login.direct(credentials=keys, now=5)
    assert by_page.access_token == by_code.access_token == CANARY
    assert (by_page.api_key, by_code.api_key) == (KEY, "")
    fresh = await login.renew(credentials=keys, session=by_page, now=6)
    assert (fresh.api_key, fresh.login_time) == (KEY, 6)
    stand.handler = handler(answer(200, PROFILE))
    pasted = Credentials(client_id=CLIENT, access_token=CANARY)
    assert (await login.direct(credentials=pasted, now=5)).valid_until > 0
    assert stand.seen == [
        "POST /auth/app/generate-consent",
        "GET /auth/app/consumeApp-consent",
        "POST /auth/app/generateAccessToken",
        "GET /v2/RenewToken",
        "GET /v2/profile",
    ]
    stand.handler = handler(error(400, "DH-906", "Invalid Token"))
    with pytest.raises(SessionRefused):
        await login.renew(credentials=keys, session=by_page, now=6)
