"""How the drivers ask: the market to move on, the SDK for what must succeed or be refused, other threads to be done."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from hosts import report

OPEN = 1754019900  # 2025-08-01 09:15:00 in India
PACE_CODES = ("DH-904", None)
"""What a refusal over a limit carries: the quotes family has another body, of which the SDK reads nothing."""


def until(seconds: float) -> None:
    """Let the market run on to so many seconds after 09:15."""
    print(json.dumps({"until": int((OPEN + seconds) * 1000)}), file=report)
    sys.stdin.readline()


def done(call: Callable[..., dict[str, Any]], *args: Any, **named: Any) -> Any:
    """The data of a call that must succeed, again after a while where it was over the second's limit."""
    for _ in range(20):
        answer = call(*args, **named)
        if answer["status"] == "success":
            return answer["data"]
        code = answer["remarks"]["error_code"] if isinstance(answer["remarks"], dict) else "none"
        assert code in PACE_CODES, answer
        time.sleep(0.4)
    raise AssertionError(f"over the limit for too long: {answer}")


def refused(code: str, text: str, call: Callable[..., dict[str, Any]], *args: Any, **named: Any) -> None:
    for _ in range(20):
        answer = call(*args, **named)
        assert answer["status"] == "failure", answer
        remarks = answer["remarks"]
        if remarks["error_code"] != "DH-904":
            assert (remarks["error_code"], text in remarks["error_message"]) == (code, True), remarks
            assert remarks["error_type"], remarks
            return
        time.sleep(0.4)
    raise AssertionError("over the limit for too long")


def soon(condition: Callable[[], bool], what: str) -> None:
    """Wait for what another thread brings."""
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"never came: {what}")


def raises(call: Callable[..., Any], text: str, *args: Any) -> None:
    try:
        call(*args)
    except Exception as error:
        assert text in str(error), error
        return
    raise AssertionError(f"no exception: {text}")
