"""Session time of the account: the wall clock for a real broker, the world's own time for a replayed market."""

import time


class SessionClock:
    """The account's clock. A world's beat moves it; without a world it is the wall clock, monotonic between syncs."""

    def __init__(self, *, own: bool) -> None:
        self.own = own
        self._now = 0
        self._wall_offset = time.time() - time.monotonic()
        self.started_at = 0 if own else self.now()
        """The first instant that this process knew: whatever an earlier one sent, it sent before."""

    def now(self) -> int:
        """Session time in ms; 0 in a world that has not told its time yet."""
        if self.own:
            return self._now
        return int((time.monotonic() + self._wall_offset) * 1000)

    def set(self, now: int) -> None:
        """The world's time. It never runs backwards."""
        self._now = max(self._now, now)
        self.started_at = self.started_at or now


def monotonic_ms() -> int:
    """Wall time for time-outs, back-off and the breaker; never reaches the engine."""
    return int(time.monotonic() * 1000)
