"""The one timer of a runner: when the engine wants its next `Clock`, for a market whose clock is the wall.

A replayed market has no timer: its beats bring the time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

LEAST_S: Final = 0.001
"""At once means a moment later: an order that has just been written is taken up by the gateway first, which often waits
for the same CPU, and only then does this process go on with what people want to know."""


@dataclass(slots=True)
class WakeTimer:
    """Calls `fire` once, no earlier than the instant that was asked for last."""

    fire: Callable[[], None]
    _handle: asyncio.TimerHandle | None = field(default=None)
    _at: int = field(default=0)

    def set(self, at: int, now: int) -> None:
        """Replace the earlier instant; 0 means never. Both in ms of session time."""
        if at == self._at and self._handle is not None:
            return
        self.clear()
        if at:
            self._at = at
            self._handle = asyncio.get_running_loop().call_later(max((at - now) / 1000, LEAST_S), self._fire)

    def clear(self) -> None:
        """Forget the instant."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle, self._at = None, 0

    def _fire(self) -> None:
        self._handle, self._at = None, 0
        self.fire()
