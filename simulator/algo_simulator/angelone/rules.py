"""What no source proves about this broker, as `quirks` of an account; defaults are strict with a client."""

from datetime import time
from typing import Final

import msgspec

from algo_simulator.accounts import AccountSpec


class BrokerRules(msgspec.Struct, frozen=True, kw_only=True):
    """The assumptions that hold for one account."""

    token_dies_at: time = time(0)
    """When every token of the day dies, exchange time."""
    auth_status: int = 401
    """HTTP status of a refused token; 200 and 403 were seen as well."""
    market_orders: bool = False
    """Whether MARKET and STOPLOSS_MARKET are taken (as a limit order at the edge of the day's band).

    They are prohibited for algo users since 1 April 2026.
    """
    ioc_orders: bool = False
    """Whether IOC is taken; prohibited likewise."""
    text_numbers: bool = False
    """Whether the numbers of order rows are sent as text."""
    first_packet: bool = True
    """Whether a subscription is answered with the last known packet."""
    refused_changes_stay: bool = False
    """Whether the order book keeps saying `not modified` after a refused change."""


GAP_PERCENT: Final = 10
"""How far trigger and limit of a stop may lie apart, shares and futures."""
OPTION_GAP_PERCENT: Final = 40
IDLE_S: Final = 60.0
"""A socket that says nothing and pings not for so long is closed (wall time)."""
_QUIRKS: Final[dict[str, dict[str, object]]] = {
    "auth-200": {"auth_status": 200},
    "auth-403": {"auth_status": 403},
    "tokens-until-5": {"token_dies_at": time(5)},
    "market-orders": {"market_orders": True},
    "ioc-orders": {"ioc_orders": True},
    "text-numbers": {"text_numbers": True},
    "no-first-packet": {"first_packet": False},
    "not-modified-stays": {"refused_changes_stay": True},
}


def rules_of(spec: AccountSpec) -> BrokerRules:
    """The assumptions of an account; a quirk of another broker is no business of ours."""
    changes: dict[str, object] = {}
    for quirk in spec.quirks:
        changes.update(_QUIRKS.get(quirk, {}))
    return BrokerRules(**changes)  # type: ignore[arg-type]
