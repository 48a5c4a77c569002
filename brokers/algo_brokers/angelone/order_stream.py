"""The order status socket: JSON messages with one order each. Pure. Nothing is replayed after a reconnect.

Source: docs, WebSocket Order Status.
"""

from typing import Final

import msgspec
from algo_crds.contracts.orders import OrderRow

from algo_brokers.angelone import names
from algo_brokers.angelone.envelope import decode
from algo_brokers.angelone.order_rows import Order, row_of
from algo_brokers.errors import BadAnswer

GREETING: Final = "AB00"
"""First message of a connection, with an empty order."""
CODES: Final = frozenset(f"AB{number:02}" for number in range(1, 12))
"""Open, cancelled, rejected, modified, complete, three of after-market orders, three pending ones."""


class _Message(msgspec.Struct, frozen=True, rename="kebab"):
    order_status: str
    status_code: str | int = "200"
    error_message: str | None = None
    order_data: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"null"), name="orderData")


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """An order changed. `row` is None for a kind of order that is never ours."""

    order_id: str
    unique_id: str
    row: OrderRow | None


def read(payload: bytes, *, read_at: int, name_of: names.NameOf) -> Update | None:
    """A message; None for the greeting and for answers to heartbeats.

    Raises:
        BadAnswer: the message cannot be read, or is of a kind that nobody documented: an order may have been missed.
    """
    if payload.strip() in (b"", b"pong", b"ping"):
        return None
    message = decode(payload, _Message, "order update")
    if str(message.status_code) != "200":
        raise BadAnswer(f"the order socket reports {message.status_code}: {message.error_message or 'no text'}")
    if message.order_status == GREETING:
        return None
    if message.order_status not in CODES:
        raise BadAnswer(f"order update of the unknown kind {message.order_status!r}")
    order = decode(message.order_data, Order, "order update")
    return Update(
        order_id=order.orderid,
        unique_id=order.uniqueorderid or order.orderid,
        row=row_of(order, read_at=read_at, name_of=name_of),
    )
