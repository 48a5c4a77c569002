"""Both sockets of Angel One: handshakes, modes, limits, order stages, faults, counted frames."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from algo_crds.contracts.world import CONNECTION_HEADER, Beat
from algo_simulator.angelone.market_socket import market_dialect
from algo_simulator.angelone.testing import ACCOUNT, CLIENT, KEY, ORDER, Angel
from algo_simulator.testing import Player, Sim, ticks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Socket = aiohttp.ClientWebSocketResponse
ROWS = {
    "NSE:RELIANCE": ticks([(f"09:15:{second:02}", f"{2000 + second}") for second in range(30)]),
    "NSE:NIFTY": ticks([("09:15:03", "14500.25"), ("09:15:04", "14500.30")]),
}
TRADED = 1_618_199_101_000
SHARE = {"exchangeType": 1, "tokens": ["2885"]}
INDEX = {"exchangeType": 1, "tokens": ["99926000"]}


async def _angel(sim: Sim, *, until: int = TRADED, **account: Any) -> Angel:
    """A client of a market that stands still."""
    closes = {"NSE:RELIANCE": "1990"}
    symbols = list(ROWS)
    await sim.world(
        ROWS, accounts=[], symbols=symbols, start_time="09:14:59", end_time="09:15:35", speed=20, previous_closes=closes
    )
    await sim.call("POST", "/worlds/w/accounts", {**ACCOUNT, **account}, status=201)
    if until:
        await _until(sim, until)
    angel = Angel(sim)
    await angel.log_in()
    return angel


async def _until(sim: Sim, now: int) -> None:
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= now)
    await sim.call("POST", "/worlds/w/pause")


@asynccontextmanager
async def _socket(angel: Angel, path: str = "/market-socket", **changes: str) -> AsyncIterator[Socket]:
    headers = {**angel.socket_headers(), **changes}
    async with angel.sim.http.ws_connect(angel.root + path, headers=headers) as socket:
        yield socket


async def _send(socket: Socket, mode: int, *groups: dict[str, Any], action: int = 1) -> None:
    params = {"mode": mode, "tokenList": list(groups)}
    await socket.send_json({"correlationID": "c1", "action": action, "params": params})


async def _drain(socket: Socket) -> list[bytes]:
    """All packets before the answer to a ping that is sent now."""
    await socket.send_str("ping")
    found = []
    while True:
        message = await asyncio.wait_for(socket.receive(), 5)
        if message.type is WSMsgType.TEXT:
            assert message.data == "pong", message.data
            return found
        found.append(message.data)


def _last_price(packet: bytes) -> int:
    return int(struct.unpack_from("<q", packet, 43)[0])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"Authorization": "wrong"}, "Invalid Header - Invalid Auth token"),
        ({"x-client-code": "S9"}, "Invalid Header - Invalid Client Code"),
        ({"x-api-key": "other"}, "Invalid Header - Invalid API Key"),
        ({"x-feed-token": "wrong"}, "Invalid Header - Invalid Feed Token"),
    ],
)
async def test_refused_handshakes_name_the_header(sim: Sim, changes: dict[str, str], text: str) -> None:
    angel = await _angel(sim)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with _socket(angel, **changes):
            pass
    assert refused.value.status == 401
    assert refused.value.headers is not None
    assert refused.value.headers["x-error-message"] == text


async def test_the_order_socket_tells_invalid_from_expired(sim: Sim) -> None:
    angel = await _angel(sim)
    for change, status in (({"Authorization": "wrong"}, 401), ({}, 403)):
        await sim.call("PATCH", "/worlds/w/faults", {"expire_token": not change})
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with _socket(angel, "/order-socket", **change):
                pass
        assert refused.value.status == status


async def test_the_word_bearer_and_the_browsers_query_are_taken(sim: Sim) -> None:
    angel = await _angel(sim)
    async with _socket(angel, Authorization=f"Bearer {angel.jwt}") as socket:
        assert await _drain(socket) == []
    query = f"?clientCode={CLIENT}&feedToken={angel.feed}&apiKey={KEY}"
    async with sim.http.ws_connect(f"{angel.root}/market-socket/smart-stream{query}") as socket:
        assert await _drain(socket) == []


@pytest.mark.parametrize("path", ["/market-socket", "/order-socket"])
async def test_three_connections_and_numbers_in_the_handshake(sim: Sim, path: str) -> None:
    angel = await _angel(sim)
    async with _socket(angel, path), _socket(angel, path), _socket(angel, path) as third:
        numbers = third._response.headers[CONNECTION_HEADER]
        assert numbers == "3"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with _socket(angel, path):
                pass
        assert refused.value.status == 429


@pytest.mark.parametrize(("mode", "size"), [(1, 51), (2, 123), (3, 379), (4, 443)])
async def test_modes_first_packet_and_sequence(sim: Sim, mode: int, size: int) -> None:
    angel = await _angel(sim)
    async with _socket(angel) as socket:
        await _send(socket, mode, SHARE)
        await _send(socket, mode, SHARE)  # A repeat is ignored.
        first = await _drain(socket)
        assert [len(packet) for packet in first] == [size]
        await _until(sim, TRADED + 3_000)
        more = await _drain(socket)
        assert {len(packet) for packet in more} == {size}
        if mode != 4:
            packets = [*first, *more]
            numbers = [struct.unpack_from("<q", packet, 27)[0] for packet in packets]
            assert numbers == list(range(numbers[0], numbers[0] + len(packets)))
            assert [_last_price(packet) for packet in packets] == [200_100 + 100 * step for step in range(len(packets))]


async def test_the_same_token_in_two_modes_and_unsubscribing_one(sim: Sim) -> None:
    angel = await _angel(sim)
    async with _socket(angel) as socket:
        await _send(socket, 1, SHARE)
        await _send(socket, 2, SHARE)
        await _send(socket, 1, SHARE, INDEX, action=0)
        await _send(socket, 3, SHARE, action=0)
        await _drain(socket)
        await _until(sim, TRADED + 2_000)
        assert {len(packet) for packet in await _drain(socket)} == {123}


async def test_an_index_has_no_volume_and_no_number(sim: Sim) -> None:
    angel = await _angel(sim, until=TRADED + 3_000)
    async with _socket(angel) as socket:
        await _send(socket, 2, INDEX)
        packet = (await _drain(socket))[0]
    assert packet[2:27].rstrip(b"\0") == b"99926000"
    assert (struct.unpack_from("<q", packet, 27)[0], struct.unpack_from("<q", packet, 67)[0]) == (0, 0)
    assert _last_price(packet) == 1_450_030


async def test_nothing_is_sent_before_the_first_trade_or_by_a_quirk(sim: Sim) -> None:
    angel = await _angel(sim, quirks=["no-first-packet"])
    async with _socket(angel) as socket:
        await _send(socket, 1, SHARE, INDEX)
        assert await _drain(socket) == []


@pytest.mark.parametrize(
    ("text", "code", "correlation"),
    [
        ('{"correlationID":"c9","action":1,"params":{"mode":9,"tokenList":[]}}', "E1001", "c9"),
        ('{"correlationID":"c9","action":5,"params":{"mode":1,"tokenList":[]}}', "E1001", "c9"),
        ('{"correlationID":"c9","action":1}', "E1001", "c9"),
        ("{", "E1001", ""),
        (
            json.dumps({"action": 1, "params": {"mode": 4, "tokenList": [{"exchangeType": 2, "tokens": ["1"]}]}}),
            "E1001",
            "",
        ),
        (
            json.dumps({"action": 1, "params": {"mode": 1, "tokenList": [{"exchangeType": 6, "tokens": ["1"]}]}}),
            "E1001",
            "",
        ),
        (
            json.dumps(
                {
                    "action": 1,
                    "params": {"mode": 4, "tokenList": [{"exchangeType": 1, "tokens": [str(n) for n in range(51)]}]},
                }
            ),
            "E1002",
            "",
        ),
        (
            json.dumps(
                {
                    "action": 1,
                    "params": {"mode": 1, "tokenList": [{"exchangeType": 1, "tokens": [str(n) for n in range(1001)]}]},
                }
            ),
            "E1002",
            "",
        ),
    ],
)
async def test_error_texts(sim: Sim, text: str, code: str, correlation: str) -> None:
    angel = await _angel(sim)
    async with _socket(angel) as socket:
        await socket.send_str(text)
        answer = await asyncio.wait_for(socket.receive_json(), 5)
        assert (answer["errorCode"], answer["correlationID"]) == (code, correlation)
        assert answer["errorMessage"]
        assert await _drain(socket) == []


async def test_the_quota_counts_token_and_mode(sim: Sim) -> None:
    angel = await _angel(sim)
    many = {"exchangeType": 1, "tokens": [str(number) for number in range(1, 501)]}
    async with _socket(angel) as socket:
        await _send(socket, 1, many)
        await _send(socket, 2, many)
        await _send(socket, 2, many)
        assert await _drain(socket) == []
        await _send(socket, 3, SHARE)
        assert (await asyncio.wait_for(socket.receive_json(), 5))["errorCode"] == "E1002"
        await _send(socket, 2, many, action=0)
        await _send(socket, 3, SHARE)
        assert len(await _drain(socket)) == 1


@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_message_is_answered_or_ignored(data: bytes | str) -> None:
    dialect = market_dialect()

    class _Listener:
        def __init__(self) -> None:
            self.state: dict[Any, Any] = {}
            self.said: list[bytes | str] = []
            self.clock = self.account = None

        def put(self, message: bytes | str) -> None:
            self.said.append(message)

    listener = _Listener()
    dialect.received(listener, data)  # type: ignore[arg-type]
    assert all(isinstance(said, str) for said in listener.said)


async def test_the_order_sockets_greeting_and_stages(sim: Sim) -> None:
    angel = await _angel(sim)
    async with _socket(angel, "/order-socket/smart-order-update", Authorization=f"Bearer {angel.jwt}") as socket:
        greeting = await socket.receive_json()
        assert (greeting["user-id"], greeting["order-status"], greeting["status-code"]) == (CLIENT, "AB00", "200")
        assert set(greeting["orderData"].values()) == {"", 0.0}
        stop = {**ORDER, "variety": "STOPLOSS", "ordertype": "STOPLOSS_LIMIT", "transactiontype": "SELL"}
        stop |= {"price": "1980", "triggerprice": "1990"}
        order_id = await angel.place(**stop)
        change = {**stop, "orderid": order_id}
        await angel.post("order/v1/modifyOrder", {**change, "triggerprice": "1991.01"})
        await angel.post("order/v1/modifyOrder", {**change, "ordertype": "LIMIT"})
        told = [await asyncio.wait_for(socket.receive_json(), 5) for _ in range(7)]
        assert [(m["order-status"], m["orderData"]["status"]) for m in told] == [
            ("AB09", "open pending"),
            ("AB10", "trigger pending"),
            ("AB01", "not modified"),
            ("AB11", "modify pending"),
            ("AB04", "modified"),
            ("AB01", "open"),
            ("AB05", "complete"),
        ]
        assert (await angel.row(order_id))["status"] == "complete"
        await socket.send_str("ping")
        assert await socket.receive_str() == "pong"


@pytest.mark.parametrize(("quirks", "status"), [((), "trigger pending"), (("not-modified-stays",), "not modified")])
async def test_the_book_after_a_refused_change(sim: Sim, quirks: tuple[str, ...], status: str) -> None:
    angel = await _angel(sim, quirks=quirks)
    stop = {**ORDER, "variety": "STOPLOSS", "ordertype": "STOPLOSS_LIMIT", "transactiontype": "SELL"}
    stop |= {"price": "1980", "triggerprice": "1990"}
    order_id = await angel.place(**stop)
    await angel.post("order/v1/modifyOrder", {**stop, "orderid": order_id, "triggerprice": "1991.01"})
    row = await angel.row(order_id)
    assert (row["status"], row["triggerprice"]) == (status, 1990.0)


async def test_faults_of_feeds_and_updates(sim: Sim) -> None:
    angel = await _angel(sim)
    async with _socket(angel) as market, _socket(angel, "/order-socket") as orders:
        await orders.receive_json()
        await sim.call("PATCH", "/worlds/w/faults", {"mute_feed": True, "duplicate_updates": 1, "drop_updates": 1})
        await _send(market, 1, SHARE)
        await angel.place()
        await _until(sim, TRADED + 2_000)
        assert await _drain(market) == []
        told = [await asyncio.wait_for(orders.receive_json(), 5) for _ in range(2)]
        assert [m["order-status"] for m in told] == ["AB01", "AB01"]
        await sim.call("PATCH", "/worlds/w/faults", {"disconnect": True})
        for socket in (market, orders):
            closed = await asyncio.wait_for(socket.receive(), 5)
            assert closed.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)


async def test_beats_count_what_each_socket_was_sent(sim: Sim) -> None:
    angel = await _angel(sim, until=0)
    beats: list[Beat] = []

    async def keep(_: Player, message: object) -> None:
        if isinstance(message, Beat):
            beats.append(message)

    async with _socket(angel) as market, _socket(angel, "/order-socket") as orders:
        await _send(market, 1, SHARE)
        assert await _drain(market) == []
        query = f"account={CLIENT}&broker=angelone"
        async with Player(sim, query, on_message=keep) as player:
            await sim.call("POST", "/worlds/w/start", {"speed": 0})
            await asyncio.wait_for(player.beaten.wait(), 5)
            await sim.ended()
        packets = await _drain(market)
        assert (await orders.receive_json())["order-status"] == "AB00"
        last = beats[-1]
        assert (last.frames_sent, len(packets)) == (1 + 30, 30)
        stream = last.streams[0]
        assert (stream.name, stream.frames) == ("orders", 1)
