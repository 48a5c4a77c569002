"""One row parser a layout of recorded data; each turns a line into the trades it stands for."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Final, NamedTuple, Protocol

from algo_crds.contracts.clock import IST

SCALE_DIGITS: Final = 4
REPEAT_S: Final = 5
"""How often a bar's price is repeated: half of the time after which a symbol's feed counts as stale."""


class Trade(NamedTuple):
    """One price of the record: instant (whole seconds, ms), `Price`, the day's running total of shares."""

    time: int
    price: int
    volume: int


class BadRowError(ValueError):
    """A row of a recording cannot be read."""

    def __init__(self, name: str, line: int, text: str, reason: str) -> None:
        super().__init__(f"{name}, line {line}: {reason} in {text[:120]!r}")
        self.line = line


class RowParser(Protocol):
    """Stateful: running totals of volume are kept from row to row."""

    @property
    def layout(self) -> str: ...

    def parse(self, line: str) -> tuple[Trade, ...]:
        """The trades of a line, in order of time."""
        ...


def parse_rupees(text: str) -> int:
    """A decimal of rupees as `Price`; zero is allowed (a feed may send it), negative or not finite is not.

    Raises:
        ValueError: no such number.
    """
    whole, _, fraction = text.partition(".")
    if whole.isdigit() and whole.isascii() and len(whole) < 12 and len(fraction) <= SCALE_DIGITS:
        if not fraction:
            return int(whole) * 10_000
        if fraction.isdigit() and fraction.isascii():
            return int(whole) * 10_000 + int(fraction.ljust(SCALE_DIGITS, "0"))
    try:
        amount = Decimal(text)
        price = int((amount * 10_000).to_integral_value())
    except (InvalidOperation, OverflowError, ValueError):
        raise ValueError("not a price") from None
    if price < 0 or price >= 10**16:
        raise ValueError("a price must lie between 0 and 10^12 rupees")
    return price


def parse_quantity(text: str) -> int:
    """A whole number of shares, written `12` or `12.0`.

    Raises:
        ValueError: negative, a fraction, or no number.
    """
    number = text.removesuffix(".0")
    if not (number.isdigit() and number.isascii() and len(number) < 17):
        raise ValueError("not a quantity")
    return int(number)


class _Clock:
    """Instants of `YYYY-MM-DD hh:mm:ss`; the date is parsed once a day, which is most of the cost."""

    __slots__ = ("_date", "_midnight")

    def __init__(self) -> None:
        self._date = ""
        self._midnight = 0

    def at(self, date_text: str, time_text: str) -> int:
        if date_text != self._date:
            self._midnight = int(datetime.strptime(date_text, "%Y-%m-%d").replace(tzinfo=IST).timestamp()) * 1000
            self._date = date_text
        hours, minutes, seconds = time_text.split(":")
        hour, minute, second = int(hours), int(minutes), int(seconds)
        if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
            raise ValueError("not a time of day")
        return self._midnight + (hour * 3600 + minute * 60 + second) * 1000


class TotalTicks:
    """`timestamp,ltp,volume`: the volume is the day's total."""

    layout: Final = "ticks_total"

    def __init__(self) -> None:
        self._clock = _Clock()

    def parse(self, line: str) -> tuple[Trade, ...]:
        stamp, price, volume = line.split(",")
        day, _, clock = stamp.partition(" ")
        return (Trade(self._clock.at(day, clock), parse_rupees(price), parse_quantity(volume)),)


class TradedTicks:
    """`date,price,qty,trnvr,cum_trnvr`: twelve-hour clock; the quantity is the trade's and is summed."""

    layout: Final = "ticks_traded"

    def __init__(self) -> None:
        self._clock = _Clock()
        self._total = 0

    def parse(self, line: str) -> tuple[Trade, ...]:
        stamp, price, quantity, _, _ = line.split(",")
        day, clock, half = stamp.split(" ")
        hours, _, rest = clock.partition(":")
        if half not in ("AM", "PM") or not 1 <= int(hours) <= 12:
            raise ValueError("not a time of the twelve-hour clock")
        hour = int(hours) % 12 + (12 if half == "PM" else 0)
        self._total += parse_quantity(quantity)
        return (Trade(self._clock.at(day, f"{hour}:{rest}"), parse_rupees(price), self._total),)


class BarRows:
    """A bar becomes four trades at 0, 1/3, 2/3 of its length and its last second.

    Open, low, high, close if it rose, otherwise open, high, low, close; each carries a quarter of the volume. Between
    them the price stands: it is repeated each few seconds without volume, as a feed repeats it, because a bar says that
    the market went on, and a feed of ticks a third of a minute apart would be taken as a mute one.
    """

    prefix: Final = "bars_"

    def __init__(self, seconds: int, columns: int, first: int) -> None:
        self.layout = f"{self.prefix}{seconds}s"
        offsets = (0, seconds // 3, seconds * 2 // 3, seconds - 1)
        self._times = tuple(
            (quarter, at * 1000)
            for quarter, (since, until) in enumerate(pairwise((*offsets, seconds)))
            for at in range(since, until, REPEAT_S)
        )
        """Quarter of the bar and offset in ms of each price."""
        self._columns = columns
        self._first = first
        self._clock = _Clock()
        self._total = 0

    def parse(self, line: str) -> tuple[Trade, ...]:
        cells = line.split(",")
        if len(cells) != self._columns:
            raise ValueError(f"{self._columns} columns expected")
        stamp, *prices, volume = cells[self._first : self._first + 6]
        start = self._start(stamp)
        opened, high, low, close = (parse_rupees(text) for text in prices)
        if not (0 < low <= min(opened, close) and max(opened, close) <= high):
            raise ValueError("a bar needs low <= open, close <= high")
        path = (opened, low, high, close) if close > opened else (opened, high, low, close)
        shares = parse_quantity(volume)
        totals = tuple(self._total + shares * part // 4 for part in (1, 2, 3, 4))
        self._total += shares
        return tuple(Trade(start + at, path[quarter], totals[quarter]) for quarter, at in self._times)

    def _start(self, stamp: str) -> int:
        if "T" in stamp:
            moment = datetime.fromisoformat(stamp)
            if moment.tzinfo is None:
                raise ValueError("a bar's time needs its offset")
            return int(moment.timestamp()) * 1000
        day, _, clock = stamp.partition(" ")
        return self._clock.at(day, clock)


class _Make(Protocol):
    def __call__(self) -> RowParser: ...


PARSERS: Final[dict[str, _Make]] = {
    "timestamp,ltp,volume": TotalTicks,
    "date,price,qty,trnvr,cum_trnvr": TradedTicks,
    "ts,open,high,low,close,volume": lambda: BarRows(60, 6, 0),
    "ts,open,high,low,close,volume,oi": lambda: BarRows(60, 7, 0),
    "symbol,timestamp,open,high,low,close,volume": lambda: BarRows(5, 7, 1),
    "symbol,timestamp,open,high,low,close,volume,oi": lambda: BarRows(5, 8, 1),
}
"""By header line."""
