"""What every adapter is made from, the same for all brokers, so that one registry can build any of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from algo_brokers.endpoints import Endpoints
from algo_brokers.http import Transport
from algo_brokers.port import ReadInstruments
from algo_brokers.session import Session


class TransportTo(Protocol):
    """A transport for reads and logins to one base address of the broker."""

    def __call__(self, base_url: str) -> Transport: ...


class CreatePublicList(Protocol):
    """The broker's list of the day as anybody may read it, without a session.

    Args:
        now: the time of the list's market in ms: a list whose contracts have all expired by then is refused.
    """

    def __call__(self, transport: TransportTo, endpoints: Endpoints, now: Callable[[], int]) -> ReadInstruments: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterParts:
    """One account's connections and clocks."""

    transport: TransportTo
    """May leave from anywhere."""
    write: Transport
    """Carries order calls to `endpoints.rest`, and must leave from the registered address."""
    current: Callable[[], Session | None]
    """The session in force, so that a new login needs no new adapter."""
    now: Callable[[], int]
    """Session time in ms."""
    endpoints: Endpoints
    orders_per_window: int = 8
    registered_address: str = ""
    """The address that orders leave from, for brokers that want it named in a header."""
    session_over: Callable[[], None] = lambda: None
    """Called when the broker says that the session is dead."""
