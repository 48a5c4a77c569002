"""Reads keep to the broker's windows by the clock that the broker counts by."""

import asyncio

from algo_brokers.errors import TooManyRequests
from algo_brokers.limits import Window, Windows
from algo_gateway.books import ReadResult, SharedReader
from algo_gateway.clock import SessionClock
from algo_gateway.pacing import ReadPacer

WINDOWS = Windows(
    writes=(), reads={"book": (Window(length_ms=1_000, limit=1),), "other": (Window(length_ms=1_000, limit=2),)}
)
NOW = 1_618_199_100_000


def replayed() -> tuple[ReadPacer, SessionClock]:
    clock = SessionClock(own=True)
    clock.set(NOW)
    pacer = ReadPacer(WINDOWS, clock)
    pacer.market(running=True)
    return pacer, clock


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_read_beyond_the_window_waits_for_the_market_and_says_when() -> None:
    pacer, clock = replayed()
    told: list[int | None] = []
    pacer.changed = lambda: told.append(pacer.next_at())
    await pacer.admit("book")
    second = asyncio.create_task(pacer.admit("book"))
    await turn()
    assert (pacer.waiting, told) == (1, [NOW + 1_000])
    clock.set(NOW + 999)
    pacer.moved(NOW + 999)
    await turn()
    assert not second.done()
    clock.set(NOW + 1_000)
    pacer.moved(NOW + 1_000)
    await turn()
    assert second.done()
    assert (pacer.waiting, pacer.next_at()) == (0, None)


async def test_endpoints_have_windows_of_their_own_and_the_rest_share_one() -> None:
    pacer, _ = replayed()
    await pacer.admit("book")
    await pacer.admit("funds")
    await pacer.admit("trades")
    third = asyncio.create_task(pacer.admit("holdings"))
    await turn()
    assert pacer.waiting == 1
    third.cancel()


async def test_endpoints_of_one_family_share_their_window() -> None:
    clock = SessionClock(own=True)
    clock.set(NOW)
    family = {"quote": (Window(length_ms=1_000, limit=1),)}
    pacer = ReadPacer(Windows(writes=(), reads=family, shared={"ltp": "quote"}), clock)
    pacer.market(running=True)
    await pacer.admit("ltp")
    second = asyncio.create_task(pacer.admit("quote"))
    await turn()
    assert pacer.waiting == 1
    second.cancel()


async def test_a_market_that_stops_lets_everybody_go() -> None:
    pacer, _ = replayed()
    await pacer.admit("book")
    second = asyncio.create_task(pacer.admit("book"))
    await turn()
    pacer.market(running=False)
    await turn()
    assert second.done()


async def test_with_a_wall_clock_a_read_waits_by_itself() -> None:
    windows = Windows(writes=(), reads={"other": (Window(length_ms=50, limit=1),)})
    pacer = ReadPacer(windows, SessionClock(own=False))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(3):
        await pacer.admit("book")
    assert loop.time() - begun >= 0.099
    assert pacer.waiting == 0


async def test_a_failed_read_is_repeated_while_the_market_stands_still() -> None:
    """Who asked would ask again after some session time, which does not pass."""
    tries: list[int] = []
    answers: asyncio.Queue[ReadResult[int]] = asyncio.Queue()

    async def read(begun_at: int) -> tuple[int, ...]:
        tries.append(begun_at)
        if len(tries) == 1:
            raise TooManyRequests("one a second")
        return (7,)

    async def admit() -> None:
        return None

    standing = True
    reader: SharedReader[int] = SharedReader(read, lambda: NOW, lambda: None, admit, lambda: standing)
    reader.ask(answers.put_nowait)
    assert (await asyncio.wait_for(answers.get(), 5)).rows == (7,)
    tries.clear()
    standing = False
    reader.ask(answers.put_nowait)
    assert (await asyncio.wait_for(answers.get(), 5)).unavailable
