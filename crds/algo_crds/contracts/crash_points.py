"""Files by which a test stops a runner or gateway for good at a named place, to kill it there.

Only with `ALGO_CRASH_DIR`: a process that reaches point NAME while a file `<dir>/NAME` exists writes
`<dir>/NAME.reached` and stands still until it is killed. A point that was reached once is passed the next time, so that
the restarted process goes on.
"""

import time
from pathlib import Path
from typing import NoReturn


def is_armed(directory: Path, point: str) -> bool:
    """Whether the process must stop at this point."""
    return (directory / point).exists() and not _reached(directory, point).exists()


def mark_reached(directory: Path, point: str) -> None:
    """Say that the process stands at this point."""
    _reached(directory, point).write_text(f"{time.time_ns()}\n")


def stand_still() -> NoReturn:
    """Wait to be killed; nothing else of the process goes on."""
    while True:
        time.sleep(3600)


def _reached(directory: Path, point: str) -> Path:
    return directory / f"{point}.reached"
