"""Route of the caller's own audit log."""

from typing import Annotated

from fastapi import APIRouter, Query

from algo_api.audit.schemas import AuditPage
from algo_api.deps import AuditDep, CallerDep
from algo_api.errors import UnauthenticatedError, UnavailableError, documented

router = APIRouter(prefix="/audit", tags=["audit"])


@router.get("", responses=documented(UnauthenticatedError, UnavailableError))
async def list_audit_entries(
    caller: CallerDep,
    audit: AuditDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(pattern="^aud_[0-9a-hjkmnp-tv-z]{26}$")] = None,
) -> AuditPage:
    """What was changed of the caller's, by whom and when; newest first."""
    return await audit.list(caller, limit=limit, before=before)
