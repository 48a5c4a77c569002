"""The day's list (compact scrip master): one CSV with a header for all exchanges, made anew early each morning.

Columns are read by name. `SEM_TICK_SIZE` is in paise, lots are written `1` and `1.0`, and the list has no freeze
quantity and no ISIN. Sources: DhanHQ v2 docs, instrument list; recorded rows.
"""

import csv
import io
import operator
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Final, NamedTuple

from algo_crds.contracts.clock import IST
from algo_crds.contracts.money import NotAPriceError, parse_price
from algo_market.contract_names import derivative_symbol, index_symbol, monthly_expiries, share_symbol

from algo_brokers.dhan import names
from algo_brokers.errors import BadAnswer
from algo_brokers.records import BrokerInstrument


class _Line(NamedTuple):
    """The columns that are needed, in the order of their names below."""

    exchange: str
    segment: str
    security_id: str
    instrument: str
    spelling: str
    lot: str
    name: str
    expiry: str
    strike: str
    option: str
    tick: str
    series: str
    underlying: str


_COLUMNS: Final = (
    "SEM_EXM_EXCH_ID",
    "SEM_SEGMENT",
    "SEM_SMST_SECURITY_ID",
    "SEM_INSTRUMENT_NAME",
    "SEM_TRADING_SYMBOL",
    "SEM_LOT_UNITS",
    "SEM_CUSTOM_SYMBOL",
    "SEM_EXPIRY_DATE",
    "SEM_STRIKE_PRICE",
    "SEM_OPTION_TYPE",
    "SEM_TICK_SIZE",
    "SEM_SERIES",
    "SM_SYMBOL_NAME",
)
_FUTURES: Final = frozenset({"FUTIDX", "FUTSTK", "FUTCOM", "FUTCUR"})
_OPTIONS: Final = frozenset({"OPTIDX", "OPTSTK", "OPTFUT", "OPTCUR"})
_CURRENCIES: Final = frozenset({"NSE_CURRENCY", "BSE_CURRENCY"})
_UNDERLYING: Final = re.compile(r"(.+?)-(?:\d{1,2})?[A-Za-z]{3}\d{4}-")
_PAISE: Final = 100
_LEAST_TICK: Final = 100
"""One paisa. A smaller tick of a share means that the column is no longer in paise."""


class Listing(NamedTuple):
    """What the list says of one exchange."""

    instruments: tuple[BrokerInstrument, ...]
    kinds: dict[int, str]
    """Dhan's word for the kind (`OPTIDX` and the like) by token: candles want it again."""


def parse(text: bytes, *, exchange: str) -> Listing:
    """The instruments of one of our exchanges. An index has tick size and lot 0 and kind `INDEX`.

    Lines of other exchanges, and of kinds that the docs do not name, are passed over.

    Raises:
        BadAnswer: a column is missing, or a line cannot be read; then the whole list is refused, because a wrong tick
            size or token is worse than yesterday's list.
    """
    try:
        rows = csv.reader(io.StringIO(text.decode()), strict=True)
        mine = list(_of(_lines(rows), exchange))
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadAnswer(f"the instrument list cannot be read: {error}") from None
    contracts = ((_underlying(row), _expiry(row)) for segment, row in mine if segment not in names.CASH)
    monthly = monthly_expiries((name, expiry) for name, expiry in contracts if expiry is not None)
    found = tuple(_instrument(segment, exchange, row, monthly) for segment, row in mine)
    kinds = {one.token: row.instrument for one, (_, row) in zip(found, mine, strict=True)}
    return Listing(found, kinds)


def _lines(rows: Iterator[list[str]]) -> Iterator[_Line]:
    header = next(rows, [])
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise BadAnswer(f"the instrument list lacks {', '.join(missing)}")
    pick = operator.itemgetter(*(header.index(name) for name in _COLUMNS))
    for row in rows:
        if len(row) != len(header):
            raise BadAnswer(f"the instrument list has a line of {len(row)} columns, not {len(header)}")
        yield _Line(*pick(row))


def _of(rows: Iterator[_Line], exchange: str) -> Iterator[tuple[str, _Line]]:
    known = _FUTURES | _OPTIONS | {"EQUITY"}
    for row in rows:
        if row.segment == "I":
            if row.exchange == exchange:
                yield names.INDEX, row
            continue
        segment = names.SEGMENT_OF.get((row.exchange, row.segment))
        if segment and names.EXCHANGE_OF[segment] == exchange and row.instrument in known:
            yield segment, row


def _instrument(segment: str, exchange: str, row: _Line, monthly: frozenset[tuple[str, date]]) -> BrokerInstrument:
    try:
        token = names.pack(segment, int(row.security_id))
        expiry = _expiry(row)
        index = segment == names.INDEX
        kind = "INDEX" if index else _kind(row)
        strike = parse_price(row.strike) if kind in ("CE", "PE") else 0
        underlying = _underlying(row) if kind in ("FUT", "CE", "PE") else ""
        if index:
            symbol = index_symbol(row.spelling)
        elif kind == "EQ":
            symbol = _share(segment, row.spelling, row.series)
        elif expiry is None:
            raise ValueError("no expiry")
        else:
            last = (underlying, expiry) in monthly
            symbol = derivative_symbol(underlying, expiry, kind, strike=strike, monthly=last)
        return BrokerInstrument(
            exchange=exchange,
            symbol=symbol,
            token=token,
            name=row.name,
            tick_size=0 if index else _tick(segment, row.tick),
            lot=0 if index else _lot(row.lot),
            kind=kind,
            broker_symbol=row.spelling,
            expiry=expiry,
            strike=strike,
            underlying=underlying,
        )
    except (ValueError, NotAPriceError, OverflowError) as error:
        raise BadAnswer(f"instrument {row.spelling!r}: {error}") from None


def _kind(row: _Line) -> str:
    word = row.instrument
    if word in _FUTURES:
        return "FUT"
    if word not in _OPTIONS:
        return "EQ"
    option = row.option
    if option not in ("CE", "PE"):
        raise ValueError(f"option type {option!r}")
    return option


def _share(segment: str, spelling: str, series: str) -> str:
    """At BSE a share has one line and its group is no part of the name."""
    return share_symbol(spelling.removesuffix(f"-{series}"), series if segment == "NSE_EQ" else "")


def _underlying(row: _Line) -> str:
    found = _UNDERLYING.match(row.spelling)
    return found[1] if found else row.underlying


def _expiry(row: _Line) -> date | None:
    text = row.expiry[:10]
    if text in ("", "NA", "0001-01-01"):
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=IST).date()
    except ValueError:
        raise BadAnswer(f"instrument {row.spelling!r}: expiry {text!r}") from None


def _tick(segment: str, text: str) -> int:
    tick, rest = divmod(parse_price(text), _PAISE)
    if rest or tick <= 0 or (tick < _LEAST_TICK and segment not in _CURRENCIES):
        raise ValueError(f"tick size {text!r} is none in paise")
    return tick


def _lot(text: str) -> int:
    lot = float(text)
    if lot < 1 or lot != int(lot):
        raise ValueError(f"lot {text!r}")
    return int(lot)
