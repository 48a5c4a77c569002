"""Rows that follow a resource of the cluster: strategies and broker accounts share the columns, the questions of an
owner, and how what the resource says is written. The same code serves an answer to the API and a watch."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from sqlalchemy import BigInteger, Result, Select, String, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from algo_api.audit.contract import Change
from algo_api.audit.service import record_change
from algo_api.identity import Owner
from algo_api.ownership import version
from algo_api.tables import ACTIVE, ID_LENGTH, Audited, delete_softly, utc_now


class Projected(Audited):
    """Columns of a table that follows resources of one kind: history outlives the resource."""

    user_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    namespace: Mapped[str] = mapped_column(String(63))
    resource: Mapped[str] = mapped_column(String(63))
    uid: Mapped[str] = mapped_column(String(36))
    generation: Mapped[int]
    resource_version: Mapped[int] = mapped_column(BigInteger)
    """Orders what a watch and an answer say of the same resource."""
    spec: Mapped[dict[str, Any]]
    resource_status: Mapped[dict[str, Any]]
    deleting: Mapped[bool] = mapped_column(default=False)


Row = TypeVar("Row", bound=Projected)


class ChangeOf(Protocol):
    """An audit entry about a row of one kind; `changes` never holds a secret."""

    def __call__(self, row_id: str, owner: Owner, actor: str, verb: str, changes: Mapping[str, Any]) -> Change: ...


def create_change_of(noun: str) -> ChangeOf:
    """Audit entries about things of this name."""

    def change_of(row_id: str, owner: Owner, actor: str, verb: str, changes: Mapping[str, Any]) -> Change:
        return Change(
            actor=actor,
            user_id=owner.user_id,
            tenant_id=owner.tenant_id,
            action=f"{noun}.{verb}",
            entity_type=noun,
            entity_id=row_id,
            changes=changes,
        )

    return change_of


def own_rows(table: type[Row], owner: Owner) -> Select[Any]:
    """Live rows of an owner, newest first (ids sort by time): every query names the user, beside row-level security."""
    return (
        select(table)
        .where(table.user_id == owner.user_id, table.tenant_id == owner.tenant_id, table.deleted_at.is_(None))
        .order_by(table.id.desc())
    )


async def own_row(session: AsyncSession, table: type[Row], owner: Owner, row_id: str) -> Row | None:
    """A live row of an owner."""
    found: Row | None = await session.scalar(own_rows(table, owner).where(table.id == row_id))
    return found


async def all_live(session: AsyncSession, table: type[Row]) -> list[Row]:
    """Live rows of everybody; for projection and recorder."""
    return list(await session.scalars(select(table).where(table.deleted_at.is_(None))))


async def put_row(
    session: AsyncSession,
    table: type[Projected],
    row_id: str,
    resource: Mapping[str, Any],
    own_columns: Mapping[str, Any],
    *,
    user_id: str,
    tenant_id: str,
    actor: str,
) -> bool | None:
    """Insert or update the row of a resource; an older version of the resource changes nothing. `own_columns` are the
    values of those that only this table has.

    Returns True for a new row, False for a row whose spec has changed, None if nothing a person did has changed.
    """
    before = await session.get(table, row_id, with_for_update=True)
    told = {"user_id": user_id, **_facts(resource), **own_columns}
    now = utc_now()
    changed = before is None or before.uid != told["uid"] or before.generation < told["generation"]
    statement = insert(table).values(
        id=row_id, tenant_id=tenant_id, created_at=now, created_by=actor, updated_at=now, updated_by=actor, **told
    )
    written: dict[str, Any] = {name: statement.excluded[name] for name in told}
    if changed:
        written |= {"updated_at": now, "updated_by": actor}
    row: Result[Any] = await session.execute(
        statement.on_conflict_do_update(
            index_elements=[table.id],
            set_=written,
            where=table.resource_version <= statement.excluded.resource_version,
        ).returning(literal_column("xmax = 0").label("inserted"))
    )
    result = row.first()
    session.expire_all()
    return None if result is None or not changed else bool(result.inserted)


def _facts(resource: Mapping[str, Any]) -> dict[str, Any]:
    metadata = resource["metadata"]
    return {
        "namespace": metadata["namespace"],
        "resource": metadata["name"],
        "uid": metadata["uid"],
        "generation": metadata["generation"],
        "resource_version": version(resource),
        "spec": resource["spec"],
        "resource_status": resource.get("status") or {},
        "deleting": "deletionTimestamp" in metadata,
        "status": ACTIVE,
        "deleted_at": None,
        "deleted_by": None,
    }


async def drop_row(session: AsyncSession, row: Projected, change_of: ChangeOf, *, actor: str) -> None:
    """The resource is gone: the row stays as history."""
    delete_softly(row, actor)
    row.deleting = True
    record_change(session, change_of(row.id, row, actor, "delete", {"resource": row.resource}))
