"""Writes what a Strategy resource says into its row: the same for an answer to the API and for a watch."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Result, literal_column
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.audit.contract import Change
from algo_api.audit.service import record_change
from algo_api.ownership import identifier, version
from algo_api.strategies.models import Strategy
from algo_api.tables import ACTIVE, delete_softly, utc_now


async def put_strategy(
    session: AsyncSession, resource: Mapping[str, Any], *, user_id: str, tenant_id: str, actor: str
) -> bool | None:
    """Insert or update the row; an older version of the resource changes nothing.

    Returns True for a new row, False for a row whose spec has changed, None if nothing a person did has changed.
    """
    metadata, spec = resource["metadata"], resource["spec"]
    strategy_id = identifier("str", resource)
    before = await session.get(Strategy, strategy_id, with_for_update=True)
    told: dict[str, Any] = {
        "user_id": user_id,
        "namespace": metadata["namespace"],
        "resource": metadata["name"],
        "uid": metadata["uid"],
        "generation": metadata["generation"],
        "resource_version": version(resource),
        "symbol": spec["symbol"],
        "desired_state": spec.get("desiredState", "Running"),
        "spec": spec,
        "resource_status": resource.get("status") or {},
        "deleting": "deletionTimestamp" in metadata,
        "status": ACTIVE,
        "deleted_at": None,
        "deleted_by": None,
    }
    now = utc_now()
    changed = before is None or before.uid != told["uid"] or before.generation < told["generation"]
    statement = insert(Strategy).values(
        id=strategy_id, tenant_id=tenant_id, created_at=now, created_by=actor, updated_at=now, updated_by=actor, **told
    )
    written: dict[str, Any] = {name: statement.excluded[name] for name in told}
    if changed:
        written |= {"updated_at": now, "updated_by": actor}
    row: Result[Any] = await session.execute(
        statement.on_conflict_do_update(
            index_elements=[Strategy.id],
            set_=written,
            where=Strategy.resource_version <= statement.excluded.resource_version,
        ).returning(literal_column("xmax = 0").label("inserted"))
    )
    result = row.first()
    session.expire_all()
    if result is None or not changed:
        return None
    return bool(result.inserted)


async def drop_strategy(session: AsyncSession, row: Strategy, *, actor: str) -> None:
    """The resource is gone: the row stays as history."""
    delete_softly(row, actor)
    row.deleting = True
    record_change(session, change_of(row.id, row.user_id, row.tenant_id, actor, "delete", {"resource": row.resource}))


def change_of(
    strategy_id: str, user_id: str, tenant_id: str, actor: str, verb: str, changes: Mapping[str, Any]
) -> Change:
    """An audit entry about a strategy."""
    return Change(
        actor=actor,
        user_id=user_id,
        tenant_id=tenant_id,
        action=f"strategy.{verb}",
        entity_type="strategy",
        entity_id=strategy_id,
        changes=changes,
    )
