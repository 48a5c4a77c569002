"""The gateway's places at which a test may stop it (`algo_crds.contracts.crash_points` says how)."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from algo_brokers.http import HttpAnswer, HttpRequest, Transport
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


def crashing_after_send(send: Transport, crash: CrashPoint) -> Transport:
    """An order transport with a crash point between the bytes and the answer."""

    async def marked(request: HttpRequest, *, timeout_s: float) -> HttpAnswer:
        under_way = asyncio.create_task(send(request, timeout_s=timeout_s))
        await asyncio.sleep(0.05)  # the bytes are out
        crash(AFTER_SEND)
        return await under_way

    return marked
