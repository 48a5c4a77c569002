"""A feed over one or more sockets: prices on the first, order updates there or on a second. All live and die together.

A feed with half of its sockets would be deaf to either prices or fills, so the end of one is the end of the feed.
"""

import asyncio
from collections.abc import Callable, Sequence

from algo_brokers.errors import BrokerError
from algo_brokers.port import Feed, FeedListener
from algo_brokers.session import Session
from algo_brokers.socket import Stream, StreamSpec, open_stream

Ask = Callable[[Stream, list[int]], None]
"""Sends a subscription, or the end of one, on the market socket."""


class _Feed:
    def __init__(self, listener: FeedListener, subscribe: Ask, unsubscribe: Ask) -> None:
        self._listener = listener
        self._subscribe = subscribe
        self._unsubscribe = unsubscribe
        self._over = False
        self.streams: list[Stream] = []

    def subscribe(self, tokens: list[int]) -> None:
        self._subscribe(self.streams[0], tokens)

    def unsubscribe(self, tokens: list[int]) -> None:
        self._unsubscribe(self.streams[0], tokens)

    async def close(self) -> None:
        await asyncio.gather(*(stream.close() for stream in self.streams))

    def ended(self, reason: str) -> None:
        """The first socket that goes takes the others along, and the owner is told once."""
        if self._over:
            return
        self._over = True
        for stream in self.streams:
            stream.disconnect()
        self._listener.on_closed(reason)


async def open_streams(
    specs: Sequence[StreamSpec],
    session: Session,
    listener: FeedListener,
    *,
    subscribe: Ask,
    unsubscribe: Ask,
    hello: Callable[[Sequence[Stream]], None] = lambda _streams: None,
) -> Feed:
    """Open every socket, the market socket first; `hello` sends what a broker wants to hear first on each.

    Raises:
        SessionRefused: a handshake was refused.
        BrokerUnavailable: a socket could not be opened; those that were are closed again.
    """
    feed = _Feed(listener, subscribe, unsubscribe)
    try:
        for spec in specs:
            feed.streams.append(await open_stream(spec, session, listener, feed.ended))
    except BrokerError:
        await feed.close()
        raise
    hello(feed.streams)
    return feed
