"""What the simulated Dhan keeps of an account beside its orders: logins, switches, addresses.

Reports about the real API differ in places; where they do, `quirks` of the account's spec chooses (`QUIRKS`).
"""

from dataclasses import dataclass, field
from typing import Final

from algo_simulator.accounts import Account
from algo_simulator.clock import Clock

ORDER_OBJECT: Final = "order_object"
DEAD_TOKEN_IS_ORDER_ERROR: Final = "dead_token_906"  # noqa: S105 - a word of the configuration
UNKNOWN_ORDER_IS_EMPTY: Final = "unknown_order_empty"
STOP_MARKET_AT_ONCE: Final = "stop_market_at_once"
PASCAL_UPDATES: Final = "pascal_updates"
NO_DATA_PLAN: Final = "no_data_plan"
FOREVER_CHILD_TAG: Final = "forever_child_tag"
QUIRKS: Final = {
    ORDER_OBJECT: "GET /orders/{id} answers an object instead of an array of one",
    DEAD_TOKEN_IS_ORDER_ERROR: "a dead token is refused with 400 DH-906 `Invalid Token` instead of 401 DH-901",
    UNKNOWN_ORDER_IS_EMPTY: "an unknown order id is an empty array instead of 400 DH-905",
    STOP_MARKET_AT_ONCE: "STOP_LOSS_MARKET loses its trigger and trades at once instead of being refused",
    PASCAL_UPDATES: "order updates have keys in PascalCase",
    FOREVER_CHILD_TAG: "the order that a forever order sends carries its correlation id; otherwise none",
    NO_DATA_PLAN: "the account has no data plan: quotes, candles and market sockets are refused",
}


@dataclass(slots=True, kw_only=True)
class PnlExit:
    """The day's exit at a profit or loss, as it was set (rupees)."""

    profit: float
    loss: float
    products: list[str]
    kill_switch: bool


@dataclass(slots=True, kw_only=True)
class Addresses:
    """The registered addresses and when each was last changed (`YYYY-MM-DD`)."""

    primary: str = ""
    secondary: str = ""
    primary_changed: str = ""
    secondary_changed: str = ""


@dataclass(slots=True, kw_only=True)
class DhanState:
    """The rest of one account."""

    consents: dict[str, int] = field(default_factory=dict)
    """Consents that wait for their login page, and the instant after which each is dead."""
    token_told_until: int = 0
    """When the live token ends as clients are told (ms); the server counts by the world's clock."""
    token_renewable: bool = False
    """Whether the live token was made on the web: only those can be renewed."""
    dead_tokens: list[str] = field(default_factory=list)
    """The newest tokens that a newer one has killed."""
    code_login_at: int | None = None
    """When the last token by PIN and one-time code was made, on the clock of the limits."""
    kill_switch: bool = False
    pnl_watched: bool = False
    """Whether the world's trades are told to the exit at a profit or loss."""
    pnl_exit: PnlExit | None = None
    addresses: Addresses = field(default_factory=Addresses)


class States:
    """The states of all accounts of this process."""

    def __init__(self) -> None:
        self._states: dict[Account, DhanState] = {}

    def of(self, account: Account) -> DhanState:
        """The account's state."""
        return self._states.setdefault(account, DhanState())

    def forget(self, clock: Clock) -> None:
        """Drop what belongs to a world."""
        for account in clock.world.accounts.values():
            self._states.pop(account, None)


def quirk(account: Account, name: str) -> bool:
    """Whether the account's spec asks for a behaviour."""
    return name in account.spec.quirks
