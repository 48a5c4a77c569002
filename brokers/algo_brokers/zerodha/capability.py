"""What Zerodha can do, as far as it is documented. Each value says where it comes from."""

from typing import Final

from algo_crds.contracts.wire import Capability

CAPABILITY: Final = Capability(
    broker="zerodha",
    # Kite Connect docs, orders: `order_type`, `price` and `trigger_price` may be changed on a live order.
    convert_stop_to_exit=True,
    # Not documented; the total is the working assumption. A partly filled sell is never modified on it alone.
    modify_quantity_is_total=True,
    # Order statuses: TRIGGER PENDING.
    has_trigger_status=True,
    # Kite Connect docs, exceptions: 25 modifications per order.
    max_modifications=25,
    # Staff: allow several seconds for an order to appear in the book.
    visibility_delay_ms=10_000,
    # There is no look-up by tag; the book is read and filtered.
    read_by_tag=False,
    # No published distance between trigger and limit outside option price protection.
    max_trigger_gap_bp=1_000,
    intraday=True,
    delivery=True,
    short=True,
)
