"""A tenant is a row here and a Tenant resource in the cluster, which the operator makes into a namespace."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from algo_crds.contracts.ids import resource_name
from algo_kube import errors as kube_errors
from algo_kube.contract import KubeClient, Object
from algo_kube.resources import TENANT

from algo_api.db import Database, user_scope
from algo_api.errors import NotFoundError, UnavailableError
from algo_api.identity import Caller
from algo_api.kube_errors import FIELD_MANAGER, not_there_yet
from algo_api.tenants import queries
from algo_api.tenants.contract import TenantService
from algo_api.tenants.schemas import TenantOut

_LOG: Final = logging.getLogger(__name__)
_POLL_SECONDS: Final = 0.25
_RETRY_SECONDS: Final = 5


def namespace_of(tenant_id: str) -> str:
    """Namespace of a tenant's resources and pods."""
    return f"algo-{resource_name(tenant_id)}"


def tenant_manifest(tenant_id: str, *, display_name: str, owner: str) -> Object:
    """The Tenant resource as the API applies it."""
    return {
        "apiVersion": TENANT.api_version,
        "kind": TENANT.kind,
        "metadata": {"name": resource_name(tenant_id)},
        "spec": {"displayName": display_name, "owner": owner},
    }


def create_tenant_service(db: Database, kube: KubeClient, *, wait_seconds: float) -> TenantService:
    """Tenants over a database and a cluster."""

    async def announce(tenant_id: str, *, display_name: str, owner: str) -> None:
        try:
            manifest = tenant_manifest(tenant_id, display_name=display_name, owner=owner)
            await kube.apply(TENANT, manifest, field_manager=FIELD_MANAGER)
        except kube_errors.KubeError as error:
            _LOG.warning("tenant %s is not in the cluster yet: %s", tenant_id, error)

    async def in_namespace(caller: Caller, write: Callable[[str], Awaitable[Object]]) -> Object:
        deadline = time.monotonic() + wait_seconds
        announced = False
        while True:
            try:
                return await write(namespace_of(caller.tenant_id))
            except kube_errors.KubeError as error:
                if not not_there_yet(error):
                    raise
                if not announced:
                    tenant = await get(caller)
                    await announce(tenant.id, display_name=tenant.display_name, owner=tenant.owner_id)
                    announced = True
                if time.monotonic() + _POLL_SECONDS > deadline:
                    raise UnavailableError(
                        "your part of the cluster is still being made; try again in a few seconds",
                        retry_after=_RETRY_SECONDS,
                    ) from error
            await asyncio.sleep(_POLL_SECONDS)

    async def get(caller: Caller) -> TenantOut:
        async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            tenant = await queries.tenant_by_id(session, caller.tenant_id)
        if tenant is None:
            raise NotFoundError("this tenant does not exist any more")
        return TenantOut.model_validate(tenant)

    return TenantService(announce=announce, in_namespace=in_namespace, get=get)
