"""Reads and login over real sockets: whatever fails is an error, never an empty answer."""

from typing import Any

import msgspec
import pytest
from aiohttp import web
from algo_brokers.adapter_parts import AdapterParts
from algo_brokers.errors import BadAnswer, BrokerUnavailable, RequestRefused, SessionRefused
from algo_brokers.login import Credentials
from algo_brokers.outcomes import Rejected
from algo_brokers.records import InstrumentRef
from algo_brokers.registry import adapter_of
from algo_brokers.transports import create_client, create_http_transport
from algo_crds.contracts.orders import RejectKind
from order_samples import RELIANCE
from zerodha_stand import HELD, ORDER, SECRET, Ear, Stand, ok


async def test_reads(stand: Stand) -> None:
    order = {
        "order_id": "1",
        "status": "OPEN",
        "exchange": "NSE",
        "tradingsymbol": "RELIANCE",
        "product": "MIS",
        "transaction_type": "BUY",
        "order_type": "LIMIT",
        "quantity": 1,
    }
    answers: dict[str, Any] = {
        "/orders": [order],
        "/orders/1": [order, order],
        "/trades": [],
        "/portfolio/positions": {"net": [], "day": []},
        "/portfolio/holdings": [],
        "/user/margins/equity": {"net": 1.5},
        "/quote": {"NSE:RELIANCE": {"last_price": 2.5}},
        "/quote/ltp": {"NSE:RELIANCE": {"last_price": 2.5}},
        "/instruments/historical/5/minute": {"candles": []},
        "/session/token": True,
    }

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path == "/instruments/NSE":
            head = "instrument_token,tradingsymbol,name,tick_size,lot_size,instrument_type,segment,exchange\n"
            answer = web.Response(text=head + "5,RELIANCE,R,0.05,1,EQ,NSE,NSE\n", content_type="text/csv")
            answer.enable_compression(web.ContentCoding.gzip)
            return answer
        return ok(answers[request.path])

    stand.handler = handle
    broker = stand.broker
    (row,) = await broker.read_book(begun_at=9)
    assert row.read_at == 9
    assert len(await broker.read_order(broker_order_id="1", begun_at=0)) == 2
    assert await broker.read_trades() == ()
    assert await broker.read_positions() == ()
    assert await broker.read_holdings() == ()
    assert (await broker.read_funds()).available == 15000
    assert (await broker.read_quotes(instruments=(RELIANCE,)))[0].price == 25000
    assert await broker.read_ltp(instruments=(RELIANCE,)) == {("NSE", "RELIANCE"): 25000}
    assert await broker.read_candles(instrument=msgspec.structs.replace(RELIANCE, token=5), start=0, end=1) == ()
    assert (await broker.read_instruments(exchange="NSE"))[0].tick_size == 500
    assert broker.login.end is not None
    await broker.login.end(session=HELD)
    assert stand.seen[-1] == "DELETE /session/token"


async def test_an_instrument_list_of_another_type_is_refused(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>", content_type="text/html")

    stand.handler = handle
    with pytest.raises(BadAnswer):
        await stand.broker.read_instruments(exchange="NSE")


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


async def test_a_dead_session_is_told(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        body = {"status": "error", "error_type": "TokenException", "message": "over"}
        return web.json_response(body, status=403)

    stand.handler = handle
    outcome = await stand.broker.place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert outcome.session_over
    with pytest.raises(SessionRefused):
        await stand.broker.read_book(begun_at=0)
    assert stand.over == [1, 1]


async def test_login(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        if form["request_token"] != "good":
            body = {"status": "error", "error_type": "TokenException", "message": f"bad {form['request_token']!s}"}
            return web.json_response(body, status=403)
        return ok({"user_id": "SM0001", "api_key": "k", "access_token": "t", "login_time": "2026-03-02 08:41:10"})

    stand.handler = handle
    login = stand.broker.login
    assert login.begin is not None
    assert login.finish is not None
    keys = Credentials(client_id="SM0001", api_key="k", api_secret=SECRET)
    session = await login.finish(credentials=keys, callback={"request_token": "good", "status": "success"}, now=0)
    assert (session.client_id, session.access_token) == ("SM0001", "t")
    with pytest.raises(SessionRefused) as caught:
        await login.finish(credentials=keys, callback={"request_token": "evil-token"}, now=0)
    assert "evil-token" not in str(caught.value)
    for ended in ({}, {"request_token": "good", "status": "cancelled"}):
        with pytest.raises(RequestRefused):
            await login.finish(credentials=keys, callback=ended, now=0)
    url = await login.begin(credentials=keys, state="s")
    assert url.startswith(f"{stand.parts.endpoints.login}/connect/login?")
    real = adapter_of("zerodha").create_login(stand.parts.transport, adapter_of("zerodha").endpoints)
    assert real.begin is not None
    assert (await real.begin(credentials=keys, state="s")).startswith("https://kite.zerodha.com/connect/login?")


async def test_lost_reads_are_errors(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return ok([])

    stand.handler = handle
    with pytest.raises(BrokerUnavailable):
        await stand.broker.read_book(begun_at=0)
    assert stand.seen == ["GET /orders"]


async def test_reads_without_a_server() -> None:
    client = create_client()
    read = create_http_transport(client, base_url="http://127.0.0.1:9")
    adapter = adapter_of("zerodha")
    parts = AdapterParts(
        transport=lambda _base: read, write=read, current=lambda: HELD, now=lambda: 0, endpoints=adapter.endpoints
    )
    broker = adapter.create_broker(parts)
    with pytest.raises(BrokerUnavailable, match="could not connect"):
        await broker.read_book(begun_at=0)
    await client.aclose()


async def test_many_instruments_take_several_calls(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return ok({name: {"last_price": 1} for name in request.query.getall("i")})

    stand.handler = handle
    pairs = tuple(InstrumentRef(exchange="NSE", symbol=f"S{number}") for number in range(501))
    assert len(await stand.broker.read_quotes(instruments=pairs)) == 501
    assert stand.seen == ["GET /quote", "GET /quote"]
