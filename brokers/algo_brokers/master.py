"""Several brokers' lists of one exchange made into one table of instruments; pure.

Brokers do not always agree, and a list may be of yesterday. Nothing is guessed: where the strictest value satisfies all
of them it counts, otherwise the fact is unknown (0 or None), and either way the disagreement is reported.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple, TypeVar

import msgspec

from algo_brokers.records import BrokerInstrument

_T = TypeVar("_T")
_CASH: Final = "EQ"
_INDEX: Final = "INDEX"
_DERIVATIVES: Final = "NFO"
"""The exchange whose freeze quantities NSE publishes by underlying."""
NSE_FILE: Final = "nse"
"""Names the exchange's own file among the sources of a disagreement."""


class MasterInstrument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One instrument as all brokers together list it. Prices in 1/10 000 rupee; 0 and None: not known."""

    exchange: str
    symbol: str
    name: str
    kind: str
    """`EQ`, `FUT`, `CE`, `PE`, `INDEX`, or empty where brokers disagree."""
    tick_size: int = 0
    lot: int = 0
    freeze_quantity: int = 0
    band_low: int = 0
    band_high: int = 0
    closing_auction: bool | None = None
    isin: str = ""
    expiry: date | None = None
    strike: int = 0
    underlying: str = ""
    tokens: dict[str, int] = {}
    """How each broker's feed names it today, by broker: also says which brokers list it."""
    broker_symbols: dict[str, str] = {}
    """Brokers' own spellings where they are not ours."""
    also: tuple[str, ...] = ()
    """Other brokers' names of it, for searching."""


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """Brokers say different things of one instrument."""

    exchange: str
    symbol: str
    field: str
    said: dict[str, str]
    """By broker."""
    taken: str
    """What counts now; empty where the fact is unknown."""


class Master(NamedTuple):
    """The table of one exchange."""

    instruments: tuple[MasterInstrument, ...]
    disagreements: tuple[Disagreement, ...]


_Rows = list[tuple[str, BrokerInstrument]]
"""What brokers say of one instrument, in the order of their names."""


def merge(
    lists: Mapping[str, Iterable[BrokerInstrument]],
    *,
    freezes: Mapping[str, int] | None = None,
    underlyings: frozenset[str] | None = None,
) -> Master:
    """One table of several brokers' lists of the same exchange.

    Args:
        lists: by broker.
        freezes: the exchange's freeze quantities by underlying, for derivatives.
        underlyings: shares with derivatives, which take part in the closing auction; None where that is not known.
    """
    found: dict[tuple[str, str], _Rows] = {}
    report = _Report()
    for broker in sorted(lists):
        for row in lists[broker]:
            if row.exchange and row.symbol:
                found.setdefault((row.exchange, row.symbol), []).append((broker, row))
    table = tuple(_merged(rows, freezes or {}, underlyings, report) for rows in found.values())
    return Master(table, tuple(report.found))


class _Report:
    """Collects disagreements."""

    def __init__(self) -> None:
        self.found: list[Disagreement] = []

    def settle(self, rows: _Rows, field: str, said: dict[str, _T], unknown: _T, choose: Callable[[set[_T]], _T]) -> _T:
        """The value of a field: what all say, else what `choose` makes of them, and then it is reported."""
        values = set(said.values())
        if len(values) < 2:
            return values.pop() if values else unknown
        taken = choose(values)
        self.add(rows, field, said, "" if taken == unknown else str(taken))
        return taken

    def add(self, rows: _Rows, field: str, said: Mapping[str, object], taken: str) -> None:
        """A disagreement about one instrument."""
        one = rows[0][1]
        texts = {broker: str(value) for broker, value in said.items()}
        self.found.append(Disagreement(exchange=one.exchange, symbol=one.symbol, field=field, said=texts, taken=taken))


def _merged(
    rows: _Rows, freezes: Mapping[str, int], underlyings: frozenset[str] | None, report: _Report
) -> MasterInstrument:
    rows = _once(rows, report)
    first = rows[0][1]
    kind = report.settle(rows, "kind", _said(rows, lambda row: row.kind), "", _stricter_kind)
    names = sorted({row.name for _, row in rows if row.name}, key=lambda name: (-len(name), name))
    band_low, band_high = _band(rows, report)

    def steps(value: Callable[[BrokerInstrument], int]) -> dict[str, int]:
        return {} if kind == _INDEX else _said(rows, value)

    underlying = report.settle(rows, "underlying", _said(rows, lambda row: row.underlying), "", lambda _: "")
    return MasterInstrument(
        exchange=first.exchange,
        symbol=first.symbol,
        name=names[0] if names else "",
        kind=kind,
        tick_size=report.settle(rows, "tick_size", steps(_tick_size), 0, _common),
        lot=report.settle(rows, "lot", steps(_lot), 0, _common),
        freeze_quantity=_freeze(rows, underlying, freezes, report),
        band_low=band_low,
        band_high=band_high,
        closing_auction=_auction(rows, kind, underlyings, report),
        isin=report.settle(rows, "isin", _said(rows, lambda row: row.isin), "", lambda _: ""),
        expiry=report.settle(rows, "expiry", _said(rows, lambda row: row.expiry), None, lambda _: None),
        strike=report.settle(rows, "strike", _said(rows, lambda row: row.strike), 0, lambda _: 0),
        underlying=underlying,
        tokens={broker: row.token for broker, row in rows},
        broker_symbols={broker: row.broker_symbol for broker, row in rows if row.broker_symbol not in ("", row.symbol)},
        also=tuple(names[1:]),
    )


def _tick_size(row: BrokerInstrument) -> int:
    return row.tick_size


def _lot(row: BrokerInstrument) -> int:
    return row.lot


def _said(rows: _Rows, value: Callable[[BrokerInstrument], _T]) -> dict[str, _T]:
    """What each broker says that says something."""
    return {broker: told for broker, row in rows if (told := value(row))}


def _once(rows: _Rows, report: _Report) -> _Rows:
    """One row a broker. A broker that lists the same name under two tokens is not asked for any: nobody could say which
    of them an order would trade."""
    if len({broker for broker, _ in rows}) == len(rows):
        return rows
    kept: dict[str, BrokerInstrument] = {}
    for broker, row in rows:
        before = kept.setdefault(broker, row)
        if before.token != row.token and before.token:
            report.add(rows, "token", {broker: f"{before.token}, {row.token}"}, "")
            kept[broker] = msgspec.structs.replace(before, token=0)
    return list(kept.items())


def _stricter_kind(kinds: set[str]) -> str:
    return _INDEX if _INDEX in kinds else ""


def _common(values: set[int]) -> int:
    """The largest, if it is a multiple of all others: whatever it allows, every broker's own value allows."""
    largest = max(values)
    return largest if all(largest % value == 0 for value in values) else 0


def _freeze(rows: _Rows, underlying: str, freezes: Mapping[str, int], report: _Report) -> int:
    said = _said(rows, lambda row: row.freeze)
    if rows[0][1].exchange == _DERIVATIVES and underlying in freezes:
        said[NSE_FILE] = freezes[underlying]
    return report.settle(rows, "freeze", said, 0, min)


def _band(rows: _Rows, report: _Report) -> tuple[int, int]:
    said = {broker: (row.band_low, row.band_high) for broker, row in rows if 0 < row.band_low < row.band_high}
    return report.settle(rows, "band", said, (0, 0), _inner)


def _inner(bands: set[tuple[int, int]]) -> tuple[int, int]:
    low, high = max(band[0] for band in bands), min(band[1] for band in bands)
    return (low, high) if low < high else (0, 0)


def _auction(rows: _Rows, kind: str, underlyings: frozenset[str] | None, report: _Report) -> bool | None:
    """Two that disagree count as yes: an exit that comes too early is safe, one too late is not."""
    if kind != _CASH:
        return None
    said: dict[str, bool | None] = {
        broker: row.closing_auction for broker, row in rows if row.closing_auction is not None
    }
    if not said and underlyings is not None:
        return rows[0][1].symbol in underlyings
    return report.settle(rows, "closing_auction", said, None, lambda _: True)
