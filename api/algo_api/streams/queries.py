"""SQL of the ledger."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.streams.models import LedgerEntry


async def last_recorded(session: AsyncSession, strategy_id: str) -> str:
    """Stream id of the newest recorded event of a strategy; `0-0` if there is none."""
    row = (
        await session.execute(
            select(LedgerEntry.stream_ms, LedgerEntry.stream_seq)
            .where(LedgerEntry.strategy_id == strategy_id)
            .order_by(LedgerEntry.stream_ms.desc(), LedgerEntry.stream_seq.desc())
            .limit(1)
        )
    ).first()
    return f"{row.stream_ms}-{row.stream_seq}" if row else "0-0"


async def append(session: AsyncSession, rows: list[dict[str, object]]) -> None:
    """Append events; one that is there already stays as it is."""
    if rows:
        await session.execute(
            insert(LedgerEntry)
            .values(rows)
            .on_conflict_do_nothing(index_elements=["strategy_id", "stream_ms", "stream_seq"])
        )
