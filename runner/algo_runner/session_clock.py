"""Session time as the runner knows it: the gateway's clock, carried on by our own between its messages.

For a source with its own clock (a replayed or synthetic market) time stands still between messages. For a broker it is
the wall clock: each message brings the gateway's, and the monotonic clock carries it on, so that a jump of the node's
wall clock moves nothing. It never runs backwards.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class SessionClock:
    """Session time in ms; `monotonic` and `wall` are given in seconds."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]
    own_clock: bool = False
    known: bool = False
    """Whether a gateway has told the time yet."""
    _last: int = 0
    _synced_at: float = 0.0
    _synced: int = 0

    def observe(self, now: int) -> int:
        """A message told the time; the result is the time of its handling."""
        self._synced = now
        self._synced_at = self.monotonic()
        self.known = True
        if now > self._last:
            self._last = now
        return self._last

    def now(self) -> int:
        """The time between messages."""
        if not self.own_clock:
            elapsed = int((self.monotonic() - self._synced_at) * 1000)
            now = self._synced + elapsed if self.known else int(self.wall() * 1000)
            if now > self._last:
                self._last = now
        return self._last

    def wall_ms(self) -> int:
        """The wall clock in ms, for people and for counting time outside protection."""
        return int(self.wall() * 1000)
