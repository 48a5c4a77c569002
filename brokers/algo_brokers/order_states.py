"""One rule of all adapters for an order status that nobody documented (docs/adr/0006-unknown-order-status.md).

The row is kept and is `PENDING`: never final, never protective. Its message begins with the text below, by which the
gateway knows it and tells a person.
"""

from typing import Final

from algo_crds.contracts.orders import OrderRow, OrderStatus

UNKNOWN_STATUS: Final = "unknown status"


def unknown_status(word: object) -> tuple[OrderStatus, str]:
    """Status and message of a row whose broker says `word`, which is none that is documented."""
    return OrderStatus.PENDING, f"{UNKNOWN_STATUS} {word!r}"


def is_unknown(row: OrderRow) -> bool:
    """Whether an adapter did not know the status of a row."""
    return row.status is OrderStatus.PENDING and row.message.startswith(UNKNOWN_STATUS)
