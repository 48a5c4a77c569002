"""The vocabulary of orders, in our own terms: adapters translate to and from it."""

from enum import StrEnum

import msgspec


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "Buy"
    SELL = "Sell"


class Leg(StrEnum):
    """Why an order was born; a stop that was modified into the exit keeps its leg."""

    ENTRY = "Entry"
    STOP = "Stop"
    EXIT = "Exit"


class OrderType(StrEnum):
    """Only limit orders leave this platform: MARKET and SL-M are refused or converted for algo users."""

    LIMIT = "Limit"
    STOP_LIMIT = "StopLimit"


class Product(StrEnum):
    """How long a position may live."""

    INTRADAY = "Intraday"
    DELIVERY = "Delivery"


class OrderStatus(StrEnum):
    """One state machine for every broker.

    `INTENDED` to `SENT` and `NOT_SENT`, `UNKNOWN` are ours; a broker's row is one of the rest. `PENDING` is a row that
    the broker has but the exchange has not (all interim states). `TRIGGERED` is a stop that acts as a limit order.
    """

    INTENDED = "Intended"
    SENT = "Sent"
    NOT_SENT = "NotSent"
    UNKNOWN = "Unknown"
    PENDING = "Pending"
    OPEN = "Open"
    TRIGGER_PENDING = "TriggerPending"
    TRIGGERED = "Triggered"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"


FINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.NOT_SENT})
"""States that no later row may leave (a larger filled quantity is believed all the same)."""


class RejectKind(StrEnum):
    """Why a write was refused. The first group refuses the *order*, the second is the *door's*."""

    MARGIN = "Margin"
    PRICE = "Price"
    THROUGH = "Through"  # a stop whose price the market has passed
    TICK_SIZE = "TickSize"
    BAND = "Band"
    GAP = "Gap"  # trigger and limit too far apart
    QUANTITY = "Quantity"
    PRODUCT = "Product"
    CLOSED = "Closed"  # market closed, or no new orders any more
    NOT_MODIFIABLE = "NotModifiable"  # the order is final, or in a state that takes no change
    TOO_MANY_CHANGES = "TooManyChanges"
    ORDER_OTHER = "OrderOther"
    SESSION = "Session"
    ADDRESS = "Address"
    RATE = "Rate"
    BROKER_DOWN = "BrokerDown"
    HALTED = "Halted"
    EXIT_BUDGET = "ExitBudget"
    DUPLICATE_TAG = "DuplicateTag"
    OLD_EPOCH = "OldEpoch"
    NOT_OWNER = "NotOwner"


DOOR_KINDS = frozenset(
    {
        RejectKind.SESSION,
        RejectKind.ADDRESS,
        RejectKind.RATE,
        RejectKind.BROKER_DOWN,
        RejectKind.HALTED,
        RejectKind.EXIT_BUDGET,
        RejectKind.DUPLICATE_TAG,
        RejectKind.OLD_EPOCH,
        RejectKind.NOT_OWNER,
    }
)
"""Refusals that say nothing about the order itself."""


class OrderClass(StrEnum):
    """Who goes first at the order door, from the most urgent."""

    URGENT_EXIT = "UrgentExit"  # exit of a breached or unprotected position
    STOP = "Stop"
    EXIT = "Exit"  # kill, time, target, command
    TRAILING = "Trailing"
    ENTRY = "Entry"


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order as the broker tells it. Prices are `Price` (1/10 000 rupee), times `Instant` (ms)."""

    broker_order_id: str
    tag: str | None = None
    exchange_order_id: str | None = None
    exchange: str
    symbol: str
    product: Product
    side: Side
    type: OrderType
    quantity: int
    price: int
    trigger: int = 0
    filled: int = 0
    average_price: int = 0
    status: OrderStatus
    reject_kind: RejectKind | None = None
    message: str = ""
    order_time: int = 0
    read_at: int = 0
    """Session time at which this row was received, or its book read begun."""


class PositionRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The account's net quantity of one symbol and product; negative is short."""

    exchange: str
    symbol: str
    product: Product
    quantity: int
    average_price: int = 0
