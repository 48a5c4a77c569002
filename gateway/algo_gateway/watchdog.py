"""What the account does by the clock: quotes for a symbol whose feed is mute, the book while an order may still change,
the facts of a new day.

One object serves both clocks: a timer calls `at` each second of wall time, or a replayed market's beats do.
"""

from typing import Final

from algo_crds.contracts import wire
from algo_crds.contracts.constants import ENGINE

from algo_gateway.door.door import Door
from algo_gateway.facts import FactsWatch
from algo_gateway.hub import Hub
from algo_gateway.symbols import Symbols

POLL_MS: Final = 1_000
"""Brokers allow one quote call a second."""
BOOK_MS: Final = 5_000


class Watchdog:
    """When the last polls were, and when the next are due; all in session time."""

    def __init__(self, hub: Hub, door: Door, symbols: Symbols) -> None:
        self._hub = hub
        self._door = door
        self._symbols = symbols
        self._quote_at = 0
        self._book_at = 0
        self._now = 0
        self._facts = FactsWatch(
            start_day=door.start_day, read_again=lambda: hub.read_facts(lambda begun_at: self._facts.done(begun_at))
        )

    @property
    def next_at(self) -> int | None:
        """The earliest instant at which something is due, None while nothing is."""
        due = []
        if self._door.has_live_orders():
            due.append(self._book_at + BOOK_MS)
        if self._mute(self._now + POLL_MS):
            due.append(max(self._quote_at + POLL_MS, self._now + 1))
        return min(due, default=None)

    def at(self, now: int) -> None:
        """Do what is due."""
        self._now = now
        self._facts.at(now, self._symbols.opens_at)
        if self._door.has_live_orders() and now >= self._book_at + BOOK_MS:
            self._book_at = now
            self._hub.read_for_all()
        mute = self._mute(now)
        if mute and now >= self._quote_at + POLL_MS:
            self._quote_at = now
            for key in mute:
                market = self._symbols.by_key[key]
                if not market.polling:
                    market.polling = True
                    self._hub.tell_all(wire.FeedHealth(now=now, connected=True, polling=True))
                self._hub.quotes.ask(key)

    def _mute(self, now: int) -> list[tuple[str, str]]:
        """Symbols that somebody trades and that have had no price for the freshness limit."""
        found = []
        for key in self._hub.listened():
            market = self._symbols.by_key.get(key)
            if market is not None and market.open_at <= now <= market.close_at:
                since = max(market.last_tick_at, market.open_at)
                if now - since >= ENGINE.freshness_ms:
                    found.append(key)
        return found
