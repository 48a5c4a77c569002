"""The official `dhanhq` SDK, unmodified but for its hosts, against the simulator.

The SDK runs in an environment and process of its own. `dhan/day.py` plays one scripted day, REST and both sockets
together; `dhan/refused_socket.py` is one socket with a bad token, `dhan/one_order.py` one order that meets trouble.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from algo_simulator.dhan.testing import ACCOUNT, CLIENT, FLAT, DhanClient
from algo_simulator.testing import Sim

from day_market import open_market

HERE = Path(__file__).parent / "dhan"
STEPS = ["login", "instruments", "quotes", "candles", "orders", "forever", "money", "stop", "holdings", "ticks"]
STEPS += ["errors", "controls"]


@pytest.fixture(scope="session")
def dhan_python(sdk_python: Any) -> Path:
    """The interpreter that has the Dhan SDK."""
    found: Path = sdk_python("dhan")
    return found


async def test_a_whole_day(sim: Sim, dhan_python: Path, scripted_day: Any, tmp_path: Path) -> None:
    await open_market(sim, ACCOUNT)
    result = await scripted_day(dhan_python, HERE / "day.py", sim.address("dhan"), cwd=tmp_path)
    assert result["steps"] == STEPS


async def _run(sim: Sim, python: Path, script: str, *arguments: str) -> dict[str, Any]:
    """Run a driver to its end; what it reported, and its standard error."""
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(HERE / script),
        sim.address("dhan"),
        *arguments,
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
    seen = await _run(sim, dhan_python, "refused_socket.py", "market", CLIENT, token)
    assert seen["closed"] == 1
    assert seen["messages"] == [None]
    assert "Disconnected" in seen["stderr"]
    assert seen["error"].startswith("ConnectionClosed")


async def test_a_refused_token_at_the_order_socket(sim: Sim, dhan_python: Path) -> None:
    await DhanClient(sim).world({"NSE:RELIANCE": FLAT})
    seen = await _run(sim, dhan_python, "refused_socket.py", "orders", CLIENT, "wrong")
    assert seen["ended"]
    assert seen["updates"] == 0


@pytest.mark.parametrize(
    ("faults", "code", "stored"),
    [
        ({"refuse_address": True}, "DH-911", 0),
        ({"rate_limit": 1}, "DH-904", 0),
        ({"fail_before": 1, "fail_status": 500}, "DH-908", 0),
        ({"fail_after": 1, "fail_status": 502}, "DH-909", 1),
        ({"reject": 1, "reject_in_answer": True}, "DH-906", 0),
    ],
    ids=str,
)
async def test_trouble_as_the_sdk_tells_it(
    sim: Sim, dhan_python: Path, faults: dict[str, Any], code: str, stored: int
) -> None:
    dhan = DhanClient(sim)
    await dhan.standing_market()
    await sim.call("PATCH", "/worlds/w/faults", faults)
    seen = await _run(sim, dhan_python, "one_order.py", CLIENT, dhan.token)
    assert (seen["answer"]["status"], seen["answer"]["remarks"]["error_code"]) == ("failure", code)
    assert (seen["book"]["status"], len(seen["book"]["data"])) == ("success", stored)


async def test_a_lost_answer_as_the_sdk_tells_it(sim: Sim, dhan_python: Path) -> None:
    dhan = DhanClient(sim)
    await dhan.standing_market()
    await sim.call("PATCH", "/worlds/w/faults", {"lose_answers": 1})
    seen = await _run(sim, dhan_python, "one_order.py", CLIENT, dhan.token)
    assert seen["answer"]["status"] == "failure"
    assert "Connection" in seen["answer"]["remarks"]
    assert [row["correlationId"] for row in seen["book"]["data"]] == ["one-order"]


@pytest.mark.parametrize(("quirks", "code"), [([], "DH-901"), (["dead_token_906"], "DH-906")])
async def test_a_dead_token_as_the_sdk_tells_it(sim: Sim, dhan_python: Path, quirks: list[str], code: str) -> None:
    dhan = DhanClient(sim)
    await dhan.standing_market(account={"quirks": quirks})
    dead = dhan.token
    await dhan.consent_login()
    seen = await _run(sim, dhan_python, "one_order.py", CLIENT, dead)
    assert seen["answer"]["remarks"]["error_code"] == seen["book"]["remarks"]["error_code"] == code
