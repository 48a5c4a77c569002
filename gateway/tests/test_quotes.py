"""However often a price is asked for, one call at most waits for the broker's window, and no asker is forgotten."""

import asyncio
import logging

import pytest
from algo_brokers.errors import BrokerError, BrokerUnavailable
from algo_brokers.limits import Window, Windows
from algo_brokers.records import InstrumentRef, Quote
from algo_crds.contracts import wire
from algo_gateway.clock import SessionClock
from algo_gateway.eager import Tasks
from algo_gateway.pacing import ReadPacer
from algo_gateway.quotes import AT_ONCE, QuoteReader
from algo_gateway.symbols import SymbolKey

NOW = 1_618_199_100_000
WINDOWS = Windows(writes=(), reads={"quote": (Window(length_ms=1_100, limit=1),)})
KEY = ("NSE", "RELIANCE")


class Stage:
    """A replayed market, a broker with one quote a window, and all that is asked of it and told by it."""

    def __init__(self) -> None:
        self.clock = SessionClock(own=True)
        self.clock.set(NOW)
        self.pacer = ReadPacer(WINDOWS, self.clock)
        self.pacer.market(running=True)
        self.calls: list[tuple[int, tuple[str, ...]]] = []
        self.told: list[tuple[SymbolKey, wire.Tick]] = []
        self.fail: BrokerError | None = None
        self.answer = asyncio.Event()
        self.answer.set()
        self.trade_time = NOW - 7_000
        self.quotes = QuoteReader(
            read=self.read,
            ref_of=lambda key: InstrumentRef(exchange=key[0], symbol=key[1]),
            admit=lambda: self.pacer.admit("quote"),
            now=self.clock.now,
            source="brk_1",
            tell=lambda key, tick: self.told.append((key, tick)),
            changed=lambda: None,
            tasks=Tasks(logging.getLogger("test")),
        )

    async def read(self, *, instruments: tuple[InstrumentRef, ...]) -> tuple[Quote, ...]:
        self.calls.append((self.clock.now() - NOW, tuple(one.symbol for one in instruments)))
        await self.answer.wait()
        if self.fail is not None:
            raise self.fail
        return tuple(
            Quote(
                exchange=one.exchange,
                symbol=one.symbol,
                price=19_441_500,
                time=self.trade_time,
                volume=5,
                band_low=0,
                band_high=0,
                previous_close=0,
            )
            for one in instruments
        )

    async def move(self, at: int) -> None:
        self.clock.set(NOW + at)
        self.pacer.moved(NOW + at)
        await self.turns()

    async def turns(self) -> None:
        for _ in range(8):
            await asyncio.sleep(0)


async def test_an_hour_of_a_mute_feed_leaves_one_call_waiting() -> None:
    stage = Stage()
    for second in range(3_600):
        await stage.move(second * 1_000)
        stage.quotes.ask(KEY)  # the watchdog
        if second % 5 == 0:
            stage.quotes.ask(KEY)  # and a runner
        await stage.turns()
        assert (stage.pacer.waiting, stage.quotes.in_flight) in ((0, 0), (1, 1))
    gaps = [after - before for (before, _), (after, _) in zip(stage.calls, stage.calls[1:], strict=False)]
    assert min(gaps) >= 1_100, "the broker's window is kept"
    assert max(gaps) <= 2_000, "and no price is older than the window makes it"


async def test_who_asks_while_a_call_is_under_way_gets_one_that_leaves_after() -> None:
    stage = Stage()
    stage.answer.clear()
    stage.quotes.ask(KEY)
    await stage.turns()
    stage.quotes.ask(KEY)
    await stage.move(1_100)
    assert [at for at, _ in stage.calls] == [0, 1_100], "a call without an answer holds nobody up"
    assert stage.quotes.in_flight == 2
    stage.answer.set()
    await stage.turns()
    assert (stage.quotes.in_flight, len(stage.told)) == (0, 2)
    key, tick = stage.told[0]
    assert (key, tick.price, tick.polled, tick.source) == (KEY, 19_441_500, True, "brk_1")
    assert (tick.now, tick.time) == (NOW + 1_100, NOW - 7_000), "read now, traded when the broker says"


async def test_mute_symbols_take_turns_and_share_calls() -> None:
    stage = Stage()
    names = tuple(f"S{number}" for number in range(AT_ONCE * 2 + 1))
    for name in names:
        stage.quotes.ask(("NSE", name))
    await stage.turns()
    await stage.move(1_100)
    stage.quotes.ask(("NSE", names[0]))
    await stage.move(2_200)
    assert [asked for _, asked in stage.calls] == [
        names[:AT_ONCE],
        names[AT_ONCE : AT_ONCE * 2],
        (names[-1], names[0]),
    ]
    assert stage.quotes.in_flight == 0


@pytest.mark.parametrize("trouble", ["failure", "no time"])
async def test_no_price_is_told_where_none_was_got(trouble: str) -> None:
    stage = Stage()
    if trouble == "failure":
        stage.fail = BrokerUnavailable("no answer")
    else:
        stage.trade_time = 0
    stage.quotes.ask(KEY)
    await stage.turns()
    assert (stage.told, stage.quotes.in_flight) == ([], 0)
    stage.fail, stage.trade_time = None, NOW
    stage.quotes.ask(KEY)
    await stage.move(1_100)
    assert len(stage.told) == 1, "the next who asks is served"
