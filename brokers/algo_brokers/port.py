"""The broker port: what every adapter offers, in our own vocabulary.

A broker is a frozen record of functions; each function's type is a Protocol with keyword-only arguments, so that a
forgotten await, a swapped argument or a missing function is found by the type checker. Writes return an outcome
and never raise for what a broker or a network does; reads raise from the tree in `errors.py`.
"""

from dataclasses import dataclass
from typing import Protocol

from algo_crds.contracts.orders import OrderRow, PositionRow
from algo_crds.contracts.wire import Capability

from algo_brokers.limits import Windows
from algo_brokers.login import Login
from algo_brokers.outcomes import WriteOutcome
from algo_brokers.records import (
    BrokerInstrument,
    Candle,
    Change,
    FeedTick,
    Funds,
    HoldingRow,
    InstrumentRef,
    Interval,
    Margin,
    NewOrder,
    NewTrigger,
    OrderRef,
    Quote,
    TradeRow,
    TriggerRow,
)


class FeedListener(Protocol):
    """What the owner of a feed does with what arrives. Called on the event loop; must not block."""

    def on_ticks(self, ticks: list[FeedTick]) -> None:
        """Prices of one frame."""
        ...

    def on_row(self, row: OrderRow) -> None:
        """An order of the account changed."""
        ...

    def on_frame(self, frames: int, stream: str = "market") -> None:
        """After a frame was handled: frames read on this stream's connection so far (heartbeats too)."""
        ...

    def on_connection(self, ordinal: int, stream: str = "market") -> None:
        """A simulated broker told the number of this stream's connection."""
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

    async def __call__(self, *, order: OrderRef) -> WriteOutcome:
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


class ReadByTag(Protocol):
    """Orders that carry a tag: after a write whose outcome was not seen."""

    async def __call__(self, *, tag: str, begun_at: int) -> tuple[OrderRow, ...]:
        """Empty: the broker shows none (yet; see `visibility_delay_ms`). Raises `BrokerError`: nothing is known."""
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


class ReadMargin(Protocol):
    """What orders would take of the account's funds."""

    async def __call__(self, *, orders: tuple[NewOrder, ...]) -> Margin:
        """Raises `BrokerError`."""
        ...


class ReadQuotes(Protocol):
    """Polled prices; an instrument the broker does not know is missing from the answer."""

    async def __call__(self, *, instruments: tuple[InstrumentRef, ...]) -> tuple[Quote, ...]:
        """Raises `BrokerError`."""
        ...


class ReadLtp(Protocol):
    """Last prices by (exchange, symbol)."""

    async def __call__(self, *, instruments: tuple[InstrumentRef, ...]) -> dict[tuple[str, str], int]:
        """Raises `BrokerError`."""
        ...


class ReadCandles(Protocol):
    """Bars of an instrument that open between two instants, both included."""

    async def __call__(
        self, *, instrument: InstrumentRef, start: int, end: int, interval: Interval = Interval.MINUTE
    ) -> tuple[Candle, ...]:
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


class PlaceTrigger(Protocol):
    """Leave a lasting trigger order at the broker, once."""

    async def __call__(self, *, trigger: NewTrigger) -> WriteOutcome:
        """`Accepted.broker_order_id` is the trigger's id. Never raises for what the broker or the network does."""
        ...


class ModifyTrigger(Protocol):
    """Replace the legs of a lasting trigger order."""

    async def __call__(self, *, trigger_id: str, trigger: NewTrigger) -> WriteOutcome:
        """Never raises for what the broker or the network does."""
        ...


class CancelTrigger(Protocol):
    """Take a lasting trigger order back."""

    async def __call__(self, *, trigger_id: str, instrument: InstrumentRef) -> WriteOutcome:
        """Never raises for what the broker or the network does."""
        ...


class ReadTriggers(Protocol):
    """The account's lasting trigger orders, those that ended lately too where the broker shows them."""

    async def __call__(self) -> tuple[TriggerRow, ...]:
        """Raises `BrokerError`: then nothing is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggers:
    """Lasting trigger orders."""

    place: PlaceTrigger
    modify: ModifyTrigger
    cancel: CancelTrigger
    read: ReadTriggers


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """One account at one broker."""

    capability: Capability
    windows: Windows
    login: Login
    place: Place
    modify: Modify
    cancel: Cancel
    read_book: ReadBook
    read_order: ReadOrder
    read_by_tag: ReadByTag
    read_trades: ReadTrades
    read_positions: ReadPositions
    read_holdings: ReadHoldings
    read_funds: ReadFunds
    read_margin: ReadMargin
    read_quotes: ReadQuotes
    read_ltp: ReadLtp
    read_candles: ReadCandles
    read_instruments: ReadInstruments
    open_feed: OpenFeed
    triggers: Triggers | None = None
    """None: the broker has no lasting trigger orders."""
