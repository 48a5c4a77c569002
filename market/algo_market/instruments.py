"""The dated instrument table of the simulated exchange (`instruments.toml`).

Tick sizes change by date, so an instrument is always asked for *on a day*. Names and tokens here are the exchange's;
each simulated broker renders its own spelling, and a real broker's master comes from its adapter instead.
"""

import tomllib
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec
from algo_crds.contracts.money import Price, parse_price
from algo_crds.contracts.wire import Instrument

BAND_PERCENT: Final = 10
"""Daily price band of the simulated exchange around the previous close."""


class UnknownInstrumentError(LookupError):
    """The table has no such instrument on that day."""


class DayInstrument(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument as it trades on one day. Prices are `Price` (1/10 000 rupee)."""

    exchange: str
    symbol: str
    name: str
    kind: str
    """`EQ`, `INDEX`, `FUT`, `CE` or `PE`."""
    token: int
    isin: str
    lot: int
    freeze: int
    tick_size: int
    closing_auction: bool
    expiry: date | None = None
    strike: int = 0
    underlying: str = ""

    @property
    def key(self) -> str:
        """`EXCHANGE:SYMBOL`."""
        return f"{self.exchange}:{self.symbol}"

    @property
    def option(self) -> bool:
        """Whether the wider stop bands of options apply."""
        return self.kind in ("CE", "PE")


class _TickFrom(msgspec.Struct, frozen=True, rename={"since": "from"}):
    since: date
    tick: str


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    exchange: str
    symbol: str
    name: str
    kind: str
    token: int
    ticks: tuple[_TickFrom, ...]
    isin: str = ""
    lot: int = 1
    freeze: int = 100_000
    closing_auction: bool = False
    expiry: date | None = None
    strike: str = "0"
    underlying: str = ""


@lru_cache(maxsize=1)
def _rows() -> dict[tuple[str, str], _Row]:
    raw = tomllib.loads(files("algo_market").joinpath("instruments.toml").read_text("utf-8"))
    rows = msgspec.convert(raw["instrument"], list[_Row])
    return {(row.exchange, row.symbol): row for row in rows}


def _on(row: _Row, day: date) -> DayInstrument | None:
    ticks = [entry for entry in row.ticks if entry.since <= day]
    if not ticks or (row.expiry is not None and day > row.expiry):
        return None
    return DayInstrument(
        exchange=row.exchange,
        symbol=row.symbol,
        name=row.name,
        kind=row.kind,
        token=row.token,
        isin=row.isin,
        lot=row.lot,
        freeze=row.freeze,
        tick_size=parse_price(ticks[-1].tick),
        closing_auction=row.closing_auction,
        expiry=row.expiry,
        strike=parse_price(row.strike),
        underlying=row.underlying,
    )


def instrument_on(exchange: str, symbol: str, day: date) -> DayInstrument:
    """The instrument as it trades on a day.

    Raises:
        UnknownInstrumentError: not in the table, not yet listed, or expired.
    """
    row = _rows().get((exchange, symbol))
    found = None if row is None else _on(row, day)
    if found is None:
        known = ", ".join(f"{e}:{s}" for e, s in sorted(_rows()))
        raise UnknownInstrumentError(f"{exchange}:{symbol} does not trade on {day}; the simulated exchange has {known}")
    return found


def instruments_on(day: date) -> tuple[DayInstrument, ...]:
    """Every instrument that trades on a day, in the table's order."""
    return tuple(found for row in _rows().values() if (found := _on(row, day)) is not None)


def price_band(previous_close: int, tick_size: int) -> tuple[Price, Price]:
    """Lowest and highest price of the day, rounded inwards to ticks; (0, 0) without a previous close."""
    if previous_close <= 0:
        return Price(0), Price(0)
    reach = previous_close * BAND_PERCENT // 100
    low = -(-(previous_close - reach) // tick_size) * tick_size
    return Price(low), Price((previous_close + reach) // tick_size * tick_size)


def wire_instrument(instrument: DayInstrument, previous_close: int) -> Instrument:
    """What the engine must know of the instrument today (simulated and paper accounts)."""
    low, high = price_band(previous_close, instrument.tick_size)
    return Instrument(
        exchange=instrument.exchange,
        symbol=instrument.symbol,
        tick_size=instrument.tick_size,
        lot=instrument.lot,
        freeze_quantity=instrument.freeze,
        band_low=low,
        band_high=high,
        previous_close=previous_close,
        option=instrument.option,
    )
