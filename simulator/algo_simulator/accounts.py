"""An account of a simulated broker: its credentials, its day's orders and trades, its sockets and its faults."""

from collections.abc import Callable
from typing import Final

import msgspec

from algo_simulator.faults import Faults
from algo_simulator.orders import AccountOrder, AccountTrade, Snapshot
from algo_simulator.trigger_orders import TriggerOrder


class Holding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shares in the account's demat before the day begins."""

    symbol: str
    """`EXCHANGE:SYMBOL`; without an exchange NSE is meant."""
    quantity: int
    average_price: str
    """Rupees."""
    t1_quantity: int = 0
    """Bought the day before and not yet settled, besides `quantity`."""

    @property
    def key(self) -> str:
        """`EXCHANGE:SYMBOL`."""
        return self.symbol if ":" in self.symbol else f"NSE:{self.symbol}"


class AccountSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the control API says of an account. Cash is in rupees.

    `api_key` is what the broker calls its app: api key (Zerodha, Angel One, Dhan) or app id (Fyers).
    """

    broker: str
    client_id: str
    api_key: str
    api_secret: str
    redirect_url: str = ""
    registered_addresses: tuple[str, ...] = ()
    """Order calls from any other address are refused; empty: not checked."""
    cash: int = 1_000_000
    pin: str = ""
    """Of logins by PIN and one-time code."""
    totp_secret: str = ""
    """Base32; the secret of the one-time codes."""
    holdings: tuple[Holding, ...] = ()
    quirks: tuple[str, ...] = ()
    """Behaviours on which reports about the real API differ, by the names of the broker's front end."""

    def __repr__(self) -> str:
        return f"AccountSpec(broker={self.broker!r}, client_id={self.client_id!r})"


CHANGE_NAMES_REMAINDER: Final = "change_names_remainder"
"""Quirk of the brokers that do not say what the quantity of a modification means: it is what remains, not the total."""
Listener = Callable[[AccountOrder, Snapshot], None]
"""Called for every stage of every order of the account."""
MARKET_STREAM: Final = "market"
ORDER_STREAM: Final = "orders"


class Stream(msgspec.Struct, kw_only=True):
    """What was sent on one connection: a beat tells it, so that a participant knows how far to read."""

    connection: int
    """The connection's ordinal, as its handshake told it."""
    frames: int = 0
    """Data messages sent, heartbeats and answers included; not pings and the close."""


class Account:
    """The live side of an account."""

    def __init__(self, spec: AccountSpec, world_name: str) -> None:
        self.spec = spec
        self.world_name = world_name
        self.faults = Faults()
        self.orders: dict[str, AccountOrder] = {}
        self.trades: list[AccountTrade] = []
        self.triggers: dict[int, TriggerOrder] = {}
        """Lasting trigger orders, by number; they outlive the session (`triggers.py`)."""
        self.request_tokens: dict[str, int] = {}
        """One-time login tokens and the instant after which each is dead."""
        self.access_token = ""
        self.token_valid_until = 0
        self.refresh_token = ""
        self.feed_token = ""
        self.memo: dict[str, object] = {}
        """What the account's front end keeps of it besides."""
        self.listeners: list[Listener] = []
        self.open_calls = 0
        """Calls that have arrived and are not answered, without those held back."""
        self.held_calls = 0
        """Calls that the simulator holds back on purpose."""
        self.streams: dict[str, Stream] = {}
        """The newest connection of each stream (`market`, `orders`)."""
        self.cuts: list[Callable[[], None]] = []
        """What ends the account's open sockets, one entry a kind of socket."""

    def whole_quantity(self, order: AccountOrder, asked: int) -> int:
        """The whole quantity that an order has after a change that asks for `asked`."""
        return asked + order.sim.filled if CHANGE_NAMES_REMAINDER in self.spec.quirks else asked
