"""The day's instrument list, `OpenAPIScripMaster.json`: one JSON array for all exchanges, every value a text.

Tick size and strike stand in paise. Symbols are never built by hand: a line is found by name, expiry, strike and kind.
"""

from datetime import date
from decimal import Decimal
from typing import Final

import msgspec
from algo_crds.contracts.money import SCALE
from algo_market.contract_names import derivative_symbol, index_symbol, monthly_expiries

from algo_brokers.angelone import names
from algo_brokers.angelone.amounts import count_of, date_of, decimal_of
from algo_brokers.angelone.envelope import decode
from algo_brokers.errors import BadAnswer
from algo_brokers.records import BrokerInstrument

_PAISE: Final = Decimal(100)
_CURRENCY_STRIKE: Final = Decimal(10_000_000)
CURRENCY_TICK: Final = Decimal(100)
"""UNVERIFIED: others divide currency ticks by 100, while strikes of the same lines are ten-millionths."""
_DERIVATIVES: Final = frozenset({"FUT", "CE", "PE"})
_FUTURES: Final = frozenset({"FUTIDX", "FUTSTK", "FUTCUR", "FUTIRC", "FUTIRT", "FUTCOM"})
_OPTIONS: Final = frozenset({"OPTIDX", "OPTSTK", "OPTCUR", "OPTIRC", "OPTFUT"})


class _Where(msgspec.Struct, frozen=True):
    exch_seg: str | None = None


class _Line(msgspec.Struct, frozen=True):
    token: str
    symbol: str
    name: str
    exch_seg: str
    tick_size: str
    lotsize: str
    expiry: str = ""
    strike: str = ""
    instrumenttype: str = ""
    freeze_qty: str = ""
    is_cas_enabled: bool | str | None = None
    """New in 2026, and the one value that is no text."""


def parse(text: bytes, exchange: str, *, today: date) -> tuple[BrokerInstrument, ...]:
    """The instruments of one exchange that can be traded or watched; lines of other kinds are left out.

    Raises:
        BadAnswer: no list, a line of this exchange that cannot be read, no line of it, or a list of an earlier day:
            a wrong tick size or token is worse than yesterday's list.
    """
    lines = [(line, _kind(line)) for line in _lines(text, exchange)]
    dated = [(line.name, expiry) for line, _ in lines if (expiry := date_of(line.expiry)) is not None]
    monthly = monthly_expiries(dated)
    found = tuple(_instrument(line, kind, monthly) for line, kind in lines if kind)
    if not found:
        raise BadAnswer(f"the instrument list has no line of {exchange}")
    expiries = [one.expiry for one in found if one.expiry is not None]
    if expiries and max(expiries) < today:
        raise BadAnswer(f"the instrument list of {exchange} is of an earlier day: all its contracts have expired")
    return found


def _lines(text: bytes, exchange: str) -> list[_Line]:
    """The lines of one exchange; what another exchange's lines hold is no matter here."""
    where = decode(text, list[_Where], "instrument list")
    whole = decode(text, list[msgspec.Raw], "instrument list")
    return [
        decode(line, _Line, f"instrument list of {exchange}")
        for place, line in zip(where, whole, strict=True)
        if place.exch_seg == exchange
    ]


def _kind(line: _Line) -> str:
    if line.instrumenttype == "AMXIDX":
        return "INDEX"
    if line.instrumenttype in _FUTURES:
        return "FUT"
    if line.instrumenttype in _OPTIONS:
        return line.symbol[-2:] if line.symbol[-2:] in ("CE", "PE") else ""
    return "EQ" if not line.instrumenttype and line.exch_seg in names.CASH else ""


def _units(text: str, divisor: Decimal) -> int:
    value = decimal_of(text) / divisor * SCALE
    if value != value.to_integral_value():
        raise BadAnswer(f"{text!r} is finer than 1/10 000 rupee")
    return int(value)


def _instrument(line: _Line, kind: str, monthly: frozenset[tuple[str, date]]) -> BrokerInstrument:
    try:
        exchange_type = names.EXCHANGE_TYPES[line.exch_seg]
        if not line.token.isdecimal() or not 0 < int(line.token) < 1 << 32:
            raise BadAnswer(f"token {line.token!r}")
        expiry = date_of(line.expiry) if kind in _DERIVATIVES else None
        if kind in _DERIVATIVES and expiry is None:
            raise BadAnswer(f"expiry {line.expiry!r}")
        currency = line.exch_seg == "CDS"
        strike = _units(line.strike, _CURRENCY_STRIKE if currency else _PAISE) if kind in ("CE", "PE") else 0
        return BrokerInstrument(
            exchange=line.exch_seg,
            symbol=_symbol(line, kind, expiry, strike, monthly),
            token=names.pack(exchange_type, int(line.token)),
            name=line.name,
            tick_size=_units(line.tick_size, CURRENCY_TICK if currency else _PAISE),
            lot=count_of(line.lotsize),
            kind=kind,
            broker_symbol=line.symbol,
            freeze=count_of(line.freeze_qty),
            expiry=expiry,
            strike=strike,
            underlying=line.name if expiry is not None else "",
            closing_auction=line.is_cas_enabled if kind == "EQ" and isinstance(line.is_cas_enabled, bool) else None,
        )
    except BadAnswer as error:
        raise BadAnswer(f"instrument {line.symbol!r}: {error}") from None
    except KeyError:
        raise BadAnswer(f"instrument {line.symbol!r}: exchange {line.exch_seg!r} has no number") from None


def _symbol(line: _Line, kind: str, expiry: date | None, strike: int, monthly: frozenset[tuple[str, date]]) -> str:
    if kind == "INDEX":
        return index_symbol(line.symbol)
    if expiry is None:
        return names.cash_symbol(line.exch_seg, line.symbol)
    return derivative_symbol(line.name, expiry, kind, strike=strike, monthly=(line.name, expiry) in monthly)
