"""The instrument list: CSV with a header, one file per exchange, made anew each morning."""

import csv
import io
from datetime import date
from typing import Final

from algo_crds.contracts.money import NotAPriceError, parse_price

from algo_brokers.errors import BadAnswer
from algo_brokers.records import BrokerInstrument

_NEEDED: Final = (
    "instrument_token",
    "tradingsymbol",
    "name",
    "tick_size",
    "lot_size",
    "instrument_type",
    "segment",
    "exchange",
)
_OPTIONS: Final = frozenset({"CE", "PE"})
_CONTRACTS: Final = _OPTIONS | {"FUT"}


def parse(text: bytes) -> tuple[BrokerInstrument, ...]:
    """All instruments of the list. An index has tick size and lot 0 and kind `INDEX`.

    Raises:
        BadAnswer: a column is missing, or a line cannot be read; then the whole list is refused, because a wrong tick
            size or token is worse than yesterday's list.
    """
    try:
        rows = csv.DictReader(io.StringIO(text.decode()), strict=True)
        missing = [name for name in _NEEDED if name not in (rows.fieldnames or ())]
        if missing:
            raise BadAnswer(f"the instrument list lacks {', '.join(missing)}")
        return tuple(_instrument(row) for row in rows)
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadAnswer(f"the instrument list cannot be read: {error}") from None


def _instrument(row: dict[str, str | None]) -> BrokerInstrument:
    try:
        kind = "INDEX" if row["segment"] == "INDICES" else row["instrument_type"] or ""
        contract, expiry = kind in _CONTRACTS, row.get("expiry")
        return BrokerInstrument(
            exchange=row["exchange"] or "",
            symbol=row["tradingsymbol"] or "",
            token=int(row["instrument_token"] or ""),
            name=row["name"] or "",
            tick_size=parse_price(row["tick_size"] or ""),
            lot=int(float(row["lot_size"] or "")),
            kind=kind,
            expiry=date.fromisoformat(expiry) if contract and expiry else None,
            strike=parse_price(row.get("strike") or "0") if kind in _OPTIONS else 0,
            underlying=(row["name"] or "") if contract else "",
        )
    except (ValueError, NotAPriceError, OverflowError) as error:
        raise BadAnswer(f"instrument {row['tradingsymbol']!r}: {error}") from None
