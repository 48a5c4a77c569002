"""Entries of nobody: live orders that could still open a position while no runner is there to guard it.

Stops and exits are never among them, because a resting sell may be all that protects a position. Pure.
"""

from collections.abc import Callable, Iterable
from typing import Final

from algo_crds.contracts.orders import OrderRow
from algo_crds.contracts.tags import parse_tag

ALONE_MS: Final = 60_000
"""How long a strategy may be away (wall time), and how old its entry must be (session time): a runner that is restarted
or that finds a restarted gateway is back long before."""


class Orphans:
    """Since when each live entry has been alone, and which were asked to be cancelled; mutable, owned by the door."""

    def __init__(self) -> None:
        self._alone: dict[str, tuple[int, int]] = {}
        self._asked: set[str] = set()

    def due(
        self, entries: Iterable[OrderRow], *, connected: Callable[[str], bool], now: int, wall: int
    ) -> tuple[OrderRow, ...]:
        """Entries to cancel now; call it regularly.

        Args:
            entries: live orders of leg Entry.
            connected: whether the strategy with this hash has a runner at the door.
            now: session time; `wall`: monotonic ms.
        """
        alone: dict[str, tuple[int, int]] = {}
        found = []
        for row in entries:
            tag = parse_tag(row.tag)
            if tag is None or connected(tag.strategy_hash):
                continue
            since_wall, since = alone[row.broker_order_id] = self._alone.get(row.broker_order_id, (wall, now))
            old = now - (row.order_time or since) >= ALONE_MS
            if old and wall - since_wall >= ALONE_MS and row.broker_order_id not in self._asked:
                found.append(row)
        self._alone = alone
        return tuple(found)

    def asked(self, broker_order_id: str) -> None:
        """Its cancel is on its way: once is all that is tried without a runner."""
        self._asked.add(broker_order_id)
