"""An account of a simulated broker: its credentials, its day's orders and trades, its sockets and its faults."""

from collections.abc import Callable

import msgspec

from algo_simulator.faults import Faults
from algo_simulator.orders import AccountOrder, AccountTrade, Snapshot


class AccountSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the control API says of an account. Cash is in rupees."""

    broker: str
    client_id: str
    api_key: str
    api_secret: str
    redirect_url: str = ""
    registered_addresses: tuple[str, ...] = ()
    """Order calls from any other address are refused; empty: not checked."""
    cash: int = 1_000_000

    def __repr__(self) -> str:
        return f"AccountSpec(broker={self.broker!r}, client_id={self.client_id!r})"


Listener = Callable[[AccountOrder, Snapshot], None]
"""Called for every stage of every order of the account."""


class Account:
    """The live side of an account."""

    def __init__(self, spec: AccountSpec, world_name: str) -> None:
        self.spec = spec
        self.world_name = world_name
        self.faults = Faults()
        self.orders: dict[str, AccountOrder] = {}
        self.trades: list[AccountTrade] = []
        self.request_tokens: dict[str, int] = {}
        """One-time login tokens and the instant after which each is dead."""
        self.access_token = ""
        self.token_valid_until = 0
        self.listeners: list[Listener] = []
        self.open_calls = 0
        """Calls that have arrived and are not answered, without those held back."""
        self.held_calls = 0
        """Calls that the simulator holds back on purpose."""
        self.connection = 0
        """Ordinal of the newest market connection."""
        self.frames_sent = 0
        """Messages sent on that connection, the opening notice and heartbeats included."""
