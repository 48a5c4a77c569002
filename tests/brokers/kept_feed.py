"""The gateway's keeper of a feed without the rest of a gateway: what it brings goes to an ear."""

import dataclasses

from algo_brokers.port import Broker, Feed, FeedListener, OpenFeed
from algo_brokers.records import FeedTick
from algo_crds.contracts.orders import OrderRow
from algo_gateway.feed import FeedKeeper
from desk import Desk, Ear


class EarSink:
    """Hands prices and rows to an ear, and counts connections and gaps."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self.connections = 0
        self.gaps: list[str] = []

    def ticks(self, ticks: list[FeedTick]) -> None:
        """As in the gateway's sink."""
        self._ear.on_ticks(ticks)

    def row(self, row: OrderRow) -> None:
        """As in the gateway's sink."""
        self._ear.on_row(row)

    def frames(self, count: int, stream: str) -> None:
        """As in the gateway's sink."""
        self._ear.on_frame(count, stream)

    def opened(self, ordinal: int, stream: str) -> None:
        """As in the gateway's sink."""
        self._ear.on_connection(ordinal, stream)

    def connected(self) -> None:
        """As in the gateway's sink."""
        self.connections += 1

    def lost(self, reason: str) -> None:
        """As in the gateway's sink."""
        self.gaps.append(reason)

    def closed(self) -> None:
        """As in the gateway's sink."""


def with_feed(broker: Broker, open_feed: OpenFeed) -> Broker:
    """The same broker with another way to its feed."""
    return dataclasses.replace(broker, open_feed=open_feed)


def keeper_at(desk: Desk) -> tuple[FeedKeeper, EarSink]:
    """A keeper at the desk's broker; the desk closes what it opens."""

    async def open_feed(*, listener: FeedListener) -> Feed:
        desk.feeds.append(await desk.broker.open_feed(listener=listener))
        return desk.feeds[-1]

    sink = EarSink(desk.ear)
    return FeedKeeper(with_feed(desk.broker, open_feed), sink), sink
