"""SQL of tenants."""

from algo_crds.contracts.ids import resource_name
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.tenants.models import Tenant


def new_tenant(tenant_id: str, *, display_name: str, owner: str) -> Tenant:
    """The row of a new tenant."""
    return Tenant(
        id=tenant_id,
        tenant_id=tenant_id,
        display_name=display_name,
        owner_id=owner,
        resource=resource_name(tenant_id),
        created_by=owner,
        updated_by=owner,
    )


async def tenant_by_id(session: AsyncSession, tenant_id: str) -> Tenant | None:
    """A live tenant."""
    return await session.scalar(select(Tenant).where(Tenant.id == tenant_id, Tenant.deleted_at.is_(None)))


async def tenant_by_resource(session: AsyncSession, name: str) -> Tenant | None:
    """The live tenant of a Tenant resource."""
    return await session.scalar(select(Tenant).where(Tenant.resource == name, Tenant.deleted_at.is_(None)))
