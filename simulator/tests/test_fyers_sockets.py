"""Fyers' market socket (binary, login in band) and order socket (JSON), and how a participant counts their frames."""

import asyncio
import struct
from typing import Any

import aiohttp
import pytest
from algo_crds.contracts.world import CONNECTION_HEADER, Beat
from algo_simulator.fyers.app import MARKET_SOCKETS
from algo_simulator.fyers.testing import FyersUser
from algo_simulator.testing import Player, Sim, ToParticipant, simulator, ticks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROWS = {"NSE:RELIANCE": ticks([("09:15:01", "2000"), ("09:15:02", "2001"), ("09:15:03", "2002")])}
PING = bytes([0, 1, 11])
FULL = bytes.fromhex("00000c02010008000000000000080002000146")
SHARE, DEPTH = "sf|nse_cm|2885", "dp|nse_cm|2885"
ACCEPTED = bytes.fromhex("000d01020100014b02000400000000")


def field(name: int, value: bytes) -> bytes:
    return bytes([name]) + struct.pack(">H", len(value)) + value


def auth(key: str) -> bytes:
    fields = field(1, key.encode()) + field(2, b"P") + field(3, b"\x01") + field(4, b"PythonSDK-3.2.0")
    return b"\xff\xff\x01\x04" + fields


def topics(kind: int, *names: str, channel: int = 11) -> bytes:
    listed = struct.pack(">H", len(names)) + b"".join(bytes([len(name)]) + name.encode() for name in names)
    return bytes([0, 0, kind, 2]) + field(1, listed) + field(2, bytes([channel]))


class Market:
    """A client of the market socket."""

    def __init__(self, user: FyersUser, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.user = user
        self.socket = socket

    async def say(self, frame: bytes) -> None:
        await self.socket.send_bytes(frame)

    async def hear(self) -> bytes:
        message = await self.socket.receive(timeout=5)
        assert isinstance(message.data, bytes), message
        assert struct.unpack(">H", message.data[:2])[0] == len(message.data) - 2
        return message.data

    async def log_in(self) -> None:
        await self.say(auth(self.user.sim.servers.worlds.get("w").world.accounts["XS00001"].feed_token))
        assert await self.hear() == ACCEPTED
        assert (await self.hear())[2] == 13

    async def silent(self) -> bool:
        try:
            await self.socket.receive(timeout=0.2)
        except TimeoutError:
            return True
        return False


async def _market(sim: Sim, user: FyersUser, headers: dict[str, str] | None = None) -> Market:
    url = f"{user.root.replace('http', 'ws')}/market-socket"
    return Market(user, await sim.http.ws_connect(url, headers=headers))


async def _user(sim: Sim, **fields: Any) -> FyersUser:
    user = FyersUser(sim)
    await user.world(ROWS, **{"start_time": "09:15:00", "previous_closes": {"NSE:RELIANCE": "1980"}, **fields})
    return user


async def test_an_authorization_header_brings_silence(sim: Sim) -> None:
    """Pitfall: the handshake succeeds, and nothing is ever answered."""
    user = await _user(sim)
    client = await _market(sim, user, user.headers)
    await client.say(auth(sim.servers.worlds.get("w").world.accounts["XS00001"].feed_token))
    await client.say(topics(4, SHARE))
    assert await client.silent()
    client = await _market(sim, user)
    await client.log_in()


async def test_the_header_does_no_harm_where_a_quirk_says_so(sim: Sim) -> None:
    user = await _user(sim, account={"quirks": ["header_allowed"]})
    client = await _market(sim, user, user.headers)
    await client.log_in()


async def test_a_ping_may_come_first_and_nothing_works_before_the_login(sim: Sim) -> None:
    user = await _user(sim)
    client = await _market(sim, user)
    await client.say(PING)
    await client.say(topics(4, SHARE))
    assert (await client.hear()).hex() == "000604010100014e"
    await client.say(auth("0" * 64))
    assert (await client.hear())[7:8] == b"N"
    await client.log_in()
    await client.say(FULL)
    assert (await client.hear()).hex() == "00060c010100014b"
    await client.say(topics(4, SHARE))
    assert (await client.hear()).hex() == "000604010100014b"
    assert (await client.hear())[9] == 0x53


async def test_handles_are_unique_and_a_snapshot_comes_first(sim: Sim) -> None:
    user = await _user(sim)
    client = await _market(sim, user)
    await client.log_in()
    await client.say(topics(4, SHARE, DEPTH, "sf|nse_cm|1"))
    await client.hear()
    frame = await client.hear()
    assert struct.unpack(">IH", frame[3:9]) == (1, 2)
    first = struct.unpack(">H", frame[10:12])[0]
    await sim.call("POST", "/worlds/w/start", {"speed": 20})
    update = await client.hear()
    kind, handle, count = struct.unpack(">BHB", update[9:13])
    assert (kind, handle, count) == (0x55, first, 21)
    values = struct.unpack(">21i", update[13:97])
    assert values[0] == 200_000
    assert struct.unpack(">BH", update[97:100]) == (0x55, first + 1)


async def test_a_muted_feed_starts_again_with_a_snapshot(sim: Sim) -> None:
    """Pitfall: the feed stalls without closing."""
    user = await _user(sim)
    await sim.call("PATCH", "/worlds/w/faults", {"mute_feed": True})
    client = await _market(sim, user)
    await client.log_in()
    await client.say(topics(4, SHARE))
    await client.hear()
    assert await client.silent()
    await sim.call("PATCH", "/worlds/w/faults", {"mute_feed": False})
    await sim.call("POST", "/worlds/w/start", {"speed": 20})
    assert (await client.hear())[9] == 0x53
    assert (await client.hear())[9] == 0x55


async def test_lite_mode_and_paused_channels(sim: Sim) -> None:
    user = await _user(sim)
    client = await _market(sim, user)
    await client.log_in()
    await client.say(FULL[:-1] + b"L")
    await client.say(FULL[:-1] + b"?")
    await client.say(topics(4, SHARE))
    await client.say(topics(4, "if|nse_cm|Nifty 50", DEPTH, channel=12))
    await client.say(bytes([0, 0, 7, 1]) + field(1, (1 << 12).to_bytes(8)))
    heard = [await client.hear() for _ in range(7)]
    assert [(frame[2], frame[7:8]) for frame in heard if frame[2] != 6] == [
        (12, b"K"),
        (12, b"N"),
        (4, b"K"),
        (4, b"K"),
        (7, b"K"),
    ]
    await sim.call("POST", "/worlds/w/start", {"speed": 20})
    updates = [await client.hear() for _ in range(3)]
    assert [struct.unpack(">HBHi", frame[7:16]) for frame in updates] == [
        (1, 0x4C, 1, price) for price in (200_000, 200_100, 200_200)
    ]


async def test_too_many_topics_are_told_by_a_message(sim: Sim) -> None:
    user = await _user(sim)
    client = await _market(sim, user)
    await client.log_in()
    kinds = []
    for start in (0, 1500, 3000, 4500):
        await client.say(topics(4, *(f"sf|nse_cm|{90_000 + number}" for number in range(start, start + 1500))))
        frame = await client.hear()
        kinds.append(frame[2])
    assert kinds == [4, 4, 4, 51]
    assert struct.unpack(">i", frame[7:11])[0] == 51001


async def test_acknowledgements_are_noted(sim: Sim) -> None:
    user = await _user(sim, account={"quirks": ["acknowledge"]})
    client = await _market(sim, user)
    await client.say(auth(sim.servers.worlds.get("w").world.accounts["XS00001"].feed_token))
    assert (await client.hear())[-4:] == b"\x00\x00\x00\x02"
    await client.hear()
    await client.say(bytes.fromhex("0009030101000400000007"))
    await client.say(topics(5, SHARE))
    await client.hear()
    [app] = [runner.app for runner in sim.servers.runners if MARKET_SOCKETS in runner.app]
    [connection] = app[MARKET_SOCKETS].open(sim.servers.worlds.get("w").world.accounts["XS00001"])
    assert connection.state.acknowledged == 7


async def test_frames_of_both_sockets_are_counted_and_numbered(sim: Sim) -> None:
    user = await _user(sim, participants=1, end_time="09:15:10")
    market = await _market(sim, user)
    await market.log_in()
    await market.say(topics(4, SHARE))
    await market.hear()
    await market.hear()
    url = f"{user.root.replace('http', 'ws')}/order-socket"
    orders = await sim.http.ws_connect(url, headers=user.headers)
    await orders.send_json({"T": "SUB_ORD", "SLIST": ["orders", "trades"], "SUB_T": 1})
    assert (await orders.receive_json())["code"] == 1605
    await user.place(limitPrice=2005.0)
    beats: list[Beat] = []

    async def note(_: Player, message: ToParticipant) -> None:
        if isinstance(message, Beat):
            beats.append(message)

    async with Player(sim, "account=XS00001&broker=fyers", on_message=note):
        await sim.call("POST", "/worlds/w/start")
        await sim.ended()
    last = beats[-1]
    ordinal = market.socket._response.headers[CONNECTION_HEADER]
    assert (last.connection, last.frames_sent) == (int(ordinal), 4 + 3)
    [stream] = last.streams
    assert (stream.name, str(stream.connection)) == ("orders", orders._response.headers[CONNECTION_HEADER])
    told = [await orders.receive_json() for _ in range(stream.frames - 1)]
    first = [next(iter(message)) for message in told[:4]]
    assert first == ["orders", "orders", "orders", "trades"]
    assert [message["orders"]["org_ord_status"] for message in told[:3]] == [4, 6, 2]


@pytest.mark.parametrize("path", ["/order-socket", "/order-socket/trade/v3"])
async def test_the_order_socket_speaks_when_asked(sim: Sim, path: str) -> None:
    """Pitfall: nothing is replayed, and the SDK nests a list when it unsubscribes from general news."""
    user = await _user(sim)
    url = user.root.replace("http", "ws") + path
    socket = await sim.http.ws_connect(url, headers=user.headers)
    for said, heard in (("ping", "pong"), ("{", "error"), ('{"T":"SUB_ORD","SLIST":[["edis"]],"SUB_T":-1}', "1605")):
        await socket.send_str(said)
        assert heard in str((await socket.receive(timeout=5)).data)
    for headers in ({}, {"Authorization": "x:y"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await sim.http.ws_connect(url, headers=headers)
        assert refused.value.status == 403


@pytest.mark.parametrize("path", ["/market-socket/hsm/v1-4/prod", "/order-socket/trade/v2"])
async def test_other_versions_are_unknown(sim: Sim, path: str) -> None:
    user = await _user(sim)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await sim.http.ws_connect(user.root.replace("http", "ws") + path, headers=user.headers)
    assert refused.value.status == 404


async def test_a_cut_ends_both_sockets(sim: Sim) -> None:
    user = await _user(sim)
    market = await _market(sim, user)
    await market.log_in()
    orders = await sim.http.ws_connect(f"{user.root.replace('http', 'ws')}/order-socket", headers=user.headers)
    await sim.call("PATCH", "/worlds/w/faults", {"disconnect": True})
    for socket in (market.socket, orders):
        message = await asyncio.wait_for(socket.receive(), 5)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(max_size=40) | st.sampled_from([PING, FULL, topics(4, SHARE), topics(5, DEPTH)]), max_size=6))
async def test_nothing_a_client_sends_breaks_the_market_socket(messages: list[bytes]) -> None:
    async with simulator() as sim:
        user = await _user(sim)
        client = await _market(sim, user)
        await client.log_in()
        for message in messages:
            await client.say(message)
        await client.socket.send_str("text")
        await client.say(topics(5, "sf|nse_cm|1", channel=1))
        while (await client.hear()).hex() != "000605010100014b":
            pass
