"""When the sockets may be opened again: Dhan counts handshakes for the whole account and blocks who comes too often.

A feed that lived long may be opened again at once, and so may one that ended soon, the first time; after that it waits
2 s, doubling to 60 s. After a handshake answered with 429, or an end with code 805 (too many connections), it is at
least 60 s, doubling to eight minutes. Seconds of a monotonic clock.
"""

from typing import Final

from algo_brokers.dhan.limits import COOL_OFF_S
from algo_brokers.errors import TooManyRequests

_FIRST_S: Final = 2.0
_LONGEST_S: Final = 60.0
_LONGEST_COOL_S: Final = 480.0
_SOON_S: Final = 10.0
"""A dead token is told by nothing but the end of the connection, moments after it was opened."""


class Reconnects:
    """One account's."""

    def __init__(self) -> None:
        self._not_before = 0.0
        self._opened_at = 0.0
        self._pause = 0.0
        """Before the handshake after the next short life."""
        self._cool = 0.0

    def check(self, now: float) -> None:
        """Called before a handshake.

        Raises:
            TooManyRequests: not yet; nothing was sent.
        """
        wait = self._not_before - now
        if wait > 0:
            raise TooManyRequests(f"the broker's sockets may be opened again in {wait:.0f} s: it blocks who hurries")

    def begun(self, now: float) -> None:
        """A handshake begins."""
        self._opened_at = now

    def ended(self, now: float) -> None:
        """An open feed is gone."""
        if now - self._opened_at >= _SOON_S:
            self._pause = self._cool = 0.0
            return
        self._not_before = max(self._not_before, now + self._pause)
        self._pause = min(max(self._pause * 2, _FIRST_S), _LONGEST_S)

    def too_many(self, now: float) -> None:
        """The broker said that there were too many."""
        self._cool = min(max(self._cool * 2, COOL_OFF_S), _LONGEST_COOL_S)
        self._not_before = now + self._cool
