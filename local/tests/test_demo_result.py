"""What a run is said to have been: the stop that stood although it has become the exit, and why nothing was bought."""

import io
from typing import Any

from algo_local.demo.result import Follower, build_result
from algo_local.demo.screen import summary
from algo_local.demo.services import StreamEvent
from rich.console import Console

WORLD = {"name": "demo-1", "barrier_timeouts": 0, "speed_reached": 100.0}


def told(result: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(summary(result))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def order(leg: str, trigger: str | None) -> StreamEvent:
    return StreamEvent("1-0", "order", {"order": {"leg": leg, "trigger": trigger}})


def test_the_stop_that_stood_last_is_told_after_an_exit_by_time() -> None:
    follower = Follower()
    for event in (order("Entry", None), order("Stop", "1900.00"), order("Stop", "1924.75"), order("Stop", None)):
        follower.take(event)
    strategy = {"id": "str_1", "phase": "Sold", "entry_price": "1944.15", "exit_price": "1950.00", "stop_price": None}
    result = build_result(follower, strategy | {"unprotected_seconds": 0.0}, WORLD, "zerodha")
    assert result["stop_price"] == "1924.75"
    assert "1924.75" in told(result)


def test_a_run_without_an_entry_says_why() -> None:
    why = "the quantity 10 is not a multiple of the lot of 75"
    strategy = {"id": "str_1", "phase": "Waiting", "reason": "LotSize", "message": why, "pnl": "0.00"}
    strategy["unprotected_seconds"] = "0.0"
    text = told(build_result(Follower(), strategy, WORLD, "zerodha"))
    assert f"did not buy {why}" in " ".join(text.split())
    assert "None" not in text
