"""Every numbered case at every broker, and the page that shows them (`scripts/broker_cases.py`)."""

import cases_feed  # noqa: F401
import cases_market  # noqa: F401
import cases_orders  # noqa: F401
import cases_quantity  # noqa: F401
import cases_session  # noqa: F401
import cases_triggers  # noqa: F401
import pytest
from algo_brokers.registry import ADAPTERS
from case import CASES
from desk import open_desk

RUNS = [
    pytest.param(broker, number, id=f"{number}-{broker}")
    for number, case in sorted(CASES.items())
    for broker in ADAPTERS
    if broker not in case.exempt
]


@pytest.mark.parametrize(("broker", "number"), RUNS)
async def test_case(broker: str, number: str) -> None:
    case = CASES[number]
    async with open_desk(broker, **case.world) as desk:
        if case.logged_in:
            await desk.log_in()
        await case.act(desk)
