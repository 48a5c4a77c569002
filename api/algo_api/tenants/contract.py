"""What tenancy offers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from algo_kube.contract import Object

from algo_api.identity import Caller
from algo_api.tenants.schemas import TenantOut


class AnnounceTenant(Protocol):
    """Applies the Tenant resource. Never fails: what could not be done now is done when the namespace is needed."""

    async def __call__(self, tenant_id: str, *, display_name: str, owner: str) -> None: ...


class InNamespace(Protocol):
    """Runs a write into the caller's namespace, waiting a while for the namespace of a new tenant.

    Raises:
        UnavailableError: the namespace is not there yet.
        KubeError: what the write itself raised.
    """

    async def __call__(self, caller: Caller, write: Callable[[str], Awaitable[Object]]) -> Object: ...


class GetTenant(Protocol):
    """The caller's tenant.

    Raises:
        NotFoundError: it does not exist any more.
    """

    async def __call__(self, caller: Caller) -> TenantOut: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantService:
    """Tenants."""

    announce: AnnounceTenant
    in_namespace: InNamespace
    get: GetTenant
