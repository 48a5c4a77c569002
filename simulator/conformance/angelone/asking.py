"""How a driver asks the SDK and the test: patiently, for most books may be read once a second only."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from hosts import report
from SmartApi.smartExceptions import DataException

OPEN = 1_754_019_900_000
"""09:15 of 2025-08-01."""
OVER_LIMIT = "exceeding access rate"


def until(second: float) -> None:
    """Let the market move on to so many seconds after the opening, and stand still there."""
    print(json.dumps({"until": OPEN + int(second * 1000)}), file=report)
    assert sys.stdin.readline()


def soon(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; sockets are read in threads of their own."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def asked(call: Callable[..., Any], *arguments: Any) -> Any:
    """The SDK's answer; over a limit it is asked again."""
    for _ in range(60):
        try:
            return call(*arguments)
        except DataException as error:
            assert OVER_LIMIT in str(error), error
            time.sleep(0.1)
    raise AssertionError(f"{call} is over its limit for six seconds")


def done(call: Callable[..., Any], *arguments: Any) -> Any:
    """The data of a success."""
    answer = asked(call, *arguments)
    assert (answer["status"], answer["message"], answer["errorcode"]) == (True, "SUCCESS", ""), answer
    return answer["data"]


def refused(code: str, text: str, call: Callable[..., Any], *arguments: Any) -> None:
    """The call is refused with a code, in either of the two JSON shapes."""
    answer = asked(call, *arguments)
    assert not answer.get("status", answer.get("success")), answer
    assert answer.get("errorcode", answer.get("errorCode")) == code, answer
    assert text in answer["message"], answer
