"""The broker port: what every adapter offers, in our own vocabulary.

A broker is a frozen record of functions; each function's type is a Protocol with keyword-only arguments, so that a
forgotten await, a swapped argument or a missing function is found by the type checker. Writes return an outcome
and never raise for what a broker or a network does; reads raise from the tree in `errors.py`.
"""

from dataclasses import dataclass
from typing import Protocol

import msgspec
from algo_crds.contracts.orders import OrderRow, OrderType, PositionRow, Product, Side
from algo_crds.contracts.wire import Capability

from algo_brokers.limits import Windows
from algo_brokers.outcomes import WriteOutcome
from algo_brokers.session import Session


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order to place. Prices in 1/10 000 rupee."""

    tag: str
    exchange: str
    symbol: str
    side: Side
    type: OrderType
    quantity: int
    price: int
    trigger: int = 0
    product: Product
    algo_id: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Absolute values for a live order; `quantity` as the capability record says (total or remainder)."""

    broker_order_id: str
    type: OrderType
    quantity: int
    price: int
    trigger: int = 0


class TradeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fill of the day."""

    trade_id: str
    broker_order_id: str
    exchange: str
    symbol: str
    product: Product
    side: Side
    quantity: int
    price: int
    time: int
    """Instant in ms, 0 if the broker did not say."""


class HoldingRow(msgspec.Struct, frozen=True, kw_only=True):
    """Shares in the demat account. `quantity` may be sold today, `unsettled` is on its way (T+1)."""

    exchange: str
    symbol: str
    isin: str
    quantity: int
    unsettled: int
    average_price: int


class Funds(msgspec.Struct, frozen=True, kw_only=True):
    """What the account may still spend in the equity segment."""

    available: int


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A polled price of one instrument, with today's band where the broker tells it (0 otherwise)."""

    exchange: str
    symbol: str
    price: int
    time: int
    volume: int
    band_low: int
    band_high: int
    previous_close: int


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """One bar; `time` is its opening instant."""

    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class BrokerInstrument(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the broker's list of the day."""

    exchange: str
    symbol: str
    token: int
    """How the broker's feed names it. Not stable over days for derivatives."""
    name: str
    tick_size: int
    lot: int
    kind: str
    """`EQ`, `FUT`, `CE`, `PE` or `INDEX`."""


class FeedTick(msgspec.Struct, frozen=True, array_like=True):
    """A price from the feed: the broker's token, price, exchange time (ms, 0 if unknown), the day's volume."""

    token: int
    price: int
    time: int
    volume: int


class FeedListener(Protocol):
    """What the owner of a feed does with what arrives. Called on the event loop; must not block."""

    def on_ticks(self, ticks: list[FeedTick]) -> None:
        """Prices of one frame."""
        ...

    def on_row(self, row: OrderRow) -> None:
        """An order of the account changed."""
        ...

    def on_frame(self, frames: int) -> None:
        """After a frame was handled: frames read on this connection so far (heartbeats too)."""
        ...

    def on_connection(self, ordinal: int) -> None:
        """A simulated broker told the number of this connection."""
        ...

    def on_trouble(self, reason: str) -> None:
        """Something could not be read: order rows may have been missed."""
        ...

    def on_closed(self, reason: str) -> None:
        """The connection is gone. Nothing follows."""
        ...


class Feed(Protocol):
    """One open market-data and order socket."""

    def subscribe(self, tokens: list[int]) -> None:
        """Ask for prices with exchange time."""
        ...

    def unsubscribe(self, tokens: list[int]) -> None:
        """No more prices of these."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


class LoginUrl(Protocol):
    """Where the trader logs in."""

    def __call__(self, *, api_key: str, state: str) -> str:
        """`state` comes back with the redirect."""
        ...


class ExchangeToken(Protocol):
    """Turn the redirect's token into a session."""

    async def __call__(self, *, api_key: str, api_secret: str, request_token: str, now: int) -> Session:
        """Raises `BrokerError`; `now` is the instant of the login."""
        ...


class Logout(Protocol):
    """End the session at the broker."""

    async def __call__(self) -> None:
        """Raises `BrokerError`."""
        ...


class Place(Protocol):
    """Send one order, once."""

    async def __call__(self, *, order: NewOrder) -> WriteOutcome:
        """Never raises for what the broker or the network does."""
        ...


class Modify(Protocol):
    """Change one live order."""

    async def __call__(self, *, change: Change) -> WriteOutcome:
        """Never raises for what the broker or the network does."""
        ...


class Cancel(Protocol):
    """Cancel one live order."""

    async def __call__(self, *, broker_order_id: str) -> WriteOutcome:
        """Never raises for what the broker or the network does."""
        ...


class ReadBook(Protocol):
    """The account's orders of the day."""

    async def __call__(self, *, begun_at: int) -> tuple[OrderRow, ...]:
        """Rows carry `begun_at` as `read_at`. Raises `BrokerError`: then nothing is known."""
        ...


class ReadOrder(Protocol):
    """One order's states, oldest first."""

    async def __call__(self, *, broker_order_id: str, begun_at: int) -> tuple[OrderRow, ...]:
        """Raises `BrokerError`."""
        ...


class ReadTrades(Protocol):
    """The account's fills of the day."""

    async def __call__(self) -> tuple[TradeRow, ...]:
        """Raises `BrokerError`."""
        ...


class ReadPositions(Protocol):
    """The account's net positions."""

    async def __call__(self) -> tuple[PositionRow, ...]:
        """Raises `BrokerError`."""
        ...


class ReadHoldings(Protocol):
    """The account's holdings."""

    async def __call__(self) -> tuple[HoldingRow, ...]:
        """Raises `BrokerError`."""
        ...


class ReadFunds(Protocol):
    """What may still be spent."""

    async def __call__(self) -> Funds:
        """Raises `BrokerError`."""
        ...


class ReadQuotes(Protocol):
    """Polled prices; an instrument the broker does not know is missing from the answer."""

    async def __call__(self, *, instruments: tuple[tuple[str, str], ...]) -> tuple[Quote, ...]:
        """`instruments` are (exchange, symbol) pairs. Raises `BrokerError`."""
        ...


class ReadLtp(Protocol):
    """Last prices by (exchange, symbol)."""

    async def __call__(self, *, instruments: tuple[tuple[str, str], ...]) -> dict[tuple[str, str], int]:
        """Raises `BrokerError`."""
        ...


class ReadCandles(Protocol):
    """One-minute bars of an instrument between two instants, both included."""

    async def __call__(self, *, token: int, start: int, end: int) -> tuple[Candle, ...]:
        """Raises `BrokerError`."""
        ...


class ReadInstruments(Protocol):
    """The broker's list of one exchange for today."""

    async def __call__(self, *, exchange: str) -> tuple[BrokerInstrument, ...]:
        """Raises `BrokerError`."""
        ...


class OpenFeed(Protocol):
    """Open the market-data and order socket."""

    async def __call__(self, *, listener: FeedListener) -> Feed:
        """Raises `BrokerError` if it cannot be opened."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """One account at one broker."""

    capability: Capability
    windows: Windows
    login_url: LoginUrl
    exchange_token: ExchangeToken
    logout: Logout
    place: Place
    modify: Modify
    cancel: Cancel
    read_book: ReadBook
    read_order: ReadOrder
    read_trades: ReadTrades
    read_positions: ReadPositions
    read_holdings: ReadHoldings
    read_funds: ReadFunds
    read_quotes: ReadQuotes
    read_ltp: ReadLtp
    read_candles: ReadCandles
    read_instruments: ReadInstruments
    open_feed: OpenFeed
