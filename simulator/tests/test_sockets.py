"""What all brokers' sockets share: the ordinal in the handshake, frame counts, limits, binding in band."""

from typing import Any

import aiohttp
import pytest
from aiohttp import web
from algo_crds.contracts.world import CONNECTION_HEADER, Beat
from algo_simulator.accounts import Account
from algo_simulator.clock import Clock
from algo_simulator.sockets import Connection, Dialect, Message, Sockets
from algo_simulator.testing import Player, Sim, ticks

ROWS = {"NSE:RELIANCE": ticks([(f"09:15:{second:02}", "2000") for second in range(5)])}


class Stand:
    """A socket of a made-up broker beside a simulator's world."""

    def __init__(self, sim: Sim, **dialect: Any) -> None:
        self.sim = sim
        self.clock: Clock = sim.servers.worlds.get("w")
        self.account: Account = self.clock.world.accounts["SM0001"]
        self.sockets = Sockets(Dialect(**{"received": self.received, **dialect}))
        self.sockets.watch(self.clock, self.account)
        self.runner: web.AppRunner | None = None
        self.url = ""
        self.in_band = False

    def received(self, connection: Connection, message: Message) -> None:
        """`bind` gives the connection to the account; anything is echoed."""
        if message == "bind":
            self.sockets.bind(connection, self.clock, self.account)
        connection.put(message)

    async def __aenter__(self) -> "Stand":
        async def route(request: web.Request) -> web.StreamResponse:
            if self.in_band:
                return await self.sockets.serve(request)
            return await self.sockets.serve(request, self.clock, self.account)

        app = web.Application()
        app.router.add_get("/", route)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"ws://127.0.0.1:{self.runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.sockets.forget(self.clock)
        assert self.runner is not None
        await self.runner.cleanup()

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        """A client."""
        return await self.sim.http.ws_connect(self.url)


def _ordinal(socket: aiohttp.ClientWebSocketResponse) -> int:
    response = socket._response
    return int(response.headers[CONNECTION_HEADER])


async def test_the_handshake_numbers_a_connection_and_its_messages_are_counted(sim: Sim) -> None:
    await sim.world(ROWS)
    async with Stand(sim) as stand:
        first, second = await stand.connect(), await stand.connect()
        assert (_ordinal(first), _ordinal(second)) == (1, 2)
        await first.send_str("a")
        assert (await first.receive()).data == "a"
        await second.send_bytes(b"b")
        await second.send_str("c")
        assert [(await second.receive()).data for _ in range(2)] == [b"b", "c"]
        await second.ping()
        stream = stand.account.streams["market"]
        assert (stream.connection, stream.frames) == (2, 2)


async def test_a_second_stream_is_told_in_the_beat_by_its_name(sim: Sim) -> None:
    await sim.world(ROWS, start_time="09:15:00", end_time="09:15:03")
    beats: list[Beat] = []

    async def on(_: Player, message: object) -> None:
        if isinstance(message, Beat):
            beats.append(message)

    async with Stand(sim, stream="orders", update=lambda *_: ["changed"]) as stand:
        socket = await stand.connect()
        async with Player(sim, "account=SM0001&broker=zerodha", on_message=on):
            await sim.call("POST", "/worlds/w/start")
            await sim.ended()
        await socket.close()
    assert [(s.name, s.connection, s.frames) for s in beats[-1].streams] == [("orders", 1, 0)]
    assert (beats[-1].connection, beats[-1].frames_sent) == (0, 0)


async def test_a_client_may_prove_itself_in_band(sim: Sim) -> None:
    await sim.world(ROWS)
    async with Stand(sim) as stand:
        stand.in_band = True
        socket = await stand.connect()
        await socket.send_str("hello")
        await socket.receive()
        assert "market" not in stand.account.streams
        await socket.send_str("bind")
        await socket.receive()
        assert stand.account.streams["market"].frames == 2
        assert len(stand.sockets.open(stand.account)) == 1


async def test_one_too_many_is_refused(sim: Sim) -> None:
    await sim.world(ROWS)
    async with Stand(sim, max_connections=1) as stand:
        first = await stand.connect()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await stand.connect()
        assert refused.value.status == 429
        await first.close()
        await stand.connect()


async def test_or_the_oldest_is_told_to_go(sim: Sim) -> None:
    await sim.world(ROWS)
    async with Stand(sim, max_connections=1, kick=lambda connection: connection.put("go")) as stand:
        oldest = await stand.connect()
        await stand.connect()
        assert (await oldest.receive()).data == "go"
        assert (await oldest.receive()).type is aiohttp.WSMsgType.CLOSE
        assert [c.sent.connection for c in stand.sockets.open(stand.account)] == [2]


async def test_a_world_that_goes_closes_its_connections(sim: Sim) -> None:
    await sim.world(ROWS)
    async with Stand(sim) as stand:
        socket = await stand.connect()
        stand.sockets.forget(stand.clock)
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
