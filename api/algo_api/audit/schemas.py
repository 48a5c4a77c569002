"""The audit log on the wire."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class AuditOut(BaseModel):
    """One change."""

    id: str = Field(description="Id of the entry (aud_...).")
    created_at: datetime = Field(description="When it happened.")
    actor: str = Field(description="Who did it: a user's id, or system.")
    action: str = Field(description="What was done, for example strategy.create.")
    entity_type: str = Field(description="Kind of thing.")
    entity_id: str = Field(description="Id of the thing.")
    changes: dict[str, Any] = Field(description="What it became.")


class AuditPage(BaseModel):
    """A page of the log, newest first."""

    items: list[AuditOut] = Field(description="Entries.")
    next: str | None = Field(description="Give it as `before` to get the next page; null at the end.")
