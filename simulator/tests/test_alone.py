"""One simulated broker by itself: what starts, what is said of it, and what it refuses."""

import asyncio
import os
import sys
from datetime import date
from pathlib import Path

import aiohttp
import pytest
from algo_simulator.alone import AloneSpec, introduction, start_alone
from algo_simulator.servers import FRONTS
from algo_simulator.testing import ticks
from algo_simulator.world import WorldError


@pytest.mark.parametrize("broker", sorted(FRONTS))
async def test_every_broker_runs_and_its_market_moves(broker: str, tmp_path: Path) -> None:
    folder = tmp_path / "2021-04-12"
    folder.mkdir()
    (folder / "RELIANCE.csv.gz").write_bytes(ticks([(f"09:15:{second:02}", "2000") for second in range(30)]))
    alone = await start_alone(AloneSpec(broker=broker, port=0, ticks=folder, speed=100))
    try:
        assert alone.day == date(2021, 4, 12)
        text = introduction(alone)
        assert all(part in text for part in (alone.root, alone.account.api_key, alone.account.client_id))
        headers = {"Authorization": f"Bearer {alone.control_token}"}
        async with aiohttp.ClientSession() as http:
            while True:
                async with http.get(f"{alone.control}/worlds/alone", headers=headers) as response:
                    view = await response.json()
                if view["now"] >= 1_618_199_105_000:
                    break
                assert view["state"] == "running"
                await asyncio.sleep(0.02)
            async with http.get(f"{alone.root}/no-such-path") as response:
                assert response.status >= 400
    finally:
        await alone.stop()


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (AloneSpec(broker="nobody"), "zerodha"),
        (AloneSpec(broker="zerodha", speed=0), "speed"),
        (AloneSpec(broker="zerodha", symbols=("NOPE",)), "NSE:NOPE"),
        (AloneSpec(broker="zerodha", day=date(2021, 5, 1)), "no trading day"),
        (AloneSpec(broker="zerodha", ticks=Path("/nowhere")), "no recording of RELIANCE"),
        (AloneSpec(broker="zerodha", ticks=Path(__file__), symbols=("TCS", "SBIN")), "several symbols"),
        (AloneSpec(broker="zerodha", ticks=Path(__file__)), "test_alone.py"),
    ],
)
async def test_what_cannot_be_is_said(spec: AloneSpec, text: str) -> None:
    with pytest.raises(WorldError, match=text):
        await start_alone(spec)


async def test_the_command_says_where_it_is_and_ends_when_it_is_told() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "algo_simulator.alone",
        *("--broker", "zerodha", "--port", "0", "--date", "2021-04-12", "--symbol", "TCS", "--symbol", "NIFTY"),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    try:
        assert b"zerodha, simulated, the session of 2021-04-12" in await asyncio.wait_for(process.stdout.readline(), 20)
        assert b"http://127.0.0.1:" in await process.stdout.readline()
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
