"""Named places at which a test may stop the process for good, to kill it there.

Only with `ALGO_CRASH_DIR`: when the process reaches point NAME and a file `<dir>/NAME` exists, it writes
`<dir>/NAME.reached` and hangs until it is killed. A point that was reached once is passed the next time, so that the
restarted process goes on.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

PREFIX: Final = "runner."
POINTS: Final = (
    "before_intent",
    "after_intent",
    "after_send",
    "after_accept",
    "after_fill",
    "after_stop",
    "during_exit",
)
"""Between every two steps of an order's life."""

Armed = Callable[[str], bool]


def create_crash_points(directory: Path | None) -> Armed:
    """A function that says whether the process must stop at a point; always False without a directory."""
    if directory is None:
        return lambda _point: False

    def armed(point: str) -> bool:
        marker = directory / f"{PREFIX}{point}"
        return marker.exists() and not marker.with_name(f"{marker.name}.reached").exists()

    return armed


def hang(directory: Path, point: str) -> None:
    """Say that a point is reached and never go on."""
    directory.joinpath(f"{PREFIX}{point}.reached").write_text(f"{time.time_ns()}\n")
    while True:
        time.sleep(3600)
