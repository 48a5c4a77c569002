"""The runner's places at which a test may stop it (`algo_crds.contracts.crash_points` says how)."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from algo_crds.contracts.crash_points import is_armed, mark_reached, stand_still

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
    return lambda point: is_armed(directory, f"{PREFIX}{point}")


def hang(directory: Path, point: str) -> None:
    """Say that a point is reached and never go on."""
    mark_reached(directory, f"{PREFIX}{point}")
    stand_still()
