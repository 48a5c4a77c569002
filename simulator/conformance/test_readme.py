"""The README's blocks, run as they stand, each SDK in its own environment: an order arrives and prices are told."""

import asyncio
import re
from pathlib import Path

import pytest
from algo_simulator.alone import WORLD, AloneSpec, start_alone
from algo_simulator.servers import FRONTS
from algo_simulator.settings import DEFAULT_PORTS
from algo_simulator.testing import ticks
from algo_simulator.world import World

HERE = Path(__file__).parent
TITLES = {"zerodha": "Zerodha", "dhan": "Dhan", "fyers": "Fyers", "angelone": "Angel One"}
TOLD = {"zerodha": "last_price", "dhan": "LTP", "fyers": "'orders'", "angelone": "last_traded_price"}
"""What its socket's messages print."""
ONLY_LOOPBACK = """
import socket
_resolve = socket.getaddrinfo
def _loopback(host, *rest, **more):
    if host not in ("127.0.0.1", "localhost"):
        raise socket.gaierror(f"{host} is not resolved in a test")
    return _resolve(host, *rest, **more)
socket.getaddrinfo = _loopback
"""


def _block(broker: str, root: str) -> str:
    readme = (HERE.parent / "README.md").read_text("utf-8")
    section = re.split(rf"^### {TITLES[broker]}: .*$", readme, flags=re.MULTILINE)[1]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code is not None
    usual = f"http://127.0.0.1:{DEFAULT_PORTS[broker]}"
    assert usual in code[1]
    return ONLY_LOOPBACK + code[1].replace(usual, root)


def _recording(folder: Path) -> Path:
    """RELIANCE at 1950 for ten minutes."""
    day = folder / "2021-04-12"
    day.mkdir()
    rows = [(f"09:{15 + second // 60}:{second % 60:02}", "1950") for second in range(600)]
    (day / "RELIANCE.csv.gz").write_bytes(ticks(rows))
    return day


async def _traded(world: World) -> None:
    """The share has a price."""
    while True:
        if world.markets["NSE:RELIANCE"].stats.last:
            return
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("broker", sorted(FRONTS))
async def test_the_readmes_block_places_an_order_and_reads_the_socket(
    broker: str, sdk_python: "object", tmp_path: Path
) -> None:
    assert callable(sdk_python)
    python = await asyncio.to_thread(sdk_python, broker)
    alone = await start_alone(AloneSpec(broker=broker, port=0, ticks=_recording(tmp_path), speed=5))
    world = alone.servers.worlds.get(WORLD).world
    try:
        await asyncio.wait_for(_traded(world), 20)
        process = await asyncio.create_subprocess_exec(
            str(python),
            "-u",
            "-c",
            _block(broker, alone.root),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        seen: list[str] = []
        try:
            while line := (await asyncio.wait_for(process.stdout.readline(), 60)).decode():
                seen.append(line)
                if TOLD[broker] in line:
                    break
            assert seen, "nothing was printed"
            assert TOLD[broker] in seen[-1], "".join(seen)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
        (order,) = world.accounts[alone.account.client_id].orders.values()
        assert (order.symbol, order.sim.quantity, order.sim.status) == ("RELIANCE", 10, "Filled")
    finally:
        await alone.stop()
