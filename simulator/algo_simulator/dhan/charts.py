"""Candles as columns: `/charts/intraday` and `/charts/historical`, of the world's own day up to its clock."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from algo_crds.contracts.clock import IST

from algo_simulator.candles import DAY, MINUTE, Candle, candles
from algo_simulator.dhan import bodies
from algo_simulator.dhan.bodies import Body
from algo_simulator.dhan.errors import failure, input_error
from algo_simulator.dhan.names import INSTRUMENT_WORDS, SEGMENT_CODES, find_market, instrument_word
from algo_simulator.dhan.rows import rupees
from algo_simulator.front import Caller
from algo_simulator.market import Market

INTERVALS: Final = ("1", "5", "15", "25", "60")
INTRADAY_DAYS: Final = 90


def intraday(caller: Caller, raw: bytes) -> dict[str, object]:
    """`POST /charts/intraday`: candles of 1, 5, 15, 25 or 60 minutes, at most 90 days a call.

    Raises:
        DhanError: DH-905 a field cannot be used; DH-907 there is no data.
    """
    body = bodies.read_body(raw)
    market = _market(caller, body)
    minutes = int(bodies.word(body, "interval", INTERVALS, "1"))
    since, until = _moment(body, "fromDate"), _moment(body, "toDate", end=True)
    if until - since > timedelta(days=INTRADAY_DAYS):
        raise input_error(f"At most {INTRADAY_DAYS} days of intraday data can be fetched at once")
    return _columns(caller, body, market, minutes * MINUTE, (since, until))


def historical(caller: Caller, raw: bytes) -> dict[str, object]:
    """`POST /charts/historical`: daily candles; the last day is not included.

    Raises:
        DhanError: as `intraday`.
    """
    body = bodies.read_body(raw)
    market = _market(caller, body)
    bodies.quantity(body, "expiryCode", 0)
    since, until = _moment(body, "fromDate"), _moment(body, "toDate")
    return _columns(caller, body, market, DAY, (since, until - timedelta(milliseconds=1)))


def _market(caller: Caller, body: Body) -> Market:
    segment = bodies.word(body, "exchangeSegment", tuple(SEGMENT_CODES))
    kind = bodies.word(body, "instrument", INSTRUMENT_WORDS)
    market = find_market(caller.clock.world.markets, segment, bodies.text(body, "securityId"))
    if market is None or instrument_word(market.instrument) != kind:
        raise failure("DH-907", "System is unable to fetch data due to incorrect parameters or no data present")
    return market


def _moment(body: Body, name: str, *, end: bool = False) -> datetime:
    """A date or date and time; a date alone is its beginning, or its end."""
    text = bodies.text(body, name)
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=IST)
    except ValueError:
        pass
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise input_error(f"Invalid {name}") from None
    return datetime.combine(day, time(23, 59, 59) if end else time(), IST)


def _columns(
    caller: Caller, body: Body, market: Market, length: int, span: tuple[datetime, datetime]
) -> dict[str, object]:
    since, until = (int(moment.timestamp() * 1000) for moment in span)
    if until < since:
        raise input_error("fromDate must be before toDate")
    found = candles(market, length, since=since, until=min(until, caller.now))
    if not found:
        raise failure("DH-907", "System is unable to fetch data due to incorrect parameters or no data present")
    return {**_prices(found), "open_interest": [0.0] * (len(found) if bodies.flag(body, "oi") else 0)}


def _prices(found: Sequence[Candle]) -> dict[str, object]:
    return {
        "open": [rupees(candle.open) for candle in found],
        "high": [rupees(candle.high) for candle in found],
        "low": [rupees(candle.low) for candle in found],
        "close": [rupees(candle.close) for candle in found],
        "volume": [float(candle.volume) for candle in found],
        "timestamp": [candle.start / 1000 for candle in found],
    }
