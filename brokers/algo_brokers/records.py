"""What goes to a broker and comes back, in our own vocabulary. Prices are ints of 1/10 000 rupee, instants ms (UTC)."""

from datetime import date
from enum import StrEnum

import msgspec
from algo_crds.contracts.orders import Leg, OrderType, Product, Side


class InstrumentRef(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument with the names that its broker wants, from the broker's own list of the day."""

    exchange: str
    symbol: str
    token: int = 0
    """`BrokerInstrument.token`: opaque to everybody but the adapter."""
    broker_symbol: str = ""


class OrderRef(msgspec.Struct, frozen=True, kw_only=True):
    """A live order, with what brokers want to hear again when it is changed or cancelled."""

    broker_order_id: str
    tag: str
    instrument: InstrumentRef
    product: Product
    leg: Leg
    """Why it was born: a stop may be of another variety at the broker, and stays so when it becomes the exit."""


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order to place. Prices in 1/10 000 rupee."""

    tag: str
    instrument: InstrumentRef
    side: Side
    type: OrderType
    quantity: int
    price: int
    trigger: int = 0
    product: Product
    algo_id: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Absolute values for a live order; `quantity` as the capability record says (total or remainder)."""

    order: OrderRef
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


class Margin(msgspec.Struct, frozen=True, kw_only=True):
    """What a basket of orders would take, by the broker's own calculator."""

    required: int


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


class Interval(StrEnum):
    """Lengths of bars that every broker has."""

    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    FIFTEEN_MINUTES = "15m"
    HOUR = "1h"
    DAY = "1d"


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
    broker_symbol: str = ""
    """The broker's own spelling; `symbol` is the canonical one."""
    isin: str = ""
    freeze: int = 0
    """Largest quantity of one order; 0 where the list does not say."""
    expiry: date | None = None
    strike: int = 0
    underlying: str = ""
    band_low: int = 0
    band_high: int = 0
    """Today's price band where the list tells it, 0 otherwise."""
    closing_auction: bool | None = None
    """Whether the share takes part in the closing auction; None where the list does not say."""

    @property
    def ref(self) -> InstrumentRef:
        """How calls name it."""
        return InstrumentRef(
            exchange=self.exchange, symbol=self.symbol, token=self.token, broker_symbol=self.broker_symbol
        )


class TriggerLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One price of a lasting trigger order, and the limit order that it sends."""

    trigger: int
    price: int
    quantity: int


class NewTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """A lasting trigger order (GTT, forever order): one leg, or two of which the first to fire ends the other.

    It lives at the broker beyond the day. The legs are in rising order of their triggers.
    """

    instrument: InstrumentRef
    side: Side
    product: Product
    legs: tuple[TriggerLeg, ...]
    last_price: int
    """Some brokers want the price at which it is made."""
    tag: str = ""


class TriggerStatus(StrEnum):
    """Life of a lasting trigger order."""

    ACTIVE = "Active"
    TRIGGERED = "Triggered"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    EXPIRED = "Expired"


class TriggerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A lasting trigger order as the broker tells it."""

    trigger_id: str
    exchange: str
    symbol: str
    side: Side
    product: Product
    legs: tuple[TriggerLeg, ...]
    status: TriggerStatus
    order_ids: tuple[str, ...] = ()
    """Orders that it has sent."""
    message: str = ""
    created_at: int = 0
    expires_at: int = 0


class FeedTick(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A price from the feed: the broker's token, price, exchange time (ms, 0 if unknown), the day's volume. Only
    numbers, so that the collector need not look at them."""

    token: int
    price: int
    time: int
    volume: int
