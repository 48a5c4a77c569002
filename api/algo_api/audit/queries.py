"""SQL of the audit log."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.audit.models import AuditEntry


async def own_entries(
    session: AsyncSession, *, user_id: str, tenant_id: str, limit: int, before: str | None
) -> list[AuditEntry]:
    """Entries of one user, newest first (ids sort by time)."""
    query = select(AuditEntry).where(AuditEntry.user_id == user_id, AuditEntry.tenant_id == tenant_id)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return list(await session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)))
