"""Both sockets, and that no secret leaves in a log or an error."""

import asyncio
import dataclasses
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.angelone import feed as feed_module
from algo_brokers.angelone.names import pack
from algo_brokers.errors import BrokerError, SessionRefused, TooManyRequests
from algo_brokers.records import FeedTick
from algo_brokers.registry import adapter_of
from algo_brokers.socket import StreamSpec
from angelone_samples import AT, LTP, QUOTE, order
from angelone_stand import CANARIES, HELD, KEYS, ORDER, PIN, TOTP_SECRET, Ear, Stand, ok
from order_samples import order_ref

RELIANCE = pack(1, 2885)


def update(code: str, **changes: Any) -> str:
    return json.dumps({"status-code": "200", "order-status": code, "error-message": "", "orderData": order(**changes)})


async def test_both_sockets(stand: Stand) -> None:
    ear = Ear()
    feed = await stand.broker.open_feed(listener=ear)
    feed.subscribe([RELIANCE])
    feed.subscribe([pack(6, 1)])
    feed.unsubscribe([RELIANCE])
    await stand.until(4)
    assert stand.seen[:2] == ["GET /market-socket", "GET /order-socket"]
    assert [json.loads(text)["action"] for text in stand.seen[2:]] == [1, 0]
    assert (await ear.until(1)) == [
        "trouble: 1 instruments are without prices: one connection takes 1,000 of this broker's own"
    ]
    market, orders = stand.sockets
    await market.send_bytes(bytes.fromhex(QUOTE))
    await market.send_bytes(bytes.fromhex(QUOTE))
    await market.send_bytes(b"pong")
    await market.send_str("pong")
    await market.send_bytes(bytes.fromhex(LTP)[:-1])
    await market.send_str('{"errorCode":"E1002","errorMessage":"quota"}')
    heard = await ear.until(10)
    assert heard[1:6] == [[FeedTick(RELIANCE, 28754000, AT, 1834500)], 1, 2, 3, 4]
    assert heard[6].startswith("trouble: market packet")
    assert heard[7:] == [5, "trouble: the market socket refused a request: E1002 quota", 6]
    await orders.send_str(update("AB00"))
    await orders.send_str(update("AB01", filledshares="4"))
    await orders.send_bytes(update("AB05", producttype="BO", ordertag="").encode())
    await orders.send_str("pong")
    await orders.send_str(update("AB99"))
    heard = await ear.until(17)
    assert heard[10] == "orders 1"
    assert (heard[11].filled, heard[11].read_at, heard[11].symbol) == (4, 77, "RELIANCE")
    assert heard[12:15] == ["orders 2", "orders 3", "orders 4"]
    assert heard[15].startswith("trouble: order update of the unknown kind")
    await orders.close(code=1000)
    assert (await ear.until(18))[-1] == "closed: closed by the broker with code 1000"


async def test_an_update_teaches_the_second_id(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return ok(order())

    stand.handler = handle
    ear = Ear()
    await stand.broker.open_feed(listener=ear)
    await stand.until(2)
    await stand.sockets[1].send_str(update("AB01"))
    await ear.until(2)
    assert len(await stand.broker.read_order(broker_order_id="260302000012345", begun_at=0)) == 1
    assert stand.seen[-1].endswith("/details/5f0c1f7e-3d9a-4d1b-9a51-0c2a4d7e9b11")


async def test_a_heartbeat_goes_out_on_both(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "PING_S", 0.01)
    feed = await stand.broker.open_feed(listener=Ear())
    async with asyncio.timeout(5):
        while stand.seen.count("ping") < 4:
            stand.more.clear()
            await stand.more.wait()
    await feed.close()


async def test_a_mute_socket_ends_the_feed(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "SILENCE_S", 0.02)
    ear = Ear()
    await stand.broker.open_feed(listener=ear)
    assert (await ear.until(1)) == ["closed: nothing heard for 0.02 s"]


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answering(head: bytes, seen: list[str]) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(head + b"\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    return serve


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\nx-error-message: Invalid Header - Invalid Feed Token", SessionRefused),
        (b"HTTP/1.1 403 Forbidden", SessionRefused),
        (b"HTTP/1.1 429 Too Many Requests", TooManyRequests),
    ],
)
async def test_refused_handshakes(stand: Stand, head: bytes, error: type[BrokerError]) -> None:
    seen: list[str] = []
    server = await asyncio.start_server(answering(head, seen), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    adapter = adapter_of("angelone")
    broker = adapter.create_broker(dataclasses.replace(stand.parts, endpoints=adapter.simulated(url)))
    with pytest.raises(error) as caught:
        await broker.open_feed(listener=Ear())
    server.close()
    assert not [secret for secret in CANARIES.values() if secret in str(caught.value)]
    head_lines = [line.lower() for line in seen[0].splitlines()]
    for expected in (
        f"authorization: {HELD.access_token}",
        f"x-api-key: {HELD.api_key}",
        f"x-client-code: {HELD.client_id.lower()}",
        f"x-feed-token: {HELD.feed_token}",
    ):
        assert expected in head_lines


async def test_no_secret_in_any_log_or_error(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    echo_of_a_code: list[str] = []

    async def echo(request: web.Request) -> web.StreamResponse:
        sent = await request.text()
        echo_of_a_code.extend(json.loads(sent).get("totp", "") for _ in (1,) if sent)
        message = f"no: {dict(request.headers)} {sent}"
        return web.json_response({"status": False, "message": message, "errorcode": "AB1008", "data": None})

    stand.handler = echo
    login = stand.broker.login
    assert login.direct is not None
    assert login.finish is not None
    assert login.renew is not None
    assert login.end is not None
    texts.append(repr(await stand.broker.place(order=ORDER)))
    texts.append(repr(await stand.broker.cancel(order=order_ref("17"))))
    page = {"auth_token": "canarypage46", "feed_token": "canarypage47", "refresh_token": "canarypage48"}
    calls: list[Awaitable[Any]] = [
        stand.broker.read_positions(),
        stand.broker.read_book(begun_at=0),
        login.direct(credentials=KEYS, now=AT),
        login.finish(credentials=KEYS, callback=page, now=AT),
        login.renew(credentials=KEYS, session=HELD, now=AT),
        login.end(session=HELD),
    ]
    for call in calls:
        with pytest.raises(BrokerError) as caught:
            await call
        texts.append(repr(caught.value))
    texts += [repr(KEYS), repr(HELD)]
    feed = await stand.broker.open_feed(listener=Ear())
    await feed.close()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("aiohttp")]
    for canary in (*CANARIES.values(), PIN, TOTP_SECRET, *page.values()):
        assert not [text for text in texts + ours if canary in text], canary


def test_a_socket_shows_neither_address_nor_headers() -> None:
    def deaf(payload: bytes) -> None:
        raise AssertionError(payload)

    spec = StreamSpec(url="ws://x/?token=canary", headers={"Authorization": "canary"}, on_binary=deaf, on_text=deaf)
    assert "canary" not in repr(spec)
