"""Packets and sockets of the simulated Dhan."""

import asyncio
import struct
from typing import Any

import aiohttp
import pytest
from algo_simulator.dhan import frames
from algo_simulator.dhan.names import SEGMENT_CODES
from algo_simulator.dhan.testing import CLIENT, FLAT, RELIANCE, DhanClient
from algo_simulator.testing import Sim, ticks

SHARE = ticks([("09:15:03", "1990.05"), ("09:15:04", "2000.10")])
INDEX = ticks([("09:15:03", "14500.25"), ("09:15:04", "14500.30")])


@pytest.fixture
def dhan(sim: Sim) -> DhanClient:
    return DhanClient(sim)


def subscribe(code: int, *instruments: tuple[str, str]) -> dict[str, Any]:
    listed = [{"ExchangeSegment": segment, "SecurityId": identity} for segment, identity in instruments]
    return {"RequestCode": code, "InstrumentCount": len(listed), "InstrumentList": listed}


async def packets(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[bytes]:
    return [await asyncio.wait_for(socket.receive_bytes(), 5) for _ in range(count)]


def test_published_lengths() -> None:
    assert frames.disconnect(805) == bytes.fromhex("320a0000000000002503")
    assert SEGMENT_CODES["BSE_FNO"] == 8


def test_the_time_of_a_packet_is_the_indian_wall_clock() -> None:
    # 2021-04-12 09:15:00 IST
    assert frames.wall_seconds(1_618_199_100_000) == 1_618_199_100 + 19_800


async def _two(dhan: DhanClient, sim: Sim) -> None:
    await dhan.world(
        {"NSE:RELIANCE": SHARE, "NSE:NIFTY": INDEX},
        symbols=["NSE:RELIANCE", "NSE:NIFTY"],
        previous_closes={"NSE:RELIANCE": "1980"},
        start_time="09:15:00",
    )


@pytest.mark.parametrize(("code", "packet", "length"), [(15, 2, 16), (17, 4, 50), (21, 8, 162)])
async def test_modes(dhan: DhanClient, sim: Sim, code: int, packet: int, length: int) -> None:
    await _two(dhan, sim)
    socket = await dhan.market_socket()
    await socket.send_json(subscribe(code, ("NSE_EQ", RELIANCE), ("IDX_I", "13"), ("NSE_EQ", "999999")))
    first = await packets(socket, 2)
    assert [frame[0] for frame in first] == [6, 6]
    assert struct.unpack("<BHBIfI", first[0]) == (6, 16, 1, 2885, 1980.0, 0)
    await sim.call("POST", "/worlds/w/start")
    assert (await packets(socket, 1))[0] == struct.pack("<BHBI", 7, 8, 1, 2885)
    told = await packets(socket, 4)
    for frame in told:
        assert (frame[0], len(frame), struct.unpack_from("<H", frame, 1)[0]) == (packet, length, length)
    share = next(frame for frame in told if frame[3] == 1)
    index = next(frame for frame in told if frame[3] == 0)
    assert struct.unpack_from("<If", share, 4) == (2885, pytest.approx(1990.05, abs=0.001))
    assert struct.unpack_from("<If", index, 4) == (13, pytest.approx(14500.25, abs=0.001))
    if code == 15:
        assert struct.unpack_from("<I", share, 12)[0] == frames.wall_seconds(1_618_199_103_000)
        return
    assert struct.unpack_from("<I", share, 14)[0] == frames.wall_seconds(1_618_199_103_000)
    assert struct.unpack_from("<HI", index, 12)[0] == 0
    assert struct.unpack_from("<III", index, 22) == (0, 0, 0)
    opened, close = struct.unpack_from("<ff", share, 34 if code == 17 else 46)
    assert (opened, close) == (pytest.approx(1990.05, abs=0.001), 1980.0)
    if code == 21:
        bid = struct.unpack_from("<IIHHff", share, 62)
        assert (bid[0], bid[2]) == (100, 1)
        assert (bid[4], bid[5]) == (pytest.approx(1990.0, abs=0.001), pytest.approx(1990.1, abs=0.001))


async def test_unsubscribed_is_silent(dhan: DhanClient, sim: Sim) -> None:
    await _two(dhan, sim)
    socket = await dhan.market_socket()
    await socket.send_json(subscribe(15, ("NSE_EQ", RELIANCE)))
    await socket.send_json(subscribe(15, ("IDX_I", "13")))
    await packets(socket, 2)
    await socket.send_json(subscribe(16, ("NSE_EQ", RELIANCE)))
    await socket.send_json(subscribe(17, ("IDX_I", "13")))
    await packets(socket, 1)
    await sim.call("POST", "/worlds/w/start")
    assert (await packets(socket, 1))[0][0] == 7
    told = await packets(socket, 4)
    assert {frame[3] for frame in told} == {0}
    assert sorted(frame[0] for frame in told) == [2, 2, 4, 4]


async def test_goodbye_and_the_binary_that_follows(dhan: DhanClient) -> None:
    await dhan.world()
    socket = await dhan.market_socket()
    await socket.send_bytes(b"\x0c\x53\x00" + bytes(80))
    await socket.send_json({"RequestCode": 12})
    await socket.send_bytes(b"\x0c\x53\x00" + bytes(80))
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def _reason(socket: aiohttp.ClientWebSocketResponse) -> int:
    (frame,) = await packets(socket, 1)
    if not socket.closed:
        # A refused client is closed once it has spoken.
        await socket.send_json({"RequestCode": 12})
    assert (await asyncio.wait_for(socket.receive(), 5)).type is aiohttp.WSMsgType.CLOSE
    assert (frame[0], len(frame)) == (50, 10)
    return int(struct.unpack_from("<H", frame, 8)[0])


async def test_reasons_of_a_disconnect(dhan: DhanClient) -> None:
    await dhan.world()
    first = dhan.token
    await dhan.consent_login()
    assert await _reason(await dhan.market_socket(first)) == 807
    assert await _reason(await dhan.market_socket("wrong")) == 808
    assert await _reason(await dhan.market_socket(clientId="")) == 810
    assert await _reason(await dhan.market_socket(version="1")) == 814
    socket = await dhan.market_socket()
    await socket.send_str("{")
    assert await _reason(socket) == 814
    socket = await dhan.market_socket()
    await socket.send_json(subscribe(15, *[("NSE_EQ", str(number)) for number in range(101)]))
    assert await _reason(socket) == 804


async def test_no_data_plan(dhan: DhanClient) -> None:
    await dhan.world(account={"quirks": ["no_data_plan"]})
    assert await _reason(await dhan.market_socket()) == 806
    status, answer = await dhan.call("POST", "/marketfeed/ltp", {"NSE_EQ": [2885]})
    assert (status, list(answer["data"])) == (401, ["806"])
    assert (await dhan.call("POST", "/charts/intraday", {}))[1]["errorCode"] == "DH-902"
    assert (await dhan.call("GET", "/profile"))[1]["dataPlan"] == "Deactive"


async def test_the_sixth_connection_pushes_the_oldest_out(dhan: DhanClient) -> None:
    await dhan.world()
    sockets = [await dhan.market_socket() for _ in range(6)]
    assert await _reason(sockets[0]) == 805
    await sockets[5].send_json(subscribe(15, ("NSE_EQ", RELIANCE)))
    assert (await packets(sockets[5], 1))[0][0] == 6


async def test_a_token_that_dies_ends_the_feed(dhan: DhanClient, sim: Sim) -> None:
    await dhan.world({"NSE:RELIANCE": SHARE}, start_time="09:15:00")
    socket = await dhan.market_socket()
    await socket.send_json(subscribe(15, ("NSE_EQ", RELIANCE)))
    await packets(socket, 1)
    await dhan.consent_login()
    await sim.call("POST", "/worlds/w/start")
    assert await _reason(socket) == 807


async def test_order_updates(dhan: DhanClient, sim: Sim) -> None:
    await dhan.standing_market()
    socket = await dhan.order_socket()
    await sim.until(lambda view: bool(sim.servers.worlds.get("w").world.accounts[CLIENT].streams))
    placed = await dhan.place(price=2010, correlationId="told")
    alerts = [await asyncio.wait_for(socket.receive_json(), 5) for _ in range(3)]
    assert {alert["Type"] for alert in alerts} == {"order_alert"}
    rows = [alert["Data"] for alert in alerts]
    assert [(row["status"], row["tradedQty"]) for row in rows] == [("Transit", 0), ("Pending", 0), ("Traded", 10)]
    last = rows[-1]
    assert last["orderNo"] == placed
    assert (last["correlationId"], last["avgTradedPrice"], last["tradedPrice"]) == ("told", 2000.0, 2000.0)
    assert (last["txnType"], last["product"], last["orderType"], last["segment"]) == ("B", "I", "LMT", "E")
    assert (last["remainingQuantity"], last["securityId"], last["clientId"]) == (0, RELIANCE, CLIENT)
    view = sim.servers.worlds.get("w").world.accounts[CLIENT].streams["orders"]
    assert view.frames == 3


async def test_order_updates_in_pascal_case(dhan: DhanClient, sim: Sim) -> None:
    await dhan.standing_market(account={"quirks": ["pascal_updates"]})
    socket = await dhan.order_socket()
    await sim.until(lambda view: bool(sim.servers.worlds.get("w").world.accounts[CLIENT].streams))
    placed = await dhan.place()
    alert = await asyncio.wait_for(socket.receive_json(), 5)
    assert (alert["Data"]["OrderNo"], alert["Data"]["TxnType"]) == (placed, "B")


@pytest.mark.parametrize("words", ["{", "[]", '{"LoginReq":{"MsgCode":42,"ClientId":"1000000003","Token":"x"}}'])
async def test_a_bad_login_is_cut_without_a_word(dhan: DhanClient, sim: Sim, words: str) -> None:
    await dhan.world({"NSE:RELIANCE": FLAT})
    socket = await sim.http.ws_connect(f"{dhan.root}/order-socket")
    await socket.send_str(words)
    message = await asyncio.wait_for(socket.receive(), 5)
    assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
