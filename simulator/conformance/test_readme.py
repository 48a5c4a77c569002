"""The README's blocks, run as they stand, each SDK in its own environment: an order arrives and prices are told."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from algo_simulator.alone import WORLD, Alone, AloneSpec, start_alone
from algo_simulator.servers import FRONTS
from algo_simulator.settings import DEFAULT_PORTS
from algo_simulator.testing import ticks

HERE = Path(__file__).parent
TITLES = {"zerodha": "Zerodha", "dhan": "Dhan", "fyers": "Fyers", "angelone": "Angel One"}
BOOK = {"zerodha": "'COMPLETE'", "dhan": "'TRADED'", "fyers": "'orderBook'", "angelone": "'complete'"}
"""What the first block prints of the book."""
TOLD = {"zerodha": "last_price", "dhan": "LTP", "fyers": "'orders'", "angelone": "last_traded_price"}
"""What the socket's messages print."""
READY = {"fyers": "Successfully subscribed"}
"""What must be printed before the order: an update is not replayed, and this SDK subscribes two seconds late."""
MOST_LINES = 5
ONLY_LOOPBACK = """
import socket
_resolve = socket.getaddrinfo
def _loopback(host, *rest, **more):
    if host not in ("127.0.0.1", "localhost"):
        raise socket.gaierror(f"{host} is not resolved in a test")
    return _resolve(host, *rest, **more)
socket.getaddrinfo = _loopback
"""


def _blocks(broker: str) -> tuple[str, str]:
    readme = (HERE.parent / "README.md").read_text("utf-8")
    section = re.split(r"^##", re.split(rf"^### {TITLES[broker]}: .*$", readme, flags=re.MULTILINE)[1], flags=re.M)[0]
    orders, prices = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return orders, prices


def _with(alone: Alone, code: str) -> str:
    """A block with what its reader puts in: the tokens, and the port where another one was asked for."""
    usual = f"127.0.0.1:{DEFAULT_PORTS[alone.account.broker]}"
    assert usual in code
    code = code.replace(usual, alone.root.removeprefix("http://"))
    assert "ACCESS TOKEN" in code
    code = code.replace("ACCESS TOKEN", alone.session.access_token).replace("FEED TOKEN", alone.session.feed_token)
    return ONLY_LOOPBACK + code


@asynccontextmanager
async def _running(python: Path, code: str, folder: Path) -> AsyncIterator[asyncio.StreamReader]:
    """The block as a program; what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(str(python), "-u", "-c", code), cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until(output: asyncio.StreamReader, word: str) -> None:
    seen: list[str] = []
    while line := (await asyncio.wait_for(output.readline(), 60)).decode():
        seen.append(line)
        if word in line:
            return
    raise AssertionError(f"{word} was never printed:\n{''.join(seen)}")


def _recording(folder: Path) -> Path:
    """RELIANCE at 1950 for ten minutes."""
    day = folder / "2021-04-12"
    day.mkdir()
    rows = [(f"09:{15 + second // 60}:{second % 60:02}", "1950") for second in range(600)]
    (day / "RELIANCE.csv.gz").write_bytes(ticks(rows))
    return day


async def _holds(condition: Callable[[], object], seconds: float) -> None:
    for _ in range(int(seconds * 50)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {seconds} seconds")


@pytest.mark.parametrize("broker", sorted(FRONTS))
def test_each_block_is_at_most_five_lines(broker: str) -> None:
    for block in _blocks(broker):
        assert len([line for line in block.splitlines() if line.strip()]) <= MOST_LINES


@pytest.mark.parametrize("broker", sorted(FRONTS))
async def test_the_readmes_blocks_place_an_order_and_read_a_socket(
    broker: str, sdk_python: Callable[[str], Path], tmp_path: Path
) -> None:
    python = await asyncio.to_thread(sdk_python, broker)
    orders, prices = _blocks(broker)
    alone = await start_alone(AloneSpec(broker=broker, port=0, ticks=_recording(tmp_path), speed=5))
    world = alone.servers.worlds.get(WORLD).world
    account = world.accounts[alone.account.client_id]
    try:
        await _holds(lambda: world.markets["NSE:RELIANCE"].stats.last, 20)
        async with _running(python, _with(alone, prices), tmp_path) as told:
            await _holds(lambda: account.streams, 60)  # a socket is open, so that updates reach it
            if broker in READY:
                await _until(told, READY[broker])
            async with _running(python, _with(alone, orders), tmp_path) as answered:
                await _until(answered, BOOK[broker])
            await _until(told, TOLD[broker])
        (order,) = account.orders.values()
        assert (order.symbol, order.sim.quantity, order.sim.status) == ("RELIANCE", 10, "Filled")
    finally:
        await alone.stop()
