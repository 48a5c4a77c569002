"""The second id of each order: one order is asked for by `uniqueorderid`, everything else speaks of `orderid`."""

from collections.abc import Mapping
from typing import Final

_KEPT: Final = 20_000
"""More than the order calls of many days; the oldest go first."""


class UniqueIds:
    """What answers, books and updates told. An order that is not in it is looked for in the book."""

    def __init__(self) -> None:
        self._unique: dict[str, str] = {}

    def learn(self, order_id: str, unique_id: str) -> None:
        """One order's two ids."""
        self._unique.pop(order_id, None)
        self._unique[order_id] = unique_id
        while len(self._unique) > _KEPT:
            del self._unique[next(iter(self._unique))]

    def learn_all(self, ids: Mapping[str, str]) -> None:
        """Those of a book."""
        for order_id, unique_id in ids.items():
            self.learn(order_id, unique_id)

    def of(self, order_id: str) -> str | None:
        """The longer id, if it was told."""
        return self._unique.get(order_id)
