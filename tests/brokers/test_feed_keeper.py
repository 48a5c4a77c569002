"""How the gateway's keeper of a feed waits between connections: longer each time, and briefly again after a success."""

import asyncio
import contextlib

import pytest
from algo_brokers.errors import BrokerError, BrokerUnavailable, TooManyRequests
from algo_brokers.port import Feed, FeedListener
from algo_gateway.feed import FeedKeeper
from desk import Ear
from kept_feed import EarSink

SYMBOLS = [738561, 884737]


class Opened:
    """A connection that notes what it was asked for."""

    def __init__(self, listener: FeedListener) -> None:
        self.listener = listener
        self.asked: list[int] = []

    def subscribe(self, tokens: list[int]) -> None:
        self.asked += tokens

    def unsubscribe(self, tokens: list[int]) -> None:
        raise AssertionError(tokens)

    async def close(self) -> None:
        """Nothing to end."""


class Refusing:
    """A broker that refuses so many handshakes before each connection, at these moments."""

    def __init__(self, *refusals: list[BrokerError]) -> None:
        self.left = [list(one) for one in refusals]
        self.at: list[float] = []
        self.feeds: list[Opened] = []

    async def open_feed(self, *, listener: FeedListener) -> Feed:
        self.at.append(asyncio.get_running_loop().time())
        if self.left and self.left[0]:
            raise self.left[0].pop(0)
        self.left = self.left[1:]
        self.feeds.append(Opened(listener))
        return self.feeds[-1]


async def kept(refusing: Refusing, seconds: float) -> EarSink:
    """The keeper at this broker for so long; each connection is lost a second after it was opened."""
    sink = EarSink(Ear())
    keeper = FeedKeeper(refusing, sink)  # type: ignore[arg-type]  # it calls nothing else
    keeper.subscribe(SYMBOLS)
    keeper.session_changed(present=True)
    running = asyncio.create_task(keeper.run())
    for _ in range(int(seconds)):
        count = len(refusing.feeds)
        await asyncio.sleep(1)
        if count and len(refusing.feeds) == count and keeper.up:
            refusing.feeds[-1].listener.on_closed("gone")
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return sink


def pauses(refusing: Refusing) -> list[float]:
    return [round(after - before, 3) for before, after in zip(refusing.at, refusing.at[1:], strict=False)]


@pytest.mark.looptime
async def test_pauses_double_up_to_five_seconds() -> None:
    refusing = Refusing([BrokerUnavailable("no")] * 9 + [TooManyRequests("slower")] * 3)
    await kept(refusing, 60)
    assert pauses(refusing)[:12] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0]


@pytest.mark.looptime
async def test_after_a_success_the_pause_is_short_again_and_everything_is_asked_for_again() -> None:
    refusing = Refusing([BrokerUnavailable("no")] * 4, [], [BrokerUnavailable("no")] * 2)
    sink = await kept(refusing, 20)
    waits = pauses(refusing)
    assert waits[:4] == [0.2, 0.4, 0.8, 1.6]
    assert waits[5 + 1 : 5 + 3] == [0.2, 0.4], waits
    assert len(refusing.feeds) >= 3
    assert all(feed.asked == SYMBOLS for feed in refusing.feeds)
    assert sink.connections == len(refusing.feeds)
    assert sink.gaps == ["gone"] * len(sink.gaps) != []
