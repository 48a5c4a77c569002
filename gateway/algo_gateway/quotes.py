"""Prices asked for where the feed is silent; whoever asks while a quote waits for the broker's window shares it.

A broker allows about one quote call a second and account, and more are asked for: by the watchdog for each symbol whose
feed is mute, and by each runner whose price is old. With a call for each asker, those that wait would grow for as long
as the feed is mute, and the quote that an exit needs would wait behind all of them. So one call at most waits for the
window, and takes along whatever was asked for meanwhile.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from algo_brokers.errors import BrokerError
from algo_brokers.port import ReadQuotes
from algo_brokers.records import InstrumentRef, Quote
from algo_crds.contracts import wire

from algo_gateway.eager import Tasks
from algo_gateway.symbols import SymbolKey

AT_ONCE: Final = 3
"""Symbols in one call. A quote without the time of its trade is no price, and one broker tells it for so few only."""


class QuoteReader:
    """The quotes of one account.

    Args:
        read: one call to the broker, which does not wait for a window.
        ref_of: a symbol with the broker's names.
        admit: waits until the window of quotes has room, and counts the call.
        now: session time; `source` marks the prices of this account.
        tell: takes each price as a polled tick; none of a quote without the time of its trade.
        changed: called when `in_flight` changed.
    """

    def __init__(
        self,
        *,
        read: ReadQuotes,
        ref_of: Callable[[SymbolKey], InstrumentRef],
        admit: Callable[[], Awaitable[None]],
        now: Callable[[], int],
        source: str,
        tell: Callable[[SymbolKey, wire.Tick], None],
        changed: Callable[[], None],
        tasks: Tasks,
    ) -> None:
        self._read = read
        self._ref_of = ref_of
        self._admit = admit
        self._now = now
        self._source = source
        self._tell = tell
        self._changed = changed
        self._tasks = tasks
        self._wanted: dict[SymbolKey, None] = {}
        self._waits = False
        self._calls = 0

    @property
    def in_flight(self) -> int:
        """Calls that are under way or wait for the window."""
        return self._calls + int(self._waits)

    def ask(self, key: SymbolKey) -> None:
        """Have a price read by a call that leaves after now."""
        self._wanted[key] = None
        if not self._waits:
            self._waits = True
            self._tasks.start(self._send())

    async def _send(self) -> None:
        try:
            while self._wanted:
                await self._admit()
                keys = tuple(self._wanted)[:AT_ONCE]
                for key in keys:
                    del self._wanted[key]
                self._calls += 1
                self._tasks.start(self._call(keys))
        finally:
            self._waits = False
            self._changed()

    async def _call(self, keys: tuple[SymbolKey, ...]) -> None:
        """One call. A failure is no price: whoever needs one asks again."""
        quotes: tuple[Quote, ...] = ()
        try:
            quotes = await self._read(instruments=tuple(self._ref_of(key) for key in keys))
        except BrokerError:
            return
        finally:
            self._calls -= 1
            for quote in quotes:
                if quote.time:
                    self._tell((quote.exchange, quote.symbol), self._tick(quote))
            self._changed()

    def _tick(self, quote: Quote) -> wire.Tick:
        return wire.Tick(
            now=self._now(),
            price=quote.price,
            time=quote.time,
            volume=quote.volume,
            source=self._source,
            polled=True,
        )
