"""The gateway between a real simulator process and a runner: login, lockstep, an entry and its stop, on paper too."""

import asyncio
from pathlib import Path

import aiohttp
from algo_crds.contracts import wire
from algo_crds.contracts.orders import OrderStatus, Side
from lockstep_stage import CLIENT, Script, Simulator, connect, gateway, log_in, make_world, run_world


async def test_lockstep_over_the_broker_protocol(tmp_path: Path, simulator: Simulator) -> None:
    results = []
    async with aiohttp.ClientSession() as http:
        for name in ("one", "two"):
            await make_world(http, simulator, name, f"{CLIENT}{name}")
            (tmp_path / "session.json").write_bytes(await log_in(http, simulator, name))
            async with gateway(tmp_path, simulator, BROKER="zerodha", CLIENT_ID=f"{CLIENT}{name}") as port:
                script = Script(await connect(http, port), limit_steps=6_000)
                world = await run_world(http, simulator, name, script)
                await script.ws.close()
            assert script.refused == []
            assert script.done, "the stop was hit"
            assert world["barrier_timeouts"] == 0
            assert [row.status for row in script.rows if row.status is OrderStatus.FILLED] == [OrderStatus.FILLED] * 2
            assert all(0 <= now - time <= 1_000 for now, time, _ in script.prices if time)
            results.append(
                (script.prices, [(row.status, row.filled, row.average_price, row.read_at) for row in script.rows])
            )
            async with http.delete(f"{simulator.control}/worlds/{name}", headers=simulator.headers) as answer:
                assert answer.status == 204
    assert results[0] == results[1], "the same session gives the same orders and prices"


async def test_lockstep_on_paper(tmp_path: Path, simulator: Simulator) -> None:
    async with aiohttp.ClientSession() as http:
        await make_world(http, simulator, "paper", f"{CLIENT}paper")
        async with gateway(tmp_path, simulator, BROKER="paper", WORLD="paper", SOURCE_ID="src_1") as port:
            script = Script(await connect(http, port), limit_steps=6_000)
            world = await run_world(http, simulator, "paper", script)
            await script.ws.close()
            async with await connect(http, port) as again, asyncio.timeout(10):
                welcome = wire.decode_to_runner(await again.receive_bytes())
        assert isinstance(welcome, wire.Welcome)
        assert welcome.last_tag == script.last_tag, "the next process may not have it in its journal"
        assert script.refused == []
        assert script.done
        assert script.welcome.last_send == 0, "nothing is sent before the market opens"
        filled = [at for at, row in script.heard if row.side is Side.BUY and row.status is OrderStatus.FILLED]
        resting = [at for at, row in script.heard if row.side is Side.SELL]
        assert filled[0] == script.entered_at, "a fill that the call caused comes at the instant of the call"
        assert resting[0] == filled[0], "and so does the row of the stop that answers it"
        assert script.welcome.source == "src_1"
        assert world["barrier_timeouts"] == 0
        async with http.delete(f"{simulator.control}/worlds/paper", headers=simulator.headers) as answer:
            assert answer.status == 204
