"""Table of the audit log; the application role may insert and read, never change."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from algo_api.tables import ID_LENGTH, Audited, Base


class AuditEntry(Audited, Base):
    """One change of one thing by somebody."""

    __tablename__ = "audit_log"

    user_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    """Whose thing it is."""
    actor: Mapped[str] = mapped_column(String(64))
    """Who changed it: a user's id, or `system`."""
    action: Mapped[str] = mapped_column(String(64))
    entity_type: Mapped[str] = mapped_column(String(32))
    entity_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    changes: Mapped[dict[str, Any]]
    """What it became; never a secret."""
    request_id: Mapped[str | None] = mapped_column(String(64), default=None)
