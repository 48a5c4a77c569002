"""The symbol masters: one file a segment, made anew each day, public. As JSON with the freeze quantity, or as CSV.

The CSV has no header and "21 columns, not for ever": the first eighteen are read. Source: docs v3, symbol master.
"""

import csv
import io
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import msgspec
from algo_crds.contracts.clock import IST
from algo_crds.contracts.money import NotAPriceError, parse_price

from algo_brokers.errors import BadAnswer, RequestRefused
from algo_brokers.fyers.decoding import Number, count_of, decode, price_of
from algo_brokers.fyers.names import canonical, is_derivative, is_index
from algo_brokers.http import HttpRequest
from algo_brokers.records import BrokerInstrument

_FILES: Final = {
    "NSE": "NSE_CM",
    "NFO": "NSE_FO",
    "CDS": "NSE_CD",
    "NCO": "NSE_COM",
    "BSE": "BSE_CM",
    "BFO": "BSE_FO",
    "MCX": "MCX_COM",
}
_COLUMNS: Final = 18
_OPTIONS: Final = frozenset({"CE", "PE"})


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    fyToken: str  # noqa: N815 - the broker's name
    exchange: int
    segment: int
    minLotSize: Number  # noqa: N815
    tickSize: Decimal  # noqa: N815
    symDetails: str = ""  # noqa: N815
    isin: str | None = ""
    expiryDate: str | int | float | None = None  # noqa: N815
    strikePrice: Number = None  # noqa: N815
    optType: str | None = ""  # noqa: N815
    underSym: str | None = ""  # noqa: N815
    qtyFreeze: str | int | float | None = None  # noqa: N815
    lowerPrice: Number = None  # noqa: N815
    upperPrice: Number = None  # noqa: N815


def _target(exchange: str, ending: str) -> HttpRequest:
    name = _FILES.get(exchange)
    if name is None:
        raise RequestRefused(f"Fyers has no list of {exchange!r}; it has {', '.join(_FILES)}")
    return HttpRequest("GET", f"/sym_details/{name}{ending}")


def json_request(exchange: str) -> HttpRequest:
    """The list as JSON. No session goes along: the file is public and lies on another host.

    Raises:
        RequestRefused: there is no list of that exchange.
    """
    return _target(exchange, "_sym_master.json")


def csv_request(exchange: str) -> HttpRequest:
    """The list as CSV. Raises `RequestRefused`."""
    return _target(exchange, ".csv")


def _expiry(seconds: int) -> date | None:
    try:
        return datetime.fromtimestamp(seconds, IST).date() if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        raise BadAnswer(f"expiry {seconds} is no instant") from None


def _kind(exchange: str, broker_symbol: str, option: str) -> str:
    if is_index(broker_symbol):
        return "INDEX"
    if not is_derivative(exchange):
        return "EQ"
    return option if option in _OPTIONS else "FUT"


def _instrument(entry: _Entry, broker_symbol: str) -> BrokerInstrument:
    exchange, symbol = canonical(entry.exchange, entry.segment, broker_symbol)
    option = entry.optType or ""
    strike = price_of(entry.strikePrice) if option in _OPTIONS else 0
    return BrokerInstrument(
        exchange=exchange,
        symbol=symbol,
        token=int(entry.fyToken),
        name=entry.symDetails,
        tick_size=price_of(entry.tickSize),
        lot=count_of(entry.minLotSize),
        kind=_kind(exchange, broker_symbol, option),
        broker_symbol=broker_symbol,
        isin=entry.isin or "",
        freeze=_loose(entry.qtyFreeze),
        expiry=_expiry(_loose(entry.expiryDate)),
        strike=strike,
        underlying=entry.underSym or "",
        band_low=max(price_of(entry.lowerPrice), 0),
        band_high=max(price_of(entry.upperPrice), 0),
    )


def _loose(value: str | int | float | None) -> int:
    """A number that the list also writes as text, empty where there is none."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() else 0
    return max(int(value or 0), 0)


def parse_json(data: bytes) -> tuple[BrokerInstrument, ...]:
    """All instruments of the list.

    Raises:
        BadAnswer: any entry cannot be read; then the whole list is refused, because a wrong tick size or token is
            worse than yesterday's list.
    """
    entries = decode(data, dict[str, _Entry], "instrument list")
    try:
        return tuple(_instrument(entry, symbol) for symbol, entry in entries.items())
    except (ValueError, OverflowError) as error:
        raise BadAnswer(f"the instrument list cannot be read: {error}") from None


def parse_csv(text: bytes) -> tuple[BrokerInstrument, ...]:
    """All instruments of the list; it does not tell freeze quantities. Raises `BadAnswer`, as `parse_json`."""
    try:
        return tuple(_line(row) for row in _rows(text))
    except (csv.Error, UnicodeDecodeError, ValueError, NotAPriceError, OverflowError) as error:
        raise BadAnswer(f"the instrument list cannot be read: {error}") from None


def _rows(text: bytes) -> Iterable[list[str]]:
    return (row for row in csv.reader(io.StringIO(text.decode()), strict=True) if row)


def _line(row: list[str]) -> BrokerInstrument:
    if len(row) < _COLUMNS:
        raise ValueError(f"a line of {len(row)} columns; {_COLUMNS} were expected")
    entry = _Entry(
        fyToken=row[0],
        symDetails=row[1],
        minLotSize=Decimal(int(row[3])),
        tickSize=Decimal(parse_price(row[4])) / 10_000,
        isin=row[5],
        expiryDate=row[8],
        exchange=int(row[10]),
        segment=int(row[11]),
        underSym=row[13],
        strikePrice=Decimal(parse_price(row[15])) / 10_000,
        optType=row[16],
    )
    return _instrument(entry, row[9])
