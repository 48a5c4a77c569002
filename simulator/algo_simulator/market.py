"""One symbol of a world: what the exchange matches against, and what the feed shows of it and when.

Matching uses the cleaned series; the feed sends the rows as recorded, dirt included. A dirty row has no usable time of
its own, so it goes out where it stands in the file: together with the newest good row before it.
"""

from array import array
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Final

import msgspec
from algo_crds.contracts.clock import instant
from algo_market.instruments import DayInstrument, price_band
from algo_market.matching import MatchBook
from algo_market.previous_close import first_price
from algo_market.readers import Recording, cleaned
from algo_market.row_parsers import Trade
from algo_market.sessions import Session, day_start

NEVER: Final = 1 << 62


class DayStats(msgspec.Struct, kw_only=True):
    """What quotes show of the day so far."""

    open: int = 0
    high: int = 0
    low: int = 0
    last: int = 0
    last_time: int = 0
    last_quantity: int = 0
    volume: int = 0
    value: int = 0
    shares: int = 0

    @property
    def average(self) -> int:
        """Volume-weighted average price, or the last price where no quantity is known."""
        return self.value // self.shares if self.shares else self.last


class Market:
    """A symbol of a world; `book` and `stats` change as the world's clock moves."""

    def __init__(
        self, instrument: DayInstrument, session: Session, recording: Recording, previous_close: int, liquidity: int
    ) -> None:
        self.instrument = instrument
        self.session = session
        self.trades = cleaned(recording, opens=session.open, closes=session.last_match)
        self.previous_close = previous_close or first_price(self.trades)
        self.stats = DayStats()
        low, high = price_band(self.previous_close, instrument.tick_size)
        self.book = MatchBook(
            instrument=instrument,
            band_low=low,
            band_high=high,
            open=session.open,
            last_new_order=session.last_new_order,
            end_of_stops=session.end_of_stops,
            last_match=session.last_match,
            liquidity=liquidity,
        )
        self._recording = recording
        self._sent_at = send_times(recording, session.day)
        self._next_trade = 0
        self._next_row = 0

    @property
    def first_event(self) -> int:
        """When the feed sends its first row (instant, ms)."""
        return min(self._sent_at[0], self.trades[0].time if self.trades else NEVER)

    def next_event(self) -> int:
        """When the next trade or feed row is due; `NEVER` after the last."""
        trade = self.trades[self._next_trade].time if self._next_trade < len(self.trades) else NEVER
        row = self._sent_at[self._next_row] if self._next_row < len(self._sent_at) else NEVER
        return min(trade, row)

    def due_trades(self, now: int) -> Iterator[Trade]:
        """The trades up to now, each counted into the day's figures before it is handed on."""
        while self._next_trade < len(self.trades) and self.trades[self._next_trade].time <= now:
            trade = self.trades[self._next_trade]
            self._next_trade += 1
            self._count(trade)
            yield trade

    @property
    def rows_shown(self) -> int:
        """How many rows of the record the feed has sent."""
        return self._next_row

    def due_rows(self, now: int) -> list[Trade]:
        """The feed's rows up to now, in file order."""
        begin = self._next_row
        while self._next_row < len(self._sent_at) and self._sent_at[self._next_row] <= now:
            self._next_row += 1
        rows = self._recording
        return [Trade(rows.times[i], rows.prices[i], rows.volumes[i]) for i in range(begin, self._next_row)]

    def _count(self, trade: Trade) -> None:
        stats, price = self.stats, trade.price
        if stats.open == 0:
            stats.open = stats.high = stats.low = price
        stats.high = max(stats.high, price)
        stats.low = min(stats.low, price)
        stats.last, stats.last_time = price, trade.time
        stats.last_quantity = max(trade.volume - stats.volume, 0) if stats.volume else 0
        stats.volume = max(stats.volume, trade.volume)
        stats.shares += stats.last_quantity
        stats.value += stats.last_quantity * price


def send_times(recording: Recording, day: date) -> "array[int]":
    """When each recorded row goes out: never falling, and never ahead for a dirty row.

    A row of the session's day moves the feed on. A row of another day does so only after the last row of the session's
    day; interleaved with it, it is dirt and goes out at once.
    """
    start, end = day_start(day), day_start(day + timedelta(days=1))
    times = recording.times
    own = [index for index, at in enumerate(times) if start <= at < end]
    last_own = own[-1] if own else -1
    position = times[own[0]] if own else instant(day, time(9, 15))
    sent = array("q")
    for index, at in enumerate(times):
        if start <= at < end or index > last_own:
            position = max(position, at)
        sent.append(position)
    return sent
