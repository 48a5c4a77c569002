"""What the audit log offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from algo_api.audit.schemas import AuditPage
from algo_api.identity import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change, to be recorded in the transaction that makes it."""

    actor: str
    user_id: str
    tenant_id: str
    action: str
    """`<noun>.<verb>`, for example strategy.create."""
    entity_type: str
    entity_id: str
    changes: Mapping[str, Any]
    """What it became; never a secret."""


class ListChanges(Protocol):
    """The caller's own entries, newest first. `before` is the id of the last entry of the page before."""

    async def __call__(self, caller: Caller, *, limit: int, before: str | None) -> AuditPage: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditService:
    """The audit log."""

    list: ListChanges
