"""The adapter over real sockets against a small stand-in server that answers, hangs, or hangs up."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.errors import BadAnswer, BrokerError, BrokerUnavailable, RequestRefused, SessionRefused
from algo_brokers.http import FORM
from algo_brokers.order_line import OrderLine, create_order_line
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_brokers.port import Broker, Change, FeedTick, NewOrder
from algo_brokers.session import Session
from algo_brokers.transports import create_client, create_http_transport
from algo_brokers.zerodha import Endpoints, adapter, create_zerodha_broker
from algo_crds.contracts.orders import OrderRow, OrderType, Product, RejectKind, Side

CANARY = "canarytoken42"
SECRET = "canarysecret43"
HELD = Session(
    broker="zerodha", client_id="SM0001", api_key="canarykey41", access_token=CANARY, login_time=0, valid_until=1
)
ORDER = NewOrder(
    tag="a12345678abce001",
    exchange="NSE",
    symbol="RELIANCE",
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=10,
    price=28700000,
    product=Product.INTRADAY,
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Stand:
    """The server and the adapter that points at it."""

    broker: Broker
    line: OrderLine
    seen: list[str] = field(default_factory=list)
    handler: Handler | None = None
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    session: Session | None = HELD
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def see(self, what: str) -> None:
        self.seen.append(what)
        self.more.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.seen) < count:
                self.more.clear()
                await self.more.wait()


def ok(data: Any) -> web.Response:
    return web.json_response({"status": "success", "data": data})


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    holder: list[Stand] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        here = holder[0]
        here.see(f"{request.method} {request.path}")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            here.sockets.append(socket)
            async for message in socket:
                here.see(str(message.data))
            return socket
        assert here.handler is not None
        return await here.handler(request)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}"
    client = create_client()
    line = create_order_line(url)
    broker = create_zerodha_broker(
        read=create_http_transport(client, base_url=url),
        write=line.send,
        current=lambda: holder[0].session,
        now=lambda: 77,
        endpoints=Endpoints(rest=url, ws=f"ws://127.0.0.1:{port}"),
    )
    holder.append(Stand(broker, line))
    yield holder[0]
    await line.close()
    await client.aclose()
    for socket in holder[0].sockets:
        await socket.close()
    await runner.cleanup()


async def test_place_modify_cancel_over_one_kept_connection(stand: Stand) -> None:
    ports = []

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"token canarykey41:{CANARY}"
        if request.method != "DELETE":
            assert request.content_type == FORM
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return ok({"order_id": "17"})

    stand.handler = handle
    accepted = Accepted(broker_order_id="17")
    await stand.line.warm()
    assert await stand.broker.place(order=ORDER) == accepted
    change = Change(broker_order_id="17", type=OrderType.LIMIT, quantity=10, price=1)
    assert await stand.broker.modify(change=change) == accepted
    assert await stand.broker.cancel(broker_order_id="17") == accepted
    assert stand.seen == ["POST /orders/regular", "PUT /orders/regular/17", "DELETE /orders/regular/17"]
    assert len(set(ports)) == 1


async def test_a_lost_answer_is_unknown_and_nothing_is_sent_twice(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return ok({})

    stand.handler = handle
    outcome = await stand.broker.place(order=ORDER)
    assert isinstance(outcome, Unknown)
    assert stand.seen == ["POST /orders/regular"]


async def test_a_time_out_is_unknown(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "TIMEOUT_S", 0.05)
    gate = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        await gate.wait()
        return ok({"order_id": "17"})

    stand.handler = handle
    outcome = await stand.broker.place(order=ORDER)
    gate.set()
    assert isinstance(outcome, Unknown)
    assert "no answer within" in outcome.reason
    assert stand.seen == ["POST /orders/regular"]


async def test_a_connection_that_the_server_closed_is_not_used_again(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        answer = ok({"order_id": "17"})
        answer.force_close()
        return answer

    stand.handler = handle
    for _ in range(3):
        assert isinstance(await stand.broker.place(order=ORDER), Accepted)


async def test_nonsense_on_the_wire_is_unknown() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-hello\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    line = create_order_line(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    broker = _broker(line)
    assert isinstance(await broker.place(order=ORDER), Unknown)
    await line.close()
    server.close()


def _broker(line: OrderLine) -> Broker:
    return create_zerodha_broker(read=line.send, write=line.send, current=lambda: HELD, now=lambda: 0)


async def test_no_connection_is_a_certain_refusal() -> None:
    probe = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = probe.sockets[0].getsockname()[1]
    probe.close()
    await probe.wait_closed()
    line = create_order_line(f"http://127.0.0.1:{port}")
    outcome = await _broker(line).place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert outcome.kind is RejectKind.BROKER_DOWN
    with pytest.raises(BrokerUnavailable):
        await _broker(line).read_book(begun_at=0)


async def test_orders_leave_through_the_egress_proxy(stand: Stand) -> None:
    asked = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head)
        if "Basic dTpw" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            await writer.drain()
            writer.close()
            return
        host, _, port = head.split()[1].partition(":")
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(4096):
                sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))

    async def handle(request: web.Request) -> web.StreamResponse:
        return ok({"order_id": "17"})

    stand.handler = handle
    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    target = str(stand.line.send.__self__._authority)  # type: ignore[attr-defined]
    line = create_order_line(f"http://{target}", proxy=f"http://u:p@127.0.0.1:{port}")
    assert isinstance(await _broker(line).place(order=ORDER), Accepted)
    assert asked[0].startswith(f"CONNECT {target} HTTP/1.1")
    await line.close()
    refused = create_order_line(f"http://{target}", proxy=f"http://127.0.0.1:{port}")
    outcome = await _broker(refused).place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert "407" in outcome.message
    server.close()


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
    assert (await broker.read_quotes(instruments=(("NSE", "RELIANCE"),)))[0].price == 25000
    assert await broker.read_ltp(instruments=(("NSE", "RELIANCE"),)) == {("NSE", "RELIANCE"): 25000}
    assert await broker.read_candles(token=5, start=0, end=1) == ()
    assert (await broker.read_instruments(exchange="NSE"))[0].tick_size == 500
    await broker.logout()
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
    told: list[int] = []
    broker = create_zerodha_broker(
        read=stand.line.send,
        write=stand.line.send,
        current=lambda: HELD,
        now=lambda: 0,
        session_over=lambda: told.append(1),
    )
    outcome = await broker.place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert outcome.session_over
    with pytest.raises(SessionRefused):
        await broker.read_book(begun_at=0)
    assert told == [1, 1]


async def test_login(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        if form["request_token"] != "good":
            body = {"status": "error", "error_type": "TokenException", "message": f"bad {form['request_token']!s}"}
            return web.json_response(body, status=403)
        return ok({"user_id": "SM0001", "api_key": "k", "access_token": "t", "login_time": "2026-03-02 08:41:10"})

    stand.handler = handle
    broker = stand.broker
    session = await broker.exchange_token(api_key="k", api_secret=SECRET, request_token="good", now=0)
    assert (session.client_id, session.access_token) == ("SM0001", "t")
    with pytest.raises(SessionRefused) as caught:
        await broker.exchange_token(api_key="k", api_secret=SECRET, request_token="evil-token", now=0)
    assert "evil-token" not in str(caught.value)
    assert broker.login_url(api_key="k", state="s").startswith("https://kite.zerodha.com/connect/login?")


class Ear:
    """Writes down what a feed says."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.something = asyncio.Event()

    def _hear(self, what: Any) -> None:
        self.heard.append(what)
        self.something.set()

    def on_ticks(self, ticks: list[FeedTick]) -> None:
        self._hear(ticks)

    def on_row(self, row: OrderRow) -> None:
        self._hear(row)

    def on_frame(self, frames: int) -> None:
        self._hear(frames)

    def on_connection(self, ordinal: int) -> None:
        self._hear(f"connection {ordinal}")

    def on_trouble(self, reason: str) -> None:
        self._hear(f"trouble: {reason}")

    def on_closed(self, reason: str) -> None:
        self._hear(f"closed: {reason}")

    async def until(self, count: int) -> list[Any]:
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                self.something.clear()
                await self.something.wait()
        return self.heard


async def test_feed(stand: Stand) -> None:
    ear = Ear()
    feed = await stand.broker.open_feed(listener=ear)
    feed.subscribe([738561])
    feed.unsubscribe([738561])
    await stand.until(4)
    assert [json.loads(text)["a"] for text in stand.seen[1:]] == ["subscribe", "mode", "unsubscribe"]
    (socket,) = stand.sockets
    await socket.send_str('{"type":"sim_connection","data":2}')
    await socket.send_bytes(bytes.fromhex("00010008000b450100046334"))
    await socket.send_bytes(b"\0")
    await socket.send_bytes(b"\0\x01")
    await socket.send_str('{"type":"error","data":"too many tokens"}')
    await socket.send_str("{")
    await socket.send_str('{"type":"message","data":"hello"}')
    await socket.ping()
    heard = await ear.until(12)
    assert heard[:5] == ["connection 2", 1, [FeedTick(738561, 28754000, 0, 0)], 2, 3]
    assert heard[5].startswith("trouble: market frame ends")
    assert heard[6:9] == [4, "trouble: too many tokens", 5]
    assert heard[9].startswith("trouble: market socket text")
    assert heard[10:] == [6, 7]
    await socket.close(code=1000)
    assert (await ear.until(13))[-1] == "closed: closed by the broker with code 1000"


async def test_order_rows_of_the_feed(stand: Stand) -> None:
    ear = Ear()
    await stand.broker.open_feed(listener=ear)
    await stand.until(1)
    order = {
        "order_id": "1",
        "status": "UPDATE",
        "exchange": "NSE",
        "tradingsymbol": "RELIANCE",
        "product": "MIS",
        "transaction_type": "BUY",
        "order_type": "LIMIT",
        "quantity": 10,
        "filled_quantity": 4,
    }
    (socket,) = stand.sockets
    await socket.send_str(json.dumps({"type": "order", "data": order}))
    await socket.send_str(json.dumps({"type": "order", "data": order | {"product": "BO"}}))
    heard = await ear.until(3)
    assert (heard[0].filled, heard[0].read_at) == (4, 77)
    assert heard[1:] == [1, 2]


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
    broker = create_zerodha_broker(read=read, write=read, current=lambda: HELD, now=lambda: 0)
    with pytest.raises(BrokerUnavailable, match="could not connect"):
        await broker.read_book(begun_at=0)
    await client.aclose()


async def test_many_instruments_take_several_calls(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return ok({name: {"last_price": 1} for name in request.query.getall("i")})

    stand.handler = handle
    pairs = tuple(("NSE", f"S{number}") for number in range(501))
    assert len(await stand.broker.read_quotes(instruments=pairs)) == 501
    assert stand.seen == ["GET /quote", "GET /quote"]


async def test_feed_of_a_dead_session(stand: Stand) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    broker = create_zerodha_broker(
        read=stand.line.send,
        write=stand.line.send,
        current=lambda: HELD,
        now=lambda: 0,
        endpoints=Endpoints(ws=f"ws://127.0.0.1:{port}"),
    )
    with pytest.raises(SessionRefused):
        await broker.open_feed(listener=Ear())
    server.close()
    await server.wait_closed()
    with pytest.raises(BrokerUnavailable) as caught:
        await broker.open_feed(listener=Ear())
    assert CANARY not in str(caught.value)


async def test_no_secret_in_any_log_or_error(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []

    async def echo(request: web.Request) -> web.StreamResponse:
        message = f"no: {request.headers.get('Authorization')} {await request.text()} {request.query_string}"
        body = {"status": "error", "error_type": "InputException", "message": message}
        return web.json_response(body, status=400)

    stand.handler = echo
    texts.append(repr(await stand.broker.place(order=ORDER)))
    for read in (stand.broker.read_trades, stand.broker.read_positions, stand.broker.logout):
        with pytest.raises(RequestRefused) as caught:
            await read()
        texts.append(repr(caught.value))
    with pytest.raises(BrokerError) as refused:
        await stand.broker.exchange_token(
            api_key="canarykey41", api_secret=SECRET, request_token="canaryrequest44", now=0
        )
    texts.append(repr(refused.value))
    feed = await stand.broker.open_feed(listener=Ear())
    await feed.close()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("aiohttp")]
    for canary in (CANARY, SECRET, "canarykey41", "canaryrequest44"):
        assert not [text for text in texts + ours if canary in text]
