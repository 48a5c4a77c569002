"""The market and order socket, and that no secret leaves in a log or an error."""

import asyncio
import dataclasses
import json
import logging
from functools import partial

import pytest
from aiohttp import web
from algo_brokers.errors import BrokerError, BrokerUnavailable, RequestRefused, SessionRefused
from algo_brokers.login import Credentials
from algo_brokers.records import FeedTick
from algo_brokers.registry import adapter_of
from zerodha_stand import CANARY, HELD, ORDER, SECRET, Ear, Stand


async def test_feed(stand: Stand) -> None:
    ear = Ear()
    feed = await stand.broker.open_feed(listener=ear)
    feed.subscribe([738561])
    feed.unsubscribe([738561])
    await stand.until(4)
    assert [json.loads(text)["a"] for text in stand.seen[1:]] == ["subscribe", "mode", "unsubscribe"]
    (socket,) = stand.sockets
    await socket.send_str('{"type":"instruments_meta","data":{}}')
    await socket.send_bytes(bytes.fromhex("00010008000b450100046334"))
    await socket.send_bytes(b"\0")
    await socket.send_bytes(b"\0\x01")
    await socket.send_str('{"type":"error","data":"too many tokens"}')
    await socket.send_str("{")
    await socket.send_str('{"type":"message","data":"hello"}')
    await socket.ping()
    heard = await ear.until(11)
    assert heard[:4] == [1, [FeedTick(738561, 28754000, 0, 0)], 2, 3]
    assert heard[4].startswith("trouble: market frame ends")
    assert heard[5:8] == [4, "trouble: too many tokens", 5]
    assert heard[8].startswith("trouble: market socket text")
    assert heard[9:] == [6, 7]
    await socket.close(code=1000)
    assert (await ear.until(12))[-1] == "closed: closed by the broker with code 1000"


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


async def test_feed_of_a_dead_session(stand: Stand) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    adapter = adapter_of("zerodha")
    broker = adapter.create_broker(
        dataclasses.replace(stand.parts, endpoints=adapter.simulated(f"http://127.0.0.1:{port}"))
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
    login = stand.broker.login
    assert login.end is not None
    assert login.finish is not None
    for read in (stand.broker.read_trades, stand.broker.read_positions, partial(login.end, session=HELD)):
        with pytest.raises(RequestRefused) as caught:
            await read()
        texts.append(repr(caught.value))
    keys = Credentials(client_id="SM0001", api_key="canarykey41", api_secret=SECRET)
    texts.append(repr(keys))
    with pytest.raises(BrokerError) as refused:
        await login.finish(credentials=keys, callback={"request_token": "canaryrequest44"}, now=0)
    texts.append(repr(refused.value))
    feed = await stand.broker.open_feed(listener=Ear())
    await feed.close()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("aiohttp")]
    for canary in (CANARY, SECRET, "canarykey41", "canaryrequest44"):
        assert not [text for text in texts + ours if canary in text]
