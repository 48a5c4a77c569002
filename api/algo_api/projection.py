"""Keeps rows in step with the resources: what kubectl makes appears in the API, what is gone there is gone here.

Every kind is listed, then watched from there, and listed again when the watch is lost or every few minutes; a row whose
resource is not in a list is deleted softly. Rows are written by the same functions as the API's own writes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from algo_kube import errors as kube_errors
from algo_kube.contract import KubeClient, Object
from algo_kube.resources import BROKER_ACCOUNT, STRATEGY, Resource
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.audit.service import record_change
from algo_api.broker_accounts import rows as account_rows
from algo_api.broker_accounts.models import BrokerAccount
from algo_api.db import WORKER, Database
from algo_api.errors import ApiError
from algo_api.health.metrics import PROJECTED
from algo_api.ownership import identifier, last_writer, named_user, tenant_resource
from algo_api.projected import ChangeOf, Projected, all_live
from algo_api.strategies import rows as strategy_rows
from algo_api.strategies.models import Strategy
from algo_api.tables import SYSTEM_ACTOR
from algo_api.tenants.queries import tenant_by_resource

_LOG: Final = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 1.0
_WATCH_SECONDS: Final = 240
"""A watch ends after this time and everything is listed again (the resync)."""
_IS_MEMBER: Final = text("SELECT app_is_member(:member, :tenant)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One kind: how its rows are written."""

    resource: Resource
    prefix: str
    table: type[Projected]
    put: Callable[..., Awaitable[bool | None]]
    drop: Callable[..., Awaitable[None]]
    change: ChangeOf


_KINDS: Final = (
    _Kind(
        resource=BROKER_ACCOUNT,
        prefix="brk",
        table=BrokerAccount,
        put=account_rows.put_account,
        drop=account_rows.drop_account,
        change=account_rows.change_of,
    ),
    _Kind(
        resource=STRATEGY,
        prefix="str",
        table=Strategy,
        put=strategy_rows.put_strategy,
        drop=strategy_rows.drop_strategy,
        change=strategy_rows.change_of,
    ),
)


@dataclass(frozen=True, slots=True)
class _Owner:
    user_id: str
    tenant_id: str


async def run_projection(db: Database, kube: KubeClient) -> None:
    """Until cancelled; one process at a time (see `leader`)."""
    async with asyncio.TaskGroup() as group:
        for kind in _KINDS:
            group.create_task(_follow(db, kube, kind))


async def _follow(db: Database, kube: KubeClient, kind: _Kind) -> None:
    while True:
        try:
            page = await kube.list_all(kind.resource)
            await _resync(db, kind, page.items)
            version = page.resource_version
            async for event in kube.watch(kind.resource, resource_version=version, timeout_seconds=_WATCH_SECONDS):
                if event.type in ("ADDED", "MODIFIED"):
                    await _seen(db, kind, event.object)
                elif event.type == "DELETED":
                    await _gone(db, kind, identifier(kind.prefix, event.object), event.object["metadata"]["uid"])
        except kube_errors.GoneError:
            continue
        except (kube_errors.KubeError, ApiError, SQLAlchemyError) as error:
            _LOG.warning("projection of %s starts again: %s", kind.resource.plural, type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)


async def _resync(db: Database, kind: _Kind, items: list[Object]) -> None:
    for item in items:
        await _seen(db, kind, item)
    present = {item["metadata"]["uid"] for item in items}
    async with db.transaction(WORKER) as session:
        missing = [(row.id, row.uid) for row in await all_live(session, kind.table) if row.uid not in present]
    for row_id, uid in missing:
        await _gone(db, kind, row_id, uid)


async def _seen(db: Database, kind: _Kind, resource: Object) -> None:
    """Writes the row of one resource; a resource that breaks a row's rules does not stop the others."""
    try:
        async with db.transaction(WORKER) as session:
            owner = await _owner(session, resource)
            if owner is None:
                return
            actor = last_writer(resource)
            inserted = await kind.put(
                session, resource, user_id=owner.user_id, tenant_id=owner.tenant_id, actor=actor or owner.user_id
            )
            if inserted is None:
                return
            verb = "create" if inserted else "update"
            PROJECTED.labels(kind.resource.kind, verb).inc()
            if actor is not None:
                row_id = identifier(kind.prefix, resource)
                record_change(session, kind.change(row_id, owner, actor, verb, {"spec": resource["spec"]}))
    except SQLAlchemyError as error:
        metadata = resource["metadata"]
        _LOG.error("%s/%s cannot be projected: %s", metadata.get("namespace"), metadata["name"], error)


async def _gone(db: Database, kind: _Kind, row_id: str, uid: str) -> None:
    async with db.transaction(WORKER) as session:
        row = await session.get(kind.table, row_id)
        if row is not None and row.uid == uid and row.deleted_at is None:
            await kind.drop(session, row, actor=SYSTEM_ACTOR)
            PROJECTED.labels(kind.resource.kind, "delete").inc()


async def _owner(session: AsyncSession, resource: Object) -> _Owner | None:
    """The user whom the annotation names if a member of the tenant, else the tenant's owner; None for a tenant that
    this API does not know."""
    name = tenant_resource(resource)
    tenant = await tenant_by_resource(session, name) if name else None
    if tenant is None:
        return None
    named = named_user(resource)
    if named and await session.scalar(_IS_MEMBER, {"member": named, "tenant": tenant.id}):
        return _Owner(named, tenant.id)
    return _Owner(tenant.owner_id, tenant.id)
