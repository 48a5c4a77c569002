"""What a runner is told of its instrument today: tick size, lot, band and session times, by broker and our tables."""

from datetime import date

import msgspec
from algo_brokers.records import BrokerInstrument, Quote
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Product
from algo_market.instruments import DayInstrument, UnknownInstrumentError, instrument_on
from algo_market.sessions import session_times

_NO_FREEZE = 10**9
"""Freeze quantities are in no broker endpoint (Kite forum, staff); the exchange refuses what is beyond."""


class InstrumentDay(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument on one day; `token` names it on the broker's feed."""

    token: int
    instrument: wire.Instrument
    session: wire.SessionTimes


def instrument_day(
    listed: BrokerInstrument, quote: Quote | None, *, broker: str, product: Product, day: date
) -> InstrumentDay:
    """The engine's view of an instrument; the band is the quote's where the broker tells one, (0, 0) otherwise.

    Raises:
        algo_market.sessions.SessionUnknownError: the date lies outside the session table.
    """
    known = _known(listed, day)
    banded = quote is not None and quote.band_high > 0
    return InstrumentDay(
        token=listed.token,
        instrument=wire.Instrument(
            exchange=listed.exchange,
            symbol=listed.symbol,
            tick_size=listed.tick_size,
            lot=max(1, listed.lot),
            freeze_quantity=known.freeze or _NO_FREEZE,
            band_low=quote.band_low if banded and quote else 0,
            band_high=quote.band_high if banded and quote else 0,
            previous_close=quote.previous_close if quote else 0,
            option=known.option,
        ),
        session=session_times(known, broker, day, product),
    )


def _known(listed: BrokerInstrument, day: date) -> DayInstrument:
    """Our table's row, or one made of the broker's: a share not in the table counts as one of the closing auction,
    whose continuous trading ends first, because an exit that comes too early is safe and one too late is not."""
    try:
        return instrument_on(listed.exchange, listed.symbol, day)
    except UnknownInstrumentError:
        return DayInstrument(
            exchange=listed.exchange,
            symbol=listed.symbol,
            name=listed.name,
            kind=listed.kind,
            token=listed.token,
            isin="",
            lot=max(1, listed.lot),
            freeze=0,
            tick_size=listed.tick_size,
            closing_auction=listed.kind == "EQ",
        )
