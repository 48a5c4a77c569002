"""The circuit breaker of an account: pure, with monotonic time passed in.

It stops entries and trailing only; what protects or exits passes at any time, and who may try while it is
half-open: both are rules of the order door, not of this module.
"""

from collections import deque
from enum import StrEnum

from algo_crds.contracts.constants import SHELL, ShellConstants


class BreakerState(StrEnum):
    """Closed lets through, open does not, half-open lets one call try."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Opens after a number of failures in a span, tries again after a pause."""

    __slots__ = ("_constants", "_failures", "_opened_at")

    def __init__(self, constants: ShellConstants = SHELL) -> None:
        """Closed."""
        self._constants = constants
        self._failures: deque[int] = deque()
        self._opened_at: int | None = None

    def state(self, now: int) -> BreakerState:
        """The state at `now` (monotonic ms)."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        if now - self._opened_at >= self._constants.breaker_half_open_ms:
            return BreakerState.HALF_OPEN
        return BreakerState.OPEN

    def failed(self, now: int) -> None:
        """A call did not get an answer that can be trusted."""
        if self._opened_at is not None:
            if self.state(now) is BreakerState.HALF_OPEN:
                self._opened_at = now
            return
        self._failures.append(now)
        while self._failures[0] <= now - self._constants.breaker_window_ms:
            self._failures.popleft()
        if len(self._failures) >= self._constants.breaker_failures:
            self._opened_at = now
            self._failures.clear()

    def succeeded(self, now: int) -> None:
        """The broker answered. Closes the breaker from half-open; failures in the span stay counted."""
        if self.state(now) is BreakerState.HALF_OPEN:
            self._opened_at = None
