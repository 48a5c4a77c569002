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
from algo_simulator.fyers.app import MARKET_SOCKETS
from algo_simulator.fyers.testing import FyersUser
from algo_simulator.testing import Sim, ticks

HERE = Path(__file__).parent / "fyers"
FLAT = ticks([("09:15:00", "2000"), ("09:15:01", "2000")])
ENVIRONMENT = {**os.environ, "TZ": "Asia/Kolkata", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
SHARE, INDEX = "NSE:RELIANCE-EQ", "NSE:NIFTY50-INDEX"
HOLDING = {"symbol": "NSE:RELIANCE", "quantity": 5, "average_price": "1900", "t1_quantity": 2}
CHECKS = ["session", "orders", "fills", "stops_and_baskets", "gtt", "market", "instruments", "errors"]
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
    await _rest(sim, fyers_python, tmp_path, check)


async def test_limits(sim: Sim, fyers_python: Path, tmp_path: Path) -> None:
    """A world that waits for a participant has a clock that stands: any number of calls is within one second."""
    await FyersUser(sim).world({"NSE:RELIANCE": FLAT}, participants=1)
    await sim.call("POST", "/worlds/w/start")
    await _rest(sim, fyers_python, tmp_path, "limits")


async def _rest(sim: Sim, python: Path, cwd: Path, check: str) -> None:
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(HERE / "rest.py"),
        sim.address("fyers"),
        check,
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode() + out.decode()
    assert json.loads(out.splitlines()[-1])["ok"]


async def _sockets(user: FyersUser, python: Path, cwd: Path, *scenes: str, token: str = "") -> list[dict[str, Any]]:
    """Run sockets of the SDK side by side; the market starts once all have subscribed. `orders` has a fill told."""
    processes = []
    for scene in scenes:
        (cwd / scene).mkdir()
        script = HERE / ("orders.py" if scene.startswith("orders") else "market.py")
        process = await asyncio.create_subprocess_exec(
            str(python),
            str(script),
            user.root,
            scene,
            token or user.token,
            cwd=cwd / scene,
            env=ENVIRONMENT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        processes.append(process)
    try:
        lines = [await _line(process) for process in processes]
        if all(line.strip() == b"connected" for line in lines):
            await user.sim.call("POST", "/worlds/w/start", {"speed": 5})
            if "orders" in scenes:
                await user.sim.until(lambda view: view["now"] >= 1_618_199_103_000)
                await user.place(limitPrice=2005.0, orderTag="update")
            lines = [await _line(process) for process in processes]
        for process in processes:
            code = await asyncio.wait_for(process.wait(), 10)
            assert process.stderr is not None
            assert code == 0, (lines, (await process.stderr.read()).decode())
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return [json.loads(line) for line in lines]


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    return await asyncio.wait_for(process.stdout.readline(), 40)


async def _two_symbols(sim: Sim, **account: Any) -> FyersUser:
    user = FyersUser(sim)
    share = ticks([("09:15:03", "1990.05"), ("09:15:04", "2000.10")])
    await user.world(
        {"NSE:RELIANCE": share, "NSE:NIFTY": ticks([("09:15:03", "14500.25"), ("09:15:04", "14500.30")])},
        symbols=["NSE:RELIANCE", "NSE:NIFTY"],
        previous_closes={"NSE:RELIANCE": "1980", "NSE:NIFTY": "14400"},
        start_time="09:15:00",
        account=account,
    )
    return user


async def test_every_mode_side_by_side(sim: Sim, fyers_python: Path, tmp_path: Path) -> None:
    scenes = ("full", "lite", "depth", "channels", "orders")
    seen = await _sockets(await _two_symbols(sim), fyers_python, tmp_path, *scenes)
    full, lite, depth, channels, orders = seen
    _check_full(full)
    assert lite["controls"][1] == ["lit", 200, "Lite Mode On"]
    shares = [(tick["ltp"], tick["type"]) for tick in lite["ticks"] if tick["symbol"] == SHARE]
    assert shares == [(1980.0, "sf"), (1990.05, "sf"), (2000.1, "sf")]
    _check_depth(depth["ticks"][-1])
    assert ["cp", 200, "Channel Paused"] in channels["controls"]
    assert [tick["ltp"] for tick in channels["ticks"] if tick["symbol"] == SHARE] == [1980.0]
    _check_orders(orders)


def _check_full(seen: dict[str, Any]) -> None:
    assert seen["controls"] == [
        ["cn", 200, "Authentication done"],
        ["ful", 200, "Full Mode On"],
        ["sub", 200, "Subscribed"],
    ]
    assert seen["errors"] == []
    shares = [tick for tick in seen["ticks"] if tick["symbol"] == SHARE]
    index = [tick for tick in seen["ticks"] if tick["symbol"] == INDEX]
    assert [tick["ltp"] for tick in shares] == [1980.0, 1990.05, 2000.1]
    assert [tick["ltp"] for tick in index] == [14400.0, 14500.25, 14500.3]
    assert {tick["type"] for tick in shares} == {"sf"}
    assert {tick["type"] for tick in index} == {"if"}
    last = shares[-1]
    assert (last["open_price"], last["high_price"], last["low_price"]) == (1990.05, 2000.1, 1990.05)
    assert (last["prev_close_price"], last["vol_traded_today"]) == (1980.0, 200)
    assert last["last_traded_time"] == last["exch_feed_time"] == 1_618_199_104
    assert (last["bid_price"], last["ask_price"], last["ch"]) == (2000.05, 2000.15, 20.1)
    assert (index[-1]["open_price"], index[-1]["exch_feed_time"]) == (14500.25, 1_618_199_104)


def _check_depth(depth: dict[str, Any]) -> None:
    assert (depth["type"], depth["symbol"]) == ("dp", SHARE)
    assert [depth[f"bid_price{n}"] for n in range(1, 6)] == [2000.05, 2000.0, 1999.95, 1999.9, 1999.85]
    assert [depth[f"ask_price{n}"] for n in range(1, 6)] == [2000.15, 2000.2, 2000.25, 2000.3, 2000.35]
    assert (depth["bid_size1"], depth["ask_order5"]) == (100, 5)


def _check_orders(seen: dict[str, Any]) -> None:
    assert seen["general"] == [{"code": 1605, "message": "Successfully subscribed", "s": "ok"}]
    told = [message["orders"] for message in seen["orders"]]
    stages = [(one["status"], one["filledQty"], one["remainingQuantity"]) for one in told]
    assert stages == [(4, 0, 10), (6, 0, 10), (2, 10, 0)]
    assert {one["orderTag"] for one in told} == {"1:update"}
    assert (told[-1]["tradedPrice"], told[-1]["type"], told[-1]["id_fyers"]) == (1990.05, 1, told[0]["id_fyers"])
    trade, position = seen["trades"][0]["trades"], seen["positions"][0]["positions"]
    assert (trade["orderNumber"], trade["tradedQty"], trade["tradePrice"]) == (told[0]["id"], 10, 1990.05)
    assert (position["symbol"], position["netQty"], position["side"]) == (SHARE, 10, 1)


async def test_acknowledgements_and_messages_for_people(sim: Sim, fyers_python: Path, tmp_path: Path) -> None:
    user = await _two_symbols(sim, quirks=["acknowledge", "chatty"])
    task = asyncio.create_task(_sockets(user, fyers_python, tmp_path, "acknowledge"))
    [app] = [runner.app for runner in sim.servers.runners if MARKET_SOCKETS in runner.app]
    account = sim.servers.worlds.get("w").world.accounts["XS00001"]
    acknowledged = 0
    while not task.done():
        states = [connection.state for connection in app[MARKET_SOCKETS].open(account)]
        acknowledged = max([acknowledged, *(state.acknowledged for state in states)])
        await asyncio.sleep(0.02)
    [seen] = await task
    assert acknowledged in (2, 4)  # The process may end before the last one arrives.
    assert [(error["type"], error["code"]) for error in seen["errors"]] == [("msg", 51000)]
    assert {tick["symbol"]: tick["ltp"] for tick in seen["ticks"]} == {SHARE: 2000.1, INDEX: 14500.3}


async def test_unknown_symbols_index_depth_and_unsubscribing(sim: Sim, fyers_python: Path, tmp_path: Path) -> None:
    [seen] = await _sockets(await _two_symbols(sim), fyers_python, tmp_path, "errors")
    assert [(error["code"], error["message"]) for error in seen["errors"]] == [
        (-300, "Index does not have market depth"),
        (-300, "Please provide a valid symbol"),
    ]
    assert seen["errors"][1]["invalid_symbols"] == ["NSE:NOPE-EQ"]
    assert seen["controls"][-1] == ["unsub", 200, "Unsubscribed"]


async def test_dead_and_malformed_tokens(sim: Sim, fyers_python: Path, tmp_path: Path) -> None:
    user = await _two_symbols(sim)
    old = user.token
    await user.login()
    market, orders = await _sockets(user, fyers_python, tmp_path, "refused", "orders_refused", token=old)
    assert [(error["type"], error["code"]) for error in market["errors"]] == [("cn", 11001)]
    assert "403" in orders["errors"][0]
    [seen] = await _sockets(user, fyers_python, tmp_path, "malformed", token="nonsense")
    assert seen["errors"][0]["code"] == -300


def _day_rows() -> dict[str, bytes]:
    """A share at 1400 that falls to the stop at 20 s and rises to the trigger at 30 s; its neighbours stand still."""
    prices = ["1401", *["1400"] * 19, "1391", *["1400"] * 9, *["1411"] * 10]
    times = [f"09:15:{second:02}" for second in range(len(prices))]
    flat = {"NSE:TCS": "3000", "NFO:NIFTY25AUGFUT": "24600", "NSE:NIFTY": "24500"}
    rows = {key: ticks([(at, price) for at in times], "2025-08-01") for key, price in flat.items()}
    return {"NSE:RELIANCE": ticks(list(zip(times, prices, strict=True)), "2025-08-01"), **rows}


async def test_a_scripted_day(sim: Sim, fyers_python: Path, tmp_path: Path, scripted_day: Any) -> None:
    rows = _day_rows()
    user = FyersUser(sim)
    await user.world(
        rows,
        date="2025-08-01",
        symbols=list(rows),
        previous_closes={"NSE:RELIANCE": "1390", "NSE:TCS": "2990"},
        account={"holdings": [{"symbol": "RELIANCE", "quantity": 100, "average_price": "1200"}]},
        speed=20,
    )
    result = await scripted_day(fyers_python, HERE / "day.py", user.root, cwd=tmp_path)
    steps = ["login", "instruments", "quotes", "candles", "orders", "gtt", "stop", "holdings", "ticks", "errors"]
    assert result["steps"] == steps
