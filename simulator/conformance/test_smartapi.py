"""The official `smartapi-python` SDK, unmodified but for its hosts, against the simulator.

The SDK runs in an environment and process of its own, in a temporary directory: it writes a log with tokens in it.
`angelone/day.py` plays one scripted day, REST and both sockets together.
"""

from pathlib import Path
from typing import Any

import pytest
from algo_simulator.angelone.testing import ACCOUNT
from algo_simulator.testing import TOKEN, Sim

from day_market import open_market

HERE = Path(__file__).parent / "angelone"
STEPS = ["login", "after_market", "instruments", "quotes", "candles", "orders", "money", "rules", "stop", "rule_fired"]
STEPS += ["ticks", "errors", "cut_off", "log_out"]


@pytest.fixture(scope="session")
def smartapi_python(sdk_python: Any) -> Path:
    """The interpreter that has the SmartAPI SDK."""
    found: Path = sdk_python("angelone")
    return found


async def test_a_whole_day(sim: Sim, smartapi_python: Path, scripted_day: Any, tmp_path: Path) -> None:
    await open_market(sim, ACCOUNT)
    address = sim.address("angelone")
    result = await scripted_day(smartapi_python, HERE / "day.py", address, sim.control, TOKEN, cwd=tmp_path)
    assert result["steps"] == STEPS
