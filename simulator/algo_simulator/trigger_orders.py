"""A lasting trigger order as a value: its conditions, the orders that they send, and where it stands."""

from enum import StrEnum

import msgspec
from algo_crds.contracts.orders import Product, Side

from algo_simulator.orders import AccountOrder


class TriggerStatus(StrEnum):
    """Where a trigger order stands; the order that it sent has a life of its own."""

    ACTIVE = "Active"
    TRIGGERED = "Triggered"
    CANCELLED = "Cancelled"


class TriggerLeg(msgspec.Struct, kw_only=True):
    """One condition and the order that it sends. Prices are `Price` units."""

    trigger: int
    price: int
    """Limit of the order; 0: a market order with the broker's usual protection."""
    quantity: int
    side: Side
    name: str = ""
    """The broker's own name of the leg."""
    above: bool = False
    """Fires at or above the trigger, otherwise at or below; follows from the last price when it is placed."""
    fired_at: int = 0
    fired_price: int = 0
    order: AccountOrder | None = None
    """What it sent."""


class TriggerOrder(msgspec.Struct, kw_only=True):
    """A lasting order with one leg (single) or two (OCO)."""

    number: int
    """Of the world; front ends render their ids from it."""
    client_id: str
    exchange: str
    symbol: str
    product: Product
    legs: list[TriggerLeg]
    tag: str = ""
    """Handed on to the order that it sends where `child_tag` is not set."""
    child_tag: str | None = None
    status: TriggerStatus = TriggerStatus.ACTIVE
    created_at: int = 0
    updated_at: int = 0
    expires_at: int = 0
    last_price: int = 0
    """When it was placed or changed."""
    memo: dict[str, object] = {}
    """What the front end keeps of it besides."""
