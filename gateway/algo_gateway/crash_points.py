"""Named places at which a test may stop the process for good, to kill it there.

Only with `ALGO_CRASH_DIR`: at point NAME (all begin with `gateway.`), if a file `<dir>/NAME` exists and was not reached
before, the process writes `<dir>/NAME.reached` and hangs until it is killed.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

BEFORE_SEND: Final = "gateway.before_send"
AFTER_SEND: Final = "gateway.after_send"
AFTER_ACCEPT: Final = "gateway.after_accept"
AFTER_ROW: Final = "gateway.after_row"

CrashPoint = Callable[[str], None]


def create_crash_points(directory: Path | None, *, hang: Callable[[], None] | None = None) -> CrashPoint:
    """A function to call at each point; it does nothing without a directory."""
    if directory is None:
        return lambda _point: None

    def stop_for_good() -> None:
        while True:
            time.sleep(3600)

    def reached(point: str) -> None:
        marker = directory / point
        done = marker.with_name(f"{marker.name}.reached")
        if marker.exists() and not done.exists():
            done.write_text(f"{time.time_ns()}\n")
            (hang or stop_for_good)()

    return reached
