"""The feed of a real market: what arrives goes straight to the hub."""

from algo_brokers.records import FeedTick
from algo_crds.contracts import wire
from algo_crds.contracts.orders import OrderRow

from algo_gateway.hub import Hub


class FeedState:
    """What both kinds of feed tell the runners about the connection."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def connected(self) -> None:
        """The feed is up: the book is read, because rows may have been missed."""
        now = self._hub.now()
        self._hub.tell_all(wire.FeedHealth(now=now, connected=True))
        self._hub.tell_all(wire.UpdatesGap(now=now, reason="the feed was opened"))
        self._hub.read_for_all()

    def lost(self, reason: str) -> None:
        """Rows may have been missed."""
        self._hub.tell_all(wire.UpdatesGap(now=self._hub.now(), reason=reason))
        self._hub.read_for_all()

    def closed(self) -> None:
        """The feed is down."""
        self._hub.tell_all(wire.FeedHealth(now=self._hub.now(), connected=False))


class Live(FeedState):
    """Implements `feed.FeedSink` for the wall clock."""

    def ticks(self, ticks: list[FeedTick]) -> None:
        """At once."""
        self._hub.ticks(ticks)

    def row(self, row: OrderRow) -> None:
        """At once."""
        self._hub.row(row)

    def frames(self, count: int, stream: str) -> None:
        """A real market is not waited for."""

    def opened(self, ordinal: int, stream: str) -> None:
        """Only simulated brokers number their connections."""
