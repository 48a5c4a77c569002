"""SQL that reads instruments. They are the same for all users, so no query names one; row-level security lets every
signed-in user read, and only the worker write.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.instruments.models import Instrument, InstrumentLoad

_COLUMNS: Final = (
    "exchange, symbol, name, kind, tick_size, lot, freeze_quantity, band_low, band_high, closing_auction, isin, "
    "expiry, strike, underlying, tokens, broker_symbols"
)
_LAST: Final = "\U0010ffff"
"""Sorts after every other character, byte by byte in UTF-8 too."""
_WORD: Final = re.compile(r"[^\W_]+")
_PREFIX: Final = "symbol ~>=~ :low AND symbol ~<~ :high AND symbol <> :exact"


def _search(*, exchange: bool, kind: bool, words: bool) -> TextClause:
    """One statement of parts in order of rank. Each part is served in order by an index, and a part is not begun when
    those before it have filled the page."""
    narrowed = (" AND exchange = :exchange" if exchange else "") + (" AND kind = :kind" if kind else "")
    parts = [
        f"symbol = :exact{narrowed}",
        f"isin = :exact AND isin <> ''{narrowed}",
        f"{_PREFIX} AND expiry IS NULL{narrowed} ORDER BY symbol USING ~<~",
        f"{_PREFIX} AND expiry IS NOT NULL{narrowed} ORDER BY symbol USING ~<~",
    ]
    if words:
        parts.append(f"search @@ to_tsquery('simple', :words) AND expiry IS NULL{narrowed}")
    selects = (
        f"(SELECT {rank} AS rank, {_COLUMNS} FROM instruments "  # noqa: S608 - our own text, values are bound
        f"WHERE deleted_at IS NULL AND {part} LIMIT :limit)"
        for rank, part in enumerate(parts)
    )
    return text(" UNION ALL ".join(selects) + " LIMIT :several")


_STATEMENTS: Final = {
    (exchange, kind, words): _search(exchange=exchange, kind=kind, words=words)
    for exchange in (False, True)
    for kind in (False, True)
    for words in (False, True)
}


def word_query(query: str) -> str:
    """Every word as the beginning of one, in PostgreSQL's form; empty for a query without words."""
    return " & ".join(f"'{word.lower()}':*" for word in _WORD.findall(query) if len(word) > 1)


async def search(
    session: AsyncSession, query: str, *, exchange: str | None, kind: str | None, limit: int
) -> list[Row[Any]]:
    """Live instruments, best first: exact symbol or ISIN, symbols that begin so (shares and indices before contracts),
    then words of the name."""
    exact, words = query.strip().upper(), word_query(query)
    values: dict[str, object] = {"exact": exact, "low": exact, "high": exact + _LAST, "limit": limit}
    values |= {"exchange": exchange} if exchange is not None else {}
    values |= {"kind": kind} if kind is not None else {}
    values |= {"words": words} if words else {}
    statement = _STATEMENTS[exchange is not None, kind is not None, bool(words)]
    rows = (await session.execute(statement, values | {"several": 3 * limit})).all()
    found: dict[tuple[str, str], Row[Any]] = {}
    for row in sorted(rows, key=lambda row: int(row.rank)):  # stable: the order inside a part stays
        found.setdefault((row.exchange, row.symbol), row)
    return list(found.values())[:limit]


async def live(session: AsyncSession, exchange: str, symbol: str) -> Instrument | None:
    """An instrument that a list of its last load has."""
    return await session.scalar(
        select(Instrument).where(Instrument.id == f"{exchange}:{symbol}", Instrument.deleted_at.is_(None))
    )


async def symbols_like(session: AsyncSession, exchange: str, beginning: str, limit: int) -> Sequence[str]:
    """Symbols of an exchange that begin so."""
    statement = text(
        "SELECT symbol FROM instruments WHERE exchange = :exchange AND deleted_at IS NULL AND symbol ~>=~ :low "
        "AND symbol ~<~ :high ORDER BY symbol USING ~<~ LIMIT :limit"
    )
    values = {"exchange": exchange, "low": beginning, "high": beginning + _LAST, "limit": limit}
    return (await session.scalars(statement, values)).all()


async def newest_loads(session: AsyncSession) -> list[InstrumentLoad]:
    """The newest load of each exchange."""
    newest = (
        select(InstrumentLoad)
        .ext(distinct_on(InstrumentLoad.exchange))
        .order_by(InstrumentLoad.exchange, InstrumentLoad.day.desc())
    )
    return list(await session.scalars(newest))


async def newest_good_load(session: AsyncSession, exchange: str) -> InstrumentLoad | None:
    """The newest load of an exchange that read a list."""
    return await session.scalar(
        select(InstrumentLoad)
        .where(InstrumentLoad.exchange == exchange, InstrumentLoad.loaded_at.is_not(None))
        .order_by(InstrumentLoad.day.desc())
        .limit(1)
    )
