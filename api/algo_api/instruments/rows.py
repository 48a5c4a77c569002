"""SQL that writes instruments: a hundred thousand in a few statements, and only what has changed."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from algo_brokers.master import MasterInstrument
from sqlalchemy import Result, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.instruments.models import Instrument, InstrumentLoad
from algo_api.tables import ACTIVE, DELETED

BATCH: Final = 2_000
_MAX_SYMBOL: Final = 64
_MAX_EXCHANGE: Final = 8
_MAX_ISIN: Final = 32
_MAX_NUMBER: Final = 1 << 62
_HASH_BYTES: Final = 16
_encode: Final = msgspec.msgpack.Encoder().encode
_encode_json: Final = msgspec.json.Encoder().encode

_NAMES: Final = (
    "id", "exchange", "symbol", "name", "kind", "tick_size", "lot", "freeze_quantity", "band_low", "band_high",
    "closing_auction", "isin", "expiry", "strike", "underlying", "tokens", "broker_symbols", "content_hash",
)  # fmt: skip
_TYPES: Final = {
    "tick_size": "bigint", "lot": "bigint", "freeze_quantity": "bigint", "band_low": "bigint", "band_high": "bigint",
    "closing_auction": "boolean", "expiry": "date", "strike": "bigint", "tokens": "jsonb", "broker_symbols": "jsonb",
}  # fmt: skip
_TEXT: Final = "text"
_UPSERT: Final = text(
    f"INSERT INTO instruments ({', '.join(_NAMES)}, search, status, created_at, updated_at) "  # noqa: S608 - our names
    f"SELECT {', '.join(f'r.{name}' for name in _NAMES)}, to_tsvector('simple', r.words), :status, :now, :now "
    "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r("
    f"{', '.join(f'{name} {_TYPES.get(name, _TEXT)}' for name in _NAMES)}, words text) "
    "ON CONFLICT (id) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in _NAMES if name != 'id')}, search = excluded.search, "
    "status = excluded.status, updated_at = excluded.updated_at, deleted_at = NULL"
)
_VANISH: Final = text(
    "UPDATE instruments SET status = :status, deleted_at = :now, updated_at = :now WHERE id = ANY(:missing) "
    "AND deleted_at IS NULL AND tokens - CAST(:brokers AS text[]) = CAST('{}' AS jsonb)"
)


@dataclass(frozen=True, slots=True)
class Row:
    """An instrument, its id, and the hash of all that is said of it."""

    id: str
    content_hash: str
    instrument: MasterInstrument


def rows_of(instruments: Iterable[MasterInstrument]) -> Iterator[Row]:
    """What can be stored; a line that PostgreSQL or a URL could not hold is left out."""
    for one in instruments:
        if _storable(one):
            digest = hashlib.blake2b(_encode(one), digest_size=_HASH_BYTES).hexdigest()
            yield Row(f"{one.exchange}:{one.symbol}", digest, one)


def _storable(one: MasterInstrument) -> bool:
    texts = (one.exchange, one.symbol, one.name, one.isin, one.underlying, *one.also, *one.broker_symbols.values())
    numbers = (one.tick_size, one.lot, one.freeze_quantity, one.band_low, one.band_high, one.strike)
    return (
        len(one.symbol) <= _MAX_SYMBOL
        and len(one.exchange) <= _MAX_EXCHANGE
        and len(one.isin) <= _MAX_ISIN
        and len(one.kind) <= _MAX_EXCHANGE
        and all(part.isprintable() for part in texts)
        and all(0 <= number < _MAX_NUMBER for number in numbers)
    )


async def hashes(session: AsyncSession, exchange: str) -> dict[str, str]:
    """Hash by id of the live instruments of an exchange."""
    found = await session.execute(
        select(Instrument.id, Instrument.content_hash).where(
            Instrument.exchange == exchange, Instrument.deleted_at.is_(None)
        )
    )
    return {row.id: row.content_hash for row in found}


async def put(session: AsyncSession, rows: Sequence[Row], now: datetime) -> None:
    """Insert or update these instruments."""
    for at in range(0, len(rows), BATCH):
        batch = _encode_json([_json(row) for row in rows[at : at + BATCH]]).decode()
        await session.execute(_UPSERT, {"rows": batch, "status": ACTIVE, "now": now})


async def vanish(session: AsyncSession, missing: Collection[str], brokers: Collection[str], now: datetime) -> int:
    """Delete softly those that are in no list any more. One that a broker lists whose list was not read today stays,
    because nobody can say that it is gone. Returns how many."""
    if not missing:
        return 0
    values = {"missing": list(missing), "brokers": list(brokers), "now": now, "status": DELETED}
    done: Result[Any] = await session.execute(_VANISH, values)
    return int(getattr(done, "rowcount", 0))


async def put_load(session: AsyncSession, load: dict[str, Any]) -> None:
    """What was loaded; one row an exchange and day. A failure does not take away when it last succeeded."""
    statement = insert(InstrumentLoad).values(**load)
    written: dict[str, Any] = {name: statement.excluded[name] for name in load if name != "id"}
    if load["loaded_at"] is None:
        written = {name: statement.excluded[name] for name in ("tried_at", "trouble", "sources")}
    await session.execute(statement.on_conflict_do_update(index_elements=[InstrumentLoad.id], set_=written))


def _json(row: Row) -> dict[str, object]:
    one = row.instrument
    return {
        "id": row.id,
        "content_hash": row.content_hash,
        "exchange": one.exchange,
        "symbol": one.symbol,
        "name": one.name,
        "kind": one.kind,
        "tick_size": one.tick_size,
        "lot": one.lot,
        "freeze_quantity": one.freeze_quantity,
        "band_low": one.band_low,
        "band_high": one.band_high,
        "closing_auction": one.closing_auction,
        "isin": one.isin,
        "expiry": one.expiry,
        "strike": one.strike,
        "underlying": one.underlying,
        "tokens": one.tokens,
        "broker_symbols": one.broker_symbols,
        "words": " ".join((one.symbol, one.name, *one.also)),
    }
