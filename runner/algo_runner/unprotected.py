"""Wall time with a position that no confirmed stop and no armed watch protects.

The engine counts session time; people ask for real time. A restart counts as unprotected from the last time that was
written down, if the position was unprotected then.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class UnprotectedTime:
    """Sums intervals of wall time, in ms."""

    total: int = 0
    since: int = 0
    """Start of the running interval; 0 when there is none."""

    def observe(self, unprotected: bool, wall: int) -> None:
        """What holds from now on."""
        if unprotected and not self.since:
            self.since = wall
        elif not unprotected and self.since:
            self.total += max(wall - self.since, 0)
            self.since = 0

    def read(self, wall: int) -> int:
        """The sum up to now."""
        return self.total + (max(wall - self.since, 0) if self.since else 0)
