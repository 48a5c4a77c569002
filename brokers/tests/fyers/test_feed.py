"""Both sockets as one feed, over real connections."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.errors import BrokerUnavailable, SessionRefused
from algo_brokers.fyers import feed, hsm_frames, limits, order_stream
from algo_brokers.fyers import stream as hsm
from algo_brokers.records import FeedTick
from algo_crds.contracts.orders import OrderRow
from fyers_stand import (
    APP,
    AUTH_NO,
    AUTH_OK,
    KEY,
    ORDERS_OK,
    SOCKET_ROW,
    TOKEN,
    Ear,
    Stand,
    data_frame,
    open_ready,
    serve_no_files,
    snapshot,
    update,
)

SBIN = 10100000003045
NIFTY = 101000000026000
ACK_EACH_TWO = bytes.fromhex("000d010201" + "00014b" + "02000400000002")


def _text(frame: bytes) -> str:
    return str(frame)


async def test_opening_says_who_we_are_and_nothing_more(stand: Stand) -> None:
    ear = Ear()
    opened = await open_ready(stand, ear)
    market, orders = stand.handshakes
    assert "authorization" not in market
    assert orders["authorization"] == f"{APP}:{TOKEN}"
    assert set(stand.seen[:3]) == {
        "GET /files/sym_details/index_hsm_mapping.json",
        "GET /market-socket",
        "GET /order-socket",
    }
    assert _text(hsm_frames.auth(KEY)) in stand.seen
    assert _text(hsm_frames.mode()) in stand.seen
    assert '{"T":"SUB_ORD","SLIST":["orders"],"SUB_T":1}' in stand.seen
    await opened.close()
    heard = await ear.until(3)
    assert heard[:2] in ([1, "orders 1"], ["orders 1", 1])
    assert str(heard[2]).startswith("closed:")


async def test_ticks_rows_and_frames(stand: Stand) -> None:
    ear = Ear()
    opened = await open_ready(stand, ear)
    await ear.until(2)
    opened.subscribe([SBIN, SBIN])
    await stand.until(7)
    assert stand.seen[6] == _text(hsm_frames.subscribe(["sf|nse_cm|3045"])[0])
    market, orders = stand.sockets
    await market.send_bytes(data_frame(1, snapshot(3, "sf|nse_cm|3045", [60050, 5, 7, 1795405811])))
    heard = await ear.until(4)
    assert heard[2:] == [[FeedTick(SBIN, 600_5000, 1795405811_000, 5)], 2]
    await orders.send_json({"orders": SOCKET_ROW, "s": "ok"})
    await orders.send_json({"orders": {**SOCKET_ROW, "product_type": "MTF", "ordertag": ""}, "s": "ok"})
    await orders.send_str("pong")
    heard = await ear.until(8)
    assert isinstance(heard[4], OrderRow)
    assert heard[5:] == ["orders 2", "orders 3", "orders 4"]
    opened.unsubscribe([SBIN, 5])
    await stand.until(8)
    assert stand.seen[7] == _text(hsm_frames.unsubscribe(["sf|nse_cm|3045"])[0])
    await market.send_bytes(data_frame(2, update(3, [60055])))
    assert (await ear.until(9))[8] == 3
    await opened.close()


async def test_trouble_is_told_and_the_connection_goes_on(stand: Stand) -> None:
    ear = Ear()
    opened = await open_ready(stand, ear)
    await ear.until(2)
    market, orders = stand.sockets
    await market.send_bytes(b"\x00\x00\x33\x02\x01\x00\x04\x00\x00\xc7\x39\x02\x00\x04full")
    await market.send_bytes(bytes([0, 6, 4, 1, 1, 0, 1, ord("N")]))
    await market.send_bytes(bytes([0, 6, 4, 1, 1, 0, 1, ord("K")]))
    await market.send_bytes(b"\x00\x05\x0dabc")
    await market.send_str("unexpected")
    assert [one for one in await ear.until(9) if isinstance(one, str)][1:] == [
        "trouble: market socket: full (51001)",
        "trouble: the market socket refused a request of type subscribed",
    ]
    await market.send_bytes(b"\x00")
    await orders.send_str("nonsense")
    await orders.send_json({"s": "error", "code": -300, "message": "bad list"})
    told = [one for one in await ear.until(15) if str(one).startswith("trouble")][2:]
    assert len(told) == 3
    assert "trouble: bad list (-300)" in told
    assert not any(str(one).startswith("closed") for one in ear.heard)
    opened.subscribe([5])
    assert "no fyToken" in str((await ear.until(16))[15])
    await opened.close()


async def test_a_frame_that_was_lost_takes_the_kept_prices_along(stand: Stand) -> None:
    ear = Ear()
    opened = await open_ready(stand, ear)
    opened.subscribe([SBIN])
    market = stand.sockets[0]
    await market.send_bytes(data_frame(1, snapshot(3, "sf|nse_cm|3045", [60050, 5, 7, 1795405811])))
    await market.send_bytes(data_frame(2, update(3, [60070]))[:-1])
    await market.send_bytes(data_frame(3, update(3, [hsm.ABSENT, 6, 7, 1795405812])))
    await market.send_bytes(data_frame(4, update(3, [60080])))
    heard = await ear.until(9)
    ticks = [one for one in heard if isinstance(one, list)]
    assert ticks == [
        [FeedTick(SBIN, 600_5000, 1795405811_000, 5)],
        [FeedTick(SBIN, 600_8000, 1795405812_000, 6)],
    ]
    await opened.close()


async def test_acknowledgements_as_often_as_the_broker_wants(stand: Stand) -> None:
    ear = Ear()
    opened = await open_ready(stand, ear, ACK_EACH_TWO)
    for message in (5, 6, 7, 8):
        await stand.sockets[0].send_bytes(data_frame(message))
    await stand.until(8)
    assert stand.seen[6:] == [_text(hsm_frames.acknowledge(6)), _text(hsm_frames.acknowledge(8))]
    await opened.close()


async def test_an_index_is_asked_for_by_the_exchanges_name(stand: Stand) -> None:
    line = (
        "101000000026000,NIFTY50-INDEX,10,0,0.05,,0915-1530:,2024-06-25,,NSE:NIFTY50-INDEX,10,10,26000,"
        "NIFTY,26000,-1.0,XX,101000000026000"
    )
    names: list[Any] = ["Nifty 50 by file"]

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("NSE_CM.csv"):
            return web.Response(text=line)
        if request.path.endswith("index_hsm_mapping.json") and names:
            return web.json_response({"NSE:NIFTY50-INDEX": names.pop()})
        return web.Response(status=404)

    stand.handler = handle
    await stand.broker.read_instruments(exchange="NSE")
    for name in ("Nifty 50 by file", "Nifty 50"):
        before = len(stand.seen)
        opened = await open_ready(stand, Ear())
        opened.subscribe([NIFTY])
        await stand.until(before + 7)
        assert stand.seen[-1] == _text(hsm_frames.subscribe([f"if|nse_cm|{name}"])[0])
        await opened.close()


async def test_a_file_of_names_that_cannot_be_read_does_not_keep_the_feed_shut(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>")

    stand.handler = handle
    opened = await open_ready(stand, Ear())
    await opened.close()


@pytest.mark.parametrize(
    ("auth", "orders"), [(AUTH_NO, ORDERS_OK), (AUTH_OK, '{"s":"error","code":-16,"message":"no"}')]
)
async def test_a_refused_login_is_a_refused_session(stand: Stand, auth: bytes, orders: str) -> None:
    ear = Ear()
    with pytest.raises(SessionRefused):
        await open_ready(stand, ear, auth, orders)
    assert not any(str(one).startswith("closed") for one in ear.heard)


async def test_a_socket_that_goes_during_the_login(stand: Stand) -> None:
    stand.handler = serve_no_files
    opening = asyncio.create_task(stand.broker.open_feed(listener=Ear()))
    await stand.until(6)
    await stand.sockets[1].close()
    with pytest.raises(BrokerUnavailable, match="closed during the login"):
        await opening


@pytest.mark.parametrize(("speaks", "silent"), [(False, "market"), (True, "order")])
async def test_a_socket_that_says_nothing(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, speaks: bool, silent: str
) -> None:
    monkeypatch.setattr(feed, "READY_S", 0.2)
    stand.handler = serve_no_files
    opening = asyncio.create_task(stand.broker.open_feed(listener=Ear()))
    await stand.until(6)
    if speaks:
        await stand.sockets[0].send_bytes(AUTH_OK)
    with pytest.raises(BrokerUnavailable, match=f"the {silent} socket did not answer"):
        await opening


async def test_the_end_of_one_socket_is_the_end_of_the_feed(stand: Stand) -> None:
    ear = Ear()
    await open_ready(stand, ear)
    await stand.sockets[1].close()
    assert str((await ear.until(3))[2]).startswith("closed: closed by the broker")
    async with asyncio.timeout(5):
        while not stand.sockets[0].closed:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)


async def test_heartbeats(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hsm_frames, "PING_EVERY_S", 0.02)
    monkeypatch.setattr(order_stream, "PING_EVERY_S", 0.02)
    opened = await open_ready(stand, Ear())
    await stand.until(10)
    assert {str(hsm_frames.PING), "ping"} <= set(stand.seen)
    await opened.close()


async def test_the_connections_limit_of_instruments(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOKENS_PER_CONNECTION", 2)
    monkeypatch.setattr(limits, "MESSAGE_GAP_S", 0.0)
    monkeypatch.setattr(hsm_frames, "TOKENS_PER_MESSAGE", 1)
    ear = Ear()
    opened = await open_ready(stand, ear)
    await ear.until(2)
    opened.subscribe([SBIN, SBIN + 1, SBIN + 2])
    await stand.until(8)
    assert stand.seen[6:] == [
        _text(hsm_frames.subscribe(["sf|nse_cm|3045"])[0]),
        _text(hsm_frames.subscribe(["sf|nse_cm|3046"])[0]),
    ]
    assert "takes 2 of" in str((await ear.until(3))[2])
    await opened.close()
