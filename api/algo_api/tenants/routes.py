"""Route of the caller's tenant."""

from fastapi import APIRouter

from algo_api.deps import CallerDep, TenantsDep
from algo_api.errors import NotFoundError, UnauthenticatedError, UnavailableError, documented
from algo_api.tenants.schemas import TenantOut

router = APIRouter(prefix="/tenant", tags=["tenant"])


@router.get("", responses=documented(UnauthenticatedError, NotFoundError, UnavailableError))
async def get_tenant(caller: CallerDep, tenants: TenantsDep) -> TenantOut:
    """The caller's tenant."""
    return await tenants.get(caller)
