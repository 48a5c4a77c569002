"""Faults, lockstep and bad input at the sockets of the simulated Dhan."""

import asyncio
from typing import Any

import aiohttp
import pytest
from algo_crds.contracts.world import CONNECTION_HEADER, Beat
from algo_simulator.dhan import market_socket
from algo_simulator.dhan.testing import CLIENT, RELIANCE, DhanClient
from algo_simulator.sockets import Connection
from algo_simulator.testing import Player, Sim, ticks
from hypothesis import given
from hypothesis import strategies as st

ROWS = ticks([("09:15:00", "2000"), ("09:15:01", "2000"), ("09:15:02", "2000.5"), ("09:15:03", "2001")])
TICKERS = {"RequestCode": 15, "InstrumentCount": 1}
SUBSCRIBE = {**TICKERS, "InstrumentList": [{"ExchangeSegment": "NSE_EQ", "SecurityId": RELIANCE}]}


@pytest.fixture
def dhan(sim: Sim) -> DhanClient:
    return DhanClient(sim)


async def _logged_in(sim: Sim) -> None:
    account = sim.servers.worlds.get("w").world.accounts[CLIENT]
    await sim.until(lambda _: "orders" in account.streams)


async def test_beats_tell_how_far_both_sockets_must_be_read(dhan: DhanClient, sim: Sim) -> None:
    await dhan.world({"NSE:RELIANCE": ROWS}, start_time="09:15:00", end_time="09:15:06")
    market, orders = await dhan.market_socket(), await dhan.order_socket()
    ordinals = [int(socket._response.headers[CONNECTION_HEADER]) for socket in (market, orders)]
    await market.send_json(SUBSCRIBE)
    await market.receive_bytes()
    await _logged_in(sim)
    read = {"market": 1, "orders": 0}
    placed: list[str] = []

    async def drain(name: str, socket: aiohttp.ClientWebSocketResponse, frames: int) -> None:
        while read[name] < frames:
            await asyncio.wait_for(socket.receive(), 5)
            read[name] += 1

    async def on(player: Player, message: object) -> None:
        if not isinstance(message, Beat):
            return
        assert message.connection == ordinals[0]
        assert [(stream.name, stream.connection) for stream in message.streams] == [("orders", ordinals[1])]
        await drain("market", market, message.frames_sent)
        await drain("orders", orders, message.streams[0].frames)
        if not placed and message.now >= 1_618_199_101_000:
            player.in_flight = 1
            placed.append(await dhan.place(price=2005))
            player.in_flight = 0

    async with Player(sim, f"account={CLIENT}&broker=dhan", on_message=on):
        await sim.call("POST", "/worlds/w/start")
        await sim.ended()
    assert read == {"market": 1 + 1 + 4, "orders": 3}
    assert (await dhan.row(placed[0]))["orderStatus"] == "TRADED"


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({}, ["Transit", "Pending", "Traded"]),
        ({"drop_updates": 2}, ["Traded"]),
        ({"duplicate_updates": 1}, ["Transit", "Transit", "Pending", "Traded"]),
        ({"drop_updates": -1}, []),
    ],
)
async def test_order_updates_are_missed_or_repeated(
    dhan: DhanClient, sim: Sim, faults: dict[str, Any], expected: list[str]
) -> None:
    await dhan.standing_market()
    await sim.call("PATCH", "/worlds/w/faults", faults)
    socket = await dhan.order_socket()
    await _logged_in(sim)
    await dhan.place(price=2005)
    await sim.call("PATCH", "/worlds/w/faults", {"disconnect": True})
    assert [message.json()["Data"]["status"] async for message in socket] == expected


async def test_a_mute_feed_is_silent(dhan: DhanClient, sim: Sim) -> None:
    await dhan.world({"NSE:RELIANCE": ROWS}, start_time="09:15:00", end_time="09:15:06")
    await sim.call("PATCH", "/worlds/w/faults", {"mute_feed": True})
    socket = await dhan.market_socket()
    await socket.send_json(SUBSCRIBE)
    assert (await socket.receive_bytes())[0] == 6
    await sim.call("POST", "/worlds/w/start")
    await sim.ended()
    await sim.call("PATCH", "/worlds/w/faults", {"disconnect": True})
    assert (await asyncio.wait_for(socket.receive(), 5)).type is aiohttp.WSMsgType.CLOSE


async def test_reconnects_in_haste_are_refused_at_the_handshake(dhan: DhanClient, sim: Sim) -> None:
    await dhan.world()
    await sim.call("PATCH", "/worlds/w/faults", {"rate_limit": 1})
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await dhan.market_socket()
    assert caught.value.status == 429
    await dhan.market_socket()


async def test_a_lost_answer_was_carried_out_and_is_found_by_its_correlation_id(dhan: DhanClient, sim: Sim) -> None:
    await dhan.standing_market()
    await sim.call("PATCH", "/worlds/w/faults", {"lose_answers": 1})
    with pytest.raises(aiohttp.ClientError):
        await dhan.place(correlationId="lost-1")
    found = (await dhan.call("GET", "/orders/external/lost-1"))[1]
    assert [row["orderStatus"] for row in found] == ["PENDING"]


async def test_updates_of_another_account_are_not_told(dhan: DhanClient, sim: Sim) -> None:
    await dhan.standing_market()
    other = {"broker": "dhan", "client_id": "1000000004", "api_key": "other", "api_secret": "other"}
    await sim.call("POST", "/worlds/w/accounts", other, status=201)
    socket = await dhan.order_socket()
    await _logged_in(sim)
    hand = {"client_id": "1000000004", "action": "place", "symbol": "NSE:RELIANCE", "side": "Buy"}
    await sim.call("POST", "/worlds/w/manual", {**hand, "quantity": 1, "price": "2005"})
    await dhan.place(price=2005)
    alert = await asyncio.wait_for(socket.receive_json(), 5)
    assert alert["Data"]["clientId"] == CLIENT


@given(words=st.one_of(st.text(max_size=80), st.binary(max_size=90)))
def test_any_message_is_read_or_ends_the_connection(words: str | bytes) -> None:
    sent: list[bytes] = []
    dialect = market_socket.dialect(lambda _: 0)
    connection = Connection(1, None)  # type: ignore[arg-type]
    connection.put = lambda message: sent.append(bytes(message))  # type: ignore[method-assign, arg-type]
    assert dialect.opened is not None
    dialect.opened(connection)
    dialect.received(connection, words)
    assert all(frame[0] == 50 for frame in sent)
    assert isinstance(words, bytes) <= (not sent)
