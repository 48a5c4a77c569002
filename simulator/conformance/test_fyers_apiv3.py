"""The official `fyers-apiv3` SDK, unmodified but for its hosts, against the simulator.

The SDK runs in an environment and process of its own; each check is one command of `fyers/rest.py`, each socket one
process of `fyers/market.py` or `fyers/orders.py` (its sockets are singletons of a process).
"""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from algo_simulator.fyers.testing import FyersUser, order
from algo_simulator.testing import Sim, ticks

HERE = Path(__file__).parent / "fyers"
FLAT = ticks([("09:15:00", "2000"), ("09:15:01", "2000")])
ENVIRONMENT = {**os.environ, "TZ": "Asia/Kolkata", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
SHARE, INDEX = "NSE:RELIANCE-EQ", "NSE:NIFTY50-INDEX"
HOLDING = {"symbol": "NSE:RELIANCE", "quantity": 5, "average_price": "1900", "t1_quantity": 2}
CHECKS = ["session", "orders", "fills", "stops_and_baskets", "gtt", "market", "instruments", "errors", "limits"]
CHECKS += ["asynchronous"]


@pytest.fixture(scope="session")
def fyers_python(sdk_python: Callable[[str], Path]) -> Path:
    """The interpreter that has the Fyers SDK."""
    return sdk_python("fyers")


@pytest.mark.parametrize("check", CHECKS)
async def test_rest(sim: Sim, fyers_python: Path, tmp_path: Path, check: str) -> None:
    index = ticks([("09:15:00", "14500")])
    await FyersUser(sim).world(
        {"NSE:RELIANCE": FLAT, "NSE:NIFTY": index},
        symbols=["NSE:RELIANCE", "NSE:NIFTY"],
        start_time="09:14:59",
        previous_closes={"NSE:RELIANCE": "2000"},
        speed=20,
        account={"holdings": [HOLDING]},
    )
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= 1_618_199_101_000)
    await sim.call("POST", "/worlds/w/pause")
    process = await asyncio.create_subprocess_exec(
        str(fyers_python),
        str(HERE / "rest.py"),
        sim.address("fyers"),
        check,
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode() + out.decode()
    assert json.loads(out.splitlines()[-1])["ok"]
