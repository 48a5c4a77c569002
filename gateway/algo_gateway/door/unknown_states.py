"""Orders of whose state the broker says a word that nobody documented: each is told once, whoever's order it is."""

from algo_brokers.order_states import is_unknown
from algo_crds.contracts.orders import OrderRow

from algo_gateway.door.effects import Notice

UNKNOWN_ORDER_STATUS = "UnknownOrderStatus"
"""Code of the notice."""


class UnknownStates:
    """Remembers which orders were told."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def notices(self, row: OrderRow) -> list[Notice]:
        """The notice of a row, if it is the first of its order with such a state."""
        if not is_unknown(row) or row.broker_order_id in self._told:
            return []
        self._told.add(row.broker_order_id)
        text = (
            f"order {row.broker_order_id} ({row.exchange}:{row.symbol}): {row.message}; it counts as pending, never as "
            "final or as protection: look at it on the broker's page"
        )
        return [Notice(UNKNOWN_ORDER_STATUS, text, error=True)]
