"""The audit log: written in the transaction of the change, so that neither exists without the other."""

from algo_crds.contracts.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.audit import queries
from algo_api.audit.contract import AuditService, Change
from algo_api.audit.models import AuditEntry
from algo_api.audit.schemas import AuditOut, AuditPage
from algo_api.db import Database, user_scope
from algo_api.identity import Caller
from algo_api.request_context import request_id


def record_change(session: AsyncSession, change: Change) -> None:
    """Adds a change to the log of the running transaction."""
    session.add(
        AuditEntry(
            id=new_id("aud"),
            tenant_id=change.tenant_id,
            user_id=change.user_id,
            actor=change.actor,
            action=change.action,
            entity_type=change.entity_type,
            entity_id=change.entity_id,
            changes=dict(change.changes),
            request_id=request_id(),
            created_by=change.actor,
            updated_by=change.actor,
        )
    )


def create_audit_service(db: Database) -> AuditService:
    """The audit log over a database."""

    async def list_changes(caller: Caller, *, limit: int, before: str | None) -> AuditPage:
        async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            rows = await queries.own_entries(
                session, user_id=caller.user_id, tenant_id=caller.tenant_id, limit=limit, before=before
            )
        items = [AuditOut.model_validate(row, from_attributes=True) for row in rows]
        return AuditPage(items=items, next=items[-1].id if len(items) == limit else None)

    return AuditService(list=list_changes)
