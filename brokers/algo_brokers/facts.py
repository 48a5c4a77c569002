"""What each broker can do, said once: the engine's `Capability` and the rest that a trader or an operator asks about.

The records are printed into `docs/brokers.md` (`scripts/broker_table.py`); a check fails when the two differ. Every
value that is not plainly documented says so in `sources`.
"""

from enum import StrEnum

import msgspec
from algo_crds.contracts.orders import Product
from algo_crds.contracts.wire import Capability


class Evidence(StrEnum):
    """How it is known that a broker does something."""

    NO = "no"
    ASSUMED = "assumed"
    """The working assumption; nothing is built on it alone."""
    DOCUMENTED = "documented"
    PROVEN = "proven"
    """Seen on a live account."""


class Segment(StrEnum):
    """Where an instrument trades."""

    EQUITY = "equity"
    FUTURES = "futures"
    OPTIONS = "options"


class QuantityMeaning(StrEnum):
    """What the quantity of a modification means."""

    TOTAL = "total"
    """The whole order, what has filled included."""
    REMAINDER = "remainder"
    """What is still to be filled."""


class RestingStop(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a stop-limit order rests at the exchange for this segment and product."""

    segment: Segment
    product: Product
    evidence: Evidence
    note: str = ""


def stops_everywhere(evidence: Evidence, note: str) -> tuple[RestingStop, ...]:
    """The same answer for every segment and product."""
    return tuple(
        RestingStop(segment=segment, product=product, evidence=evidence, note=note)
        for segment in Segment
        for product in Product
    )


class LastingTriggers(msgspec.Struct, frozen=True, kw_only=True):
    """Trigger orders that outlive the day (GTT, forever orders)."""

    single: bool
    two_legs: bool
    products: tuple[Product, ...]
    lives_days: int
    """0 where the broker does not say."""
    note: str = ""


class FeedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The market and order sockets."""

    connections: int
    instruments: int
    """On one connection."""
    order_updates: str
    """`market socket` or `own socket`."""
    heartbeat: str


class BrokerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One broker."""

    capability: Capability
    stops: tuple[RestingStop, ...]
    conversion: Evidence
    """Whether a resting stop may be modified into the exit; with `NO` or `ASSUMED` the engine cancels and places anew,
    or leaves the exit to the stop, as its rules say."""
    modify_quantity: QuantityMeaning
    modify_quantity_evidence: Evidence
    """With `NO` or `ASSUMED`, and where it is the remainder, only an unfilled stop is changed, for which both mean the
    same; anything else goes by cancel, final row, place the remainder."""
    triggers: LastingTriggers | None
    feed: FeedFacts
    login: str
    session_lives: str
    registered_address: str
    """What happens to order calls from another address."""
    tag: str
    """Length and alphabet of the tag, and whether there is a look-up by it."""
    sources: dict[str, str] = {}
    """Where a value comes from, by field name."""
