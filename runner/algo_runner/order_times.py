"""When each order was made, by the wall clock. The engine reads no clock and counts session time, so this stands in the
shell beside its state, and is kept with it over restarts.

An order is made where it is first told of as on its way to the broker. One that is first heard of in another status was
found (in the book, at the door, in the journal): nobody here saw when it was made, and no time is better than a wrong
one.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from algo_crds.contracts.orders import OrderStatus
from algo_crds.contracts.runtime import OrderEvent, StrategyEvent, StrategyView

UNKNOWN: Final = 0
_MADE: Final = (OrderStatus.INTENDED, OrderStatus.SENT)
_decoder = msgspec.json.Decoder(dict[str, int])


class OrderTimes:
    """Wall times (ms) by tag; `UNKNOWN` for an order that was there before."""

    def __init__(self, kept: bytes | None = None, orders: Iterable[str] = ()) -> None:
        """`kept` is what `text` gave before the restart, `orders` are the tags that the restored state holds."""
        self._times: dict[str, int] = _read(kept)
        for tag in orders:
            self._times.setdefault(tag, UNKNOWN)

    def observe(self, event: StrategyEvent) -> None:
        """An event is told; the first about an order says when that was made."""
        if isinstance(event, OrderEvent) and event.order.tag not in self._times:
            made = event.order.status in _MADE
            self._times[event.order.tag] = event.wall_time if made else UNKNOWN

    def keep(self, orders: Iterable[str]) -> None:
        """Forget all but these: the orders of an earlier day."""
        wanted = frozenset(orders)
        self._times = {tag: at for tag, at in self._times.items() if tag in wanted}

    def filled(self, shown: StrategyView) -> StrategyView:
        """The view with its orders' wall times."""
        orders = tuple(
            msgspec.structs.replace(order, wall_time=self._times.get(order.tag, UNKNOWN)) for order in shown.orders
        )
        return msgspec.structs.replace(shown, orders=orders)

    def text(self) -> bytes:
        """What is kept over a restart."""
        return msgspec.json.encode(self._times)


def _read(kept: bytes | None) -> dict[str, int]:
    try:
        return _decoder.decode(kept) if kept else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}  # people's copy only: orders then show no time
