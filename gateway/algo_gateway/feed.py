"""Keeps the broker's market and order socket open while there is a session: back-off, resubscription, gaps told.

A connection that breaks may have swallowed order rows: every reconnect tells the runners and reads the book.
"""

import asyncio
import logging
from typing import Final, Protocol

from algo_brokers.errors import BrokerError
from algo_brokers.port import Broker, Feed
from algo_brokers.records import FeedTick
from algo_crds.contracts.orders import OrderRow

log: Final = logging.getLogger("algo_gateway.feed")
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0


class FeedSink(Protocol):
    """Whoever takes what the feed brings."""

    def ticks(self, ticks: list[FeedTick]) -> None:
        """Prices of one frame."""

    def row(self, row: OrderRow) -> None:
        """An order changed."""

    def frames(self, count: int, stream: str) -> None:
        """Frames read on this stream's connection so far."""

    def opened(self, ordinal: int, stream: str) -> None:
        """A connection was numbered by a simulated broker; a real one never says so."""

    def connected(self) -> None:
        """The feed is up."""

    def lost(self, reason: str) -> None:
        """Rows may have been missed; the connection may be gone."""

    def closed(self) -> None:
        """The connection is gone."""


class FeedKeeper:
    """One account's feed; implements `port.FeedListener`."""

    def __init__(self, broker: Broker, sink: FeedSink) -> None:
        self._broker = broker
        self._sink = sink
        self.on_ticks = sink.ticks  # what is told often goes straight through
        self._feed: Feed | None = None
        self._tokens: set[int] = set()
        self._ended = asyncio.Event()
        self._wanted = asyncio.Event()

    @property
    def up(self) -> bool:
        """Whether a connection is open."""
        return self._feed is not None

    def subscribe(self, tokens: list[int]) -> None:
        """Prices of these tokens, now and after every reconnect."""
        new = [token for token in tokens if token not in self._tokens]
        self._tokens.update(new)
        if new and self._feed is not None:
            self._feed.subscribe(new)

    def session_changed(self, *, present: bool) -> None:
        """A login or the end of one: open, open again with the new session, or stay closed."""
        if present:
            self._wanted.set()
        else:
            self._wanted.clear()
        self._ended.set()

    async def run(self) -> None:
        """Until cancelled."""
        pause = _FIRST_PAUSE_S
        while True:
            await self._wanted.wait()
            self._ended.clear()
            try:
                self._feed = await self._broker.open_feed(listener=self)
            except BrokerError as error:
                log.warning("feed: %s; trying again", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                continue
            pause = _FIRST_PAUSE_S
            if self._tokens:
                self._feed.subscribe(sorted(self._tokens))
            self._sink.connected()
            await self._ended.wait()
            feed, self._feed = self._feed, None
            await feed.close()
            await asyncio.sleep(pause)

    def on_row(self, row: OrderRow) -> None:
        """As in the port."""
        self._sink.row(row)

    def on_frame(self, frames: int, stream: str = "market") -> None:
        """As in the port."""
        self._sink.frames(frames, stream)

    def on_connection(self, ordinal: int, stream: str = "market") -> None:
        """As in the port."""
        self._sink.opened(ordinal, stream)

    def on_trouble(self, reason: str) -> None:
        """As in the port."""
        self._sink.lost(reason)

    def on_closed(self, reason: str) -> None:
        """As in the port."""
        log.warning("feed closed: %s", reason)
        self._sink.closed()
        self._sink.lost(reason)
        self._ended.set()
