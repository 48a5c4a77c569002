"""The official `kiteconnect` SDK, unmodified but for its base URL, against the simulator.

The SDK runs in an environment and process of its own; each check is one command of `zerodha/rest.py`, each socket one
process of `zerodha/ticker.py` (its reactor runs once a process).
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from algo_simulator.testing import ACCOUNT, Sim, ticks

HERE = Path(__file__).parent / "zerodha"
FLAT = ticks([("09:15:00", "2000"), ("09:15:01", "2000")])
ENVIRONMENT = {**os.environ, "TZ": "Asia/Kolkata", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
RELIANCE, NIFTY = 738561, 256265


async def _standing_market(sim: Sim) -> None:
    """A world that has traded at 2000 and stands still there."""
    await sim.world({"NSE:RELIANCE": FLAT}, start_time="09:14:59", previous_closes={"NSE:RELIANCE": "2000"}, speed=20)
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= 1_618_199_101_000)
    await sim.call("POST", "/worlds/w/pause")


@pytest.mark.parametrize("check", ["session", "orders", "fills", "market", "quotes", "ohlc", "errors", "limits"])
async def test_rest(sim: Sim, kite_python: Path, check: str) -> None:
    await _standing_market(sim)
    process = await asyncio.create_subprocess_exec(
        str(kite_python),
        str(HERE / "rest.py"),
        sim.kite,
        check,
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    assert json.loads(out)["ok"]


async def _ticker(sim: Sim, python: Path, mode: str, tokens: list[int], *, token: str = "") -> dict[str, Any]:
    """Run the SDK's ticker; the market starts once it is connected."""
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(HERE / "ticker.py"),
        sim.kite.replace("http", "ws", 1),
        token or sim.token,
        mode,
        json.dumps(tokens),
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        if line.strip() == b"connected":
            await sim.call("POST", "/worlds/w/start", {"speed": 5})
            if mode == "orders":
                await sim.until(lambda view: view["now"] >= 1_618_199_101_000)
                await sim.place(price=2005, tag="update")
            line = await asyncio.wait_for(process.stdout.readline(), 30)
        code = await asyncio.wait_for(process.wait(), 10)
        assert code == 0, (line, (await process.stderr.read()).decode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return dict(json.loads(line))


async def _two_symbols(sim: Sim) -> None:
    index = ticks([("09:15:03", "14500.25"), ("09:15:04", "14500.30")])
    share = ticks([("09:15:03", "1990.05"), ("09:15:04", "2000.10")])
    await sim.world(
        {"NSE:RELIANCE": share, "NSE:NIFTY": index},
        symbols=["NSE:RELIANCE", "NSE:NIFTY"],
        previous_closes={"NSE:RELIANCE": "1980"},
        start_time="09:15:00",
    )


@pytest.mark.parametrize("mode", ["ltp", "quote", "full"])
async def test_ticks_in_every_mode(sim: Sim, kite_python: Path, mode: str) -> None:
    await _two_symbols(sim)
    seen = await _ticker(sim, kite_python, mode, [RELIANCE, NIFTY])
    share = next(t for t in seen["ticks"] if t["instrument_token"] == RELIANCE)
    index = next(t for t in seen["ticks"] if t["instrument_token"] == NIFTY)
    assert (share["mode"], share["last_price"], share["tradable"]) == (mode, 1990.05, True)
    assert (index["last_price"], index["tradable"]) == (14500.25, False)
    if mode != "ltp":
        assert share["ohlc"] == {"open": 1990.05, "high": 1990.05, "low": 1990.05, "close": 1980.0}
        assert share["volume_traded"] == 100
        assert index["ohlc"]["open"] == 14500.25
    if mode == "full":
        assert share["exchange_timestamp"] == index["exchange_timestamp"] == "2021-04-12 09:15:03"
        assert [level["price"] for level in share["depth"]["buy"]] == [1990.0, 1989.95, 1989.9, 1989.85, 1989.8]
        assert len(share["depth"]["sell"]) == 5


async def test_order_updates(sim: Sim, kite_python: Path) -> None:
    await sim.world({"NSE:RELIANCE": FLAT}, start_time="09:15:00")
    seen = await _ticker(sim, kite_python, "orders", [])
    assert [(o["status"], o["tag"], o["filled_quantity"]) for o in seen["orders"]] == [
        ("OPEN", "update", 0),
        ("COMPLETE", "update", 10),
    ]
    assert seen["orders"][-1]["average_price"] == 2000.0


async def test_a_bad_token_is_refused_at_the_handshake(sim: Sim, kite_python: Path) -> None:
    await sim.world({"NSE:RELIANCE": FLAT})
    seen = await _ticker(sim, kite_python, "refused", [], token="wrong")
    assert seen["connects"] == 0
    assert seen["closed"][0] == 1006
    assert "403" in seen["closed"][1]


def _day_rows() -> dict[str, bytes]:
    """A share at 1400 that falls to the stop at 20 s and rises to the trigger at 30 s; its neighbours stand still."""
    prices = ["1401", *["1400"] * 19, "1391", *["1400"] * 9, *["1411"] * 10]
    times = [f"09:15:{second:02}" for second in range(len(prices))]
    flat = {"NSE:TCS": "3000", "NFO:NIFTY25AUGFUT": "24600", "NSE:NIFTY": "24500"}
    rows = {key: ticks([(at, price) for at in times], "2025-08-01") for key, price in flat.items()}
    return {"NSE:RELIANCE": ticks(list(zip(times, prices, strict=True)), "2025-08-01"), **rows}


async def test_a_scripted_day(sim: Sim, kite_python: Path, scripted_day: Any) -> None:
    rows = _day_rows()
    holding = {"symbol": "RELIANCE", "quantity": 100, "average_price": "1200"}
    await sim.world(
        rows,
        date="2025-08-01",
        symbols=list(rows),
        previous_closes={"NSE:RELIANCE": "1390", "NSE:TCS": "2990"},
        accounts=[{**ACCOUNT, "holdings": [holding]}],
        speed=20,
    )
    result = await scripted_day(kite_python, HERE / "day.py", sim.kite)
    assert result["steps"] == [
        "login",
        "instruments",
        "quotes",
        "candles",
        "orders",
        "gtt",
        "stop",
        "holdings",
        "ticks",
        "errors",
    ]
