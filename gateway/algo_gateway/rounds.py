"""One participant for many runners: when the account as a whole has handled a round of a replayed market.

Pure. The account is idle when every runner that counts has answered the newest beat. A runner counts from `Armed` on,
and goes on counting when its connection breaks, so that the market waits for it (the simulator bounds the wait).
"""

import msgspec


class RunnerIdle(msgspec.Struct, frozen=True):
    """A runner's newest answer."""

    seq: int
    in_flight: int
    wake_at: int | None


class Rounds:
    """The newest beat and who has answered it; mutable, owned by the hub."""

    def __init__(self) -> None:
        self.seq = 0
        self._idle: dict[str, RunnerIdle | None] = {}

    def armed(self, strategy: str) -> None:
        """The runner counts from the next beat on; it owes nothing for the one that is under way."""
        self._idle[strategy] = RunnerIdle(self.seq, 0, None)

    def lost(self, strategy: str) -> None:
        """Its connection broke: it owes an answer until it is armed again."""
        if strategy in self._idle:
            self._idle[strategy] = None

    def is_lost(self, strategy: str) -> bool:
        """Whether it counts and has not come back."""
        return strategy in self._idle and self._idle[strategy] is None

    def gone(self, strategy: str) -> None:
        """It ended for good (its strategy was removed)."""
        self._idle.pop(strategy, None)

    def names(self) -> tuple[str, ...]:
        """Strategies that count, here or on their way back."""
        return tuple(self._idle)

    def beat(self, seq: int) -> None:
        """A new round: every runner that counts owes an answer."""
        self.seq = seq

    def answer(self, strategy: str, idle: RunnerIdle) -> None:
        """A runner's `Idle`; an answer of an earlier round, or of one who does not count, is kept out."""
        if strategy in self._idle and idle.seq == self.seq:
            self._idle[strategy] = idle

    def waiting_for(self) -> tuple[str, ...]:
        """Runners that have not answered the newest beat."""
        return tuple(name for name, idle in self._idle.items() if idle is None or idle.seq != self.seq)

    def in_flight(self) -> int:
        """Calls of all runners that have no answer yet."""
        return sum(idle.in_flight for idle in self._idle.values() if idle is not None)

    def wake_at(self) -> int | None:
        """The earliest instant that any engine waits for."""
        return min(
            (idle.wake_at for idle in self._idle.values() if idle is not None and idle.wake_at is not None),
            default=None,
        )
