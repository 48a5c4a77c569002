"""A socket of Angel One that says nothing is closed; text and WebSocket pings both keep it open."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from algo_simulator.angelone import app as angelone_app
from algo_simulator.angelone.market_socket import market_dialect
from algo_simulator.angelone.order_socket import order_dialect
from algo_simulator.angelone.testing import ACCOUNT, LOGIN, PIN, SECRET, Angel
from algo_simulator.testing import Sim, ticks
from algo_simulator.totp import code_at

Socket = aiohttp.ClientWebSocketResponse


class Still:
    """A clock that the test moves; counts how often it was looked at."""

    def __init__(self) -> None:
        self.at, self.looks = 1000.0, 0

    def __call__(self) -> float:
        self.looks += 1
        return self.at


@pytest.mark.parametrize("speaks", ["nothing", "text", "ping"])
async def test_a_silent_socket_is_closed_and_both_heartbeats_count(
    sim: Sim, monkeypatch: pytest.MonkeyPatch, speaks: str
) -> None:
    """A client that says nothing for longer than the idle time is gone, one that pings in either way is not."""
    clock = Still()
    monkeypatch.setattr(angelone_app, "market_dialect", lambda: market_dialect(0.1, clock))
    monkeypatch.setattr(angelone_app, "order_dialect", lambda: order_dialect(0.1, clock))
    await sim.world({"NSE:RELIANCE": ticks([("09:15:00", "2000")])}, accounts=[])
    runner = web.AppRunner(angelone_app.create_angelone_app(sim.servers.worlds))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        await _idle(sim, f"http://127.0.0.1:{runner.addresses[0][1]}", speaks, clock)
    finally:
        await runner.cleanup()


async def _idle(sim: Sim, root: str, speaks: str, clock: Still) -> None:
    # A second application of the worlds knows only accounts that come after it.
    await sim.call(
        "POST", "/worlds/w/accounts", {**ACCOUNT, "client_id": "S000124", "api_key": "angelkey02"}, status=201
    )
    other = Angel(sim)
    other.root = root
    data = await _log_in_other(other)
    headers = {"Authorization": data["jwtToken"], "x-feed-token": data["feedToken"]}
    headers |= {"x-api-key": "angelkey02", "x-client-code": "S000124"}
    async with sim.http.ws_connect(f"{root}/market-socket", headers=headers, autoping=False) as socket:
        if speaks == "nothing":
            clock.at += 0.11
            assert (await asyncio.wait_for(socket.receive(), 5)).type is WSMsgType.CLOSE
            return
        for _ in range(4):
            clock.at += 0.09
            await (socket.send_str("ping") if speaks == "text" else socket.ping(b"pong"))
            assert (await asyncio.wait_for(socket.receive(), 5)).data in ("pong", b"pong")
            await sim.until(lambda _, seen=clock.looks: clock.looks > seen + 1)  # type: ignore[misc] # a beat
        assert await _alive(socket)


async def _alive(socket: Socket) -> bool:
    await socket.send_str("ping")
    return (await asyncio.wait_for(socket.receive(), 5)).data == "pong"


async def _log_in_other(other: Angel) -> dict[str, Any]:
    now = (await other.sim.call("GET", "/worlds/w"))["now"]
    body = {"clientcode": "S000124", "password": PIN, "totp": code_at(SECRET, now)}
    headers = {"X-PrivateKey": "angelkey02"}
    status, answer = await other.send("POST", LOGIN, body, headers)
    assert status == 200, answer
    return dict(answer["data"])
