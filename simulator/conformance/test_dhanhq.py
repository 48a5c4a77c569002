"""The official `dhanhq` SDK, unmodified but for its hosts, against the simulator.

The SDK runs in an environment and process of its own. `dhan/day.py` plays one scripted day, REST and both sockets
together; `dhan/refused_socket.py` is one socket with a bad token.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from algo_simulator.dhan.testing import ACCOUNT, CLIENT, FLAT, DhanClient
from algo_simulator.testing import Sim, ticks

HERE = Path(__file__).parent / "dhan"
STEPS = ["login", "instruments", "quotes", "candles", "orders", "forever", "money", "stop", "holdings", "ticks"]
STEPS += ["errors", "controls"]


@pytest.fixture(scope="session")
def dhan_python(sdk_python: Any) -> Path:
    """The interpreter that has the Dhan SDK."""
    found: Path = sdk_python("dhan")
    return found


def _seconds(prices: dict[int, str], last: int = 60) -> bytes:
    """One price a second from 09:15 on: each lasts until the next."""
    rows, price = [], ""
    for second in range(last):
        price = prices.get(second, price)
        rows.append((f"09:15:{second:02}", price))
    return ticks(rows, "2025-08-01")


async def test_a_whole_day(sim: Sim, dhan_python: Path, scripted_day: Any, tmp_path: Path) -> None:
    records = {
        "NSE:RELIANCE": _seconds({0: "1401", 1: "1400", 20: "1391", 30: "1411"}),
        "NSE:TCS": _seconds({0: "3000"}),
        "NFO:NIFTY25AUGFUT": _seconds({0: "24600"}),
        "NFO:NIFTY2580724500CE": _seconds({0: "150"}),
        "NSE:NIFTY": _seconds({0: "24500"}),
    }
    closes = {"NSE:RELIANCE": "1390", "NSE:TCS": "2990", "NFO:NIFTY25AUGFUT": "24550", "NSE:NIFTY": "24450"}
    await sim.world(
        records,
        accounts=[],
        date="2025-08-01",
        symbols=list(records),
        previous_closes=closes,
        start_time="09:14:00",
        speed=20,
    )
    held = [{"symbol": "NSE:RELIANCE", "quantity": 100, "average_price": "1200"}]
    await sim.call("POST", "/worlds/w/accounts", {**ACCOUNT, "holdings": held}, status=201)
    result = await scripted_day(dhan_python, HERE / "day.py", sim.address("dhan"), cwd=tmp_path)
    assert result["steps"] == STEPS


async def _refused(sim: Sim, python: Path, kind: str, token: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(HERE / "refused_socket.py"),
        sim.address("dhan"),
        kind,
        CLIENT,
        token,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return {**json.loads(out), "stderr": err.decode()}


@pytest.mark.parametrize("token", ["wrong", "dead"])
async def test_a_refused_token_at_the_market_socket(sim: Sim, dhan_python: Path, token: str) -> None:
    dhan = DhanClient(sim)
    await dhan.world({"NSE:RELIANCE": FLAT})
    if token == "dead":
        token = dhan.token
        await dhan.consent_login()
    seen = await _refused(sim, dhan_python, "market", token)
    assert seen["closed"] == 1
    assert seen["messages"] == [None]
    assert "Disconnected" in seen["stderr"]
    assert seen["error"].startswith("ConnectionClosed")


async def test_a_refused_token_at_the_order_socket(sim: Sim, dhan_python: Path) -> None:
    await DhanClient(sim).world({"NSE:RELIANCE": FLAT})
    seen = await _refused(sim, dhan_python, "orders", "wrong")
    assert seen["ended"]
    assert seen["updates"] == 0
