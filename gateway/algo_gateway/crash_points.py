"""The gateway's places at which a test may stop it (`algo_crds.contracts.crash_points` says how)."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from algo_crds.contracts.crash_points import is_armed, mark_reached, stand_still

BEFORE_SEND: Final = "gateway.before_send"
AFTER_SEND: Final = "gateway.after_send"
AFTER_ACCEPT: Final = "gateway.after_accept"
AFTER_ROW: Final = "gateway.after_row"
POINTS: Final = (BEFORE_SEND, AFTER_SEND, AFTER_ACCEPT, AFTER_ROW)

CrashPoint = Callable[[str], None]


def create_crash_points(directory: Path | None, *, hang: Callable[[], None] = stand_still) -> CrashPoint:
    """A function to call at each point; it does nothing without a directory."""
    if directory is None:
        return lambda _point: None

    def reached(point: str) -> None:
        if is_armed(directory, point):
            mark_reached(directory, point)
            hang()

    return reached
