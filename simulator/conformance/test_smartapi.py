"""The official `smartapi-python` SDK, unmodified but for its hosts, against the simulator.

The SDK runs in an environment and process of its own, in a temporary directory: it writes a log with tokens in it.
`angelone/day.py` plays one scripted day, REST and both sockets together.
"""

from pathlib import Path
from typing import Any

import pytest
from algo_simulator.angelone.testing import ACCOUNT
from algo_simulator.testing import TOKEN, Sim, ticks

HERE = Path(__file__).parent / "angelone"
STEPS = ["login", "after_market", "instruments", "quotes", "candles", "orders", "money", "rules", "stop", "rule_fired"]
STEPS += ["ticks", "errors", "cut_off", "log_out"]


@pytest.fixture(scope="session")
def smartapi_python(sdk_python: Any) -> Path:
    """The interpreter that has the SmartAPI SDK."""
    found: Path = sdk_python("angelone")
    return found


def _seconds(prices: dict[int, str], last: int = 60) -> bytes:
    """One price a second from 09:15 on: each lasts until the next."""
    rows, price = [], ""
    for second in range(last):
        price = prices.get(second, price)
        rows.append((f"09:15:{second:02}", price))
    return ticks(rows, "2025-08-01")


async def test_a_whole_day(sim: Sim, smartapi_python: Path, scripted_day: Any, tmp_path: Path) -> None:
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
    address = sim.address("angelone")
    result = await scripted_day(smartapi_python, HERE / "day.py", address, sim.control, TOKEN, cwd=tmp_path)
    assert result["steps"] == STEPS
