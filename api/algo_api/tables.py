"""What every table has: a prefixed id, who made, changed and deleted the row and when, a status, a tenant."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, MetaData, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
ID_LENGTH = 32
ACTIVE = "active"
DELETED = "deleted"
SYSTEM_ACTOR = "system"
"""Actor of what the platform did by itself, for example what a watch saw."""


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB}  # noqa: RUF012 - SQLAlchemy's own name


def utc_now() -> datetime:
    """The time of a change, by the wall clock."""
    return datetime.now(UTC)


class Audited:
    """Columns of every table. A row is deleted softly: it stays, with `deleted_at`."""

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    status: Mapped[str] = mapped_column(String(32), default=ACTIVE)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_by: Mapped[str] = mapped_column(String(64))
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
    updated_by: Mapped[str] = mapped_column(String(64))
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)
    deleted_by: Mapped[str | None] = mapped_column(String(64), default=None)


def delete_softly(row: Audited, actor: str) -> None:
    """Mark a row as deleted by somebody."""
    row.status, row.deleted_at, row.deleted_by, row.updated_by = DELETED, utc_now(), actor, actor
