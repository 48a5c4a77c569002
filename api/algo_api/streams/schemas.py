"""Events of a strategy on the wire: money as decimal strings."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from algo_crds.contracts.money import format_price
from algo_crds.contracts.runtime import FillEvent, OrderEvent, StrategyEvent

from algo_api.strategies.translate import order_out

SNAPSHOT: Final = "snapshot"
GAP: Final = "gap"
"""Events were lost between the id that the client named and the oldest that is kept; read the snapshot."""


def kind_of(event: StrategyEvent) -> str:
    """The event's name: phase, condition, order, fill, alert, queue or command."""
    return str(event.__struct_config__.tag)


def event_json(event: StrategyEvent) -> dict[str, Any]:
    """The event as JSON, with prices in rupees as decimal strings."""
    plain: Mapping[str, Any] = msgspec.to_builtins(event)
    result = dict(plain)
    if isinstance(event, OrderEvent):
        result["order"] = order_out(event.order).model_dump(mode="json")
    elif isinstance(event, FillEvent):
        result["price"] = format_price(event.price)
    return result
