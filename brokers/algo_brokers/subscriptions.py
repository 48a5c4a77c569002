"""What one market connection has asked for: nothing twice, and nothing beyond what the broker carries on it."""

from collections.abc import Iterable


class Asked:
    """The tokens of one connection."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: set[int] = set()

    def add(self, tokens: Iterable[int]) -> tuple[list[int], list[int]]:
        """Those to ask for, and those for which the connection has no room; what was asked for before is neither."""
        fresh, refused = [], []
        for token in dict.fromkeys(tokens):
            if token in self._held:
                continue
            if len(self._held) < self._limit:
                self._held.add(token)
                fresh.append(token)
            else:
                refused.append(token)
        return fresh, refused

    def remove(self, tokens: Iterable[int]) -> list[int]:
        """Those to take back; what was not asked for is left out."""
        gone = [token for token in dict.fromkeys(tokens) if token in self._held]
        self._held.difference_update(gone)
        return gone


def without_prices(count: int, limit: int) -> str:
    """What the trader is told of instruments for which there was no room."""
    return f"{count} instruments are without prices: one connection takes {limit:,} of this broker's own"
