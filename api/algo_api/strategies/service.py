"""Strategies: validated here, applied as resources, read from their rows and from what their runners say."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from algo_crds.contracts.ids import new_id, resource_name
from algo_crds.resources.metadata import USER_ANNOTATION
from algo_crds.resources.strategy import DesiredState, Exchange, OnStop, StrategySpec
from algo_kube import errors as kube_errors
from algo_kube.contract import KubeClient, Object
from algo_kube.resources import STRATEGY

from algo_api.audit.service import record_change
from algo_api.broker_accounts.queries import own_account, own_accounts_by_resource
from algo_api.db import Database, user_scope
from algo_api.errors import NotFoundError
from algo_api.identity import Caller
from algo_api.instruments.contract import CheckTradable
from algo_api.kube_errors import FIELD_MANAGER, answered_by_kube
from algo_api.ownership import identifier
from algo_api.strategies import queries
from algo_api.strategies.contract import StrategyService
from algo_api.strategies.models import Strategy
from algo_api.strategies.output import strategy_out
from algo_api.strategies.rows import change_of, drop_strategy, put_strategy
from algo_api.strategies.schemas import Json, StrategyChange, StrategyIn, StrategyOut, StrategyPage
from algo_api.strategies.translate import changed_spec, merged, removed_fields, spec_json, validate_strategy
from algo_api.streams.commands import TellRunner
from algo_api.tenants.contract import TenantService
from algo_api.views import ReadViews

_LOG: Final = logging.getLogger(__name__)
_TRIES: Final = 4
_WHAT: Final = "strategy"


def create_strategy_service(
    db: Database,
    kube: KubeClient,
    tenants: TenantService,
    read_views: ReadViews,
    tell: TellRunner,
    check_tradable: CheckTradable,
) -> StrategyService:
    """Strategies over database, cluster and Redis."""
    records = _Records(db, read_views)
    writer = _Writer(kube, records)

    async def create(caller: Caller, new: StrategyIn) -> StrategyOut:
        name = resource_name(new_id("str"))
        account = await records.account_name(caller, new)
        spec = validate_strategy(name, changed_spec({}, new, account))
        await check_tradable(caller, spec.exchange, spec.symbol)

        async def write(namespace: str) -> Object:
            manifest = _manifest(namespace, name, caller, spec_json(spec))
            return await kube.apply(STRATEGY, manifest, field_manager=FIELD_MANAGER)

        with answered_by_kube(_WHAT):
            made = await tenants.in_namespace(caller, write)
        return await records.written(caller, made, "create")

    async def change(caller: Caller, strategy_id: str, change: StrategyChange) -> StrategyOut:
        account = await records.account_name(caller, change)
        if change.symbol is not None and change.symbol != (await records.own(caller, strategy_id)).symbol:
            await check_tradable(caller, change.exchange or Exchange.NSE, change.symbol)
        return await writer.rewrite(
            caller, strategy_id, "update", lambda current: changed_spec(current, change, account)
        )

    async def start(caller: Caller, strategy_id: str) -> StrategyOut:
        out = await writer.rewrite(
            caller, strategy_id, "start", lambda current: {**current, "desiredState": DesiredState.RUNNING}
        )
        await tell(strategy_id, actor=caller.user_id, command="start")
        return out

    async def stop(caller: Caller, strategy_id: str, *, keep: bool) -> StrategyOut:
        on_stop = OnStop.KEEP_PROTECTED if keep else OnStop.EXIT_POSITION
        wanted = {"desiredState": DesiredState.STOPPED, "onStop": on_stop}
        out = await writer.rewrite(caller, strategy_id, "stop", lambda current: {**current, **wanted})
        await tell(strategy_id, actor=caller.user_id, command="stop", message=str(on_stop))
        return out

    async def delete(caller: Caller, strategy_id: str) -> StrategyOut:
        row = await records.own(caller, strategy_id)
        out = await records.out(row)
        with answered_by_kube(_WHAT):
            await _delete_quietly(kube, row)
            gone = await _find(kube, row) is None
        await records.deleted(caller, strategy_id, gone=gone)
        return out.model_copy(update={"deleting": True})

    return StrategyService(
        create=create, list=records.page, get=records.get, change=change, start=start, stop=stop, delete=delete
    )


class _Records:
    """Rows of strategies, each call one transaction of its caller."""

    def __init__(self, db: Database, read_views: ReadViews) -> None:
        self._db = db
        self._read_views = read_views

    async def own(self, caller: Caller, strategy_id: str) -> Strategy:
        async with self._db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            row = await queries.own_strategy(session, caller, strategy_id)
        if row is None:
            raise NotFoundError("there is no such strategy")
        return row

    async def get(self, caller: Caller, strategy_id: str) -> StrategyOut:
        return await self.out(await self.own(caller, strategy_id))

    async def out(self, row: Strategy) -> StrategyOut:
        caller_scope = user_scope(row.user_id, row.tenant_id)
        async with self._db.transaction(caller_scope) as session:
            accounts = await own_accounts_by_resource(session, row)
        (view,) = await self._read_views([row.id])
        return strategy_out(row, view, accounts)

    async def page(self, caller: Caller, *, limit: int, before: str | None) -> StrategyPage:
        async with self._db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            rows = await queries.own_strategies(session, caller, limit=limit, before=before)
            accounts = await own_accounts_by_resource(session, caller)
        views = await self._read_views([row.id for row in rows])
        items = [strategy_out(row, view, accounts) for row, view in zip(rows, views, strict=True)]
        return StrategyPage(items=items, next=items[-1].id if len(items) == limit else None)

    async def account_name(self, caller: Caller, change: StrategyChange) -> str | None:
        """Name of the account that a request names by id; only the caller's own is found."""
        if change.broker_account_id is None:
            return None
        async with self._db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            account = await own_account(session, caller, change.broker_account_id)
        if account is None:
            raise NotFoundError("there is no such broker account")
        return account.resource

    async def written(self, caller: Caller, resource: Object, verb: str) -> StrategyOut:
        """The row of a resource that the caller has just written, with its audit entry."""
        async with self._db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            await put_strategy(
                session, resource, user_id=caller.user_id, tenant_id=caller.tenant_id, actor=caller.user_id
            )
            strategy_id = identifier("str", resource)
            entry = change_of(strategy_id, caller, caller.user_id, verb, {"spec": resource["spec"]})
            record_change(session, entry)
            await session.flush()
            row = await queries.own_strategy(session, caller, strategy_id)
        if row is None:
            raise NotFoundError("there is no such strategy")
        return await self.out(row)

    async def deleted(self, caller: Caller, strategy_id: str, *, gone: bool) -> None:
        async with self._db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            row = await queries.own_strategy(session, caller, strategy_id)
            if row is None:
                return
            row.deleting = True
            if gone:
                await drop_strategy(session, row, actor=caller.user_id)
            else:
                record_change(
                    session,
                    change_of(row.id, row, caller.user_id, "delete", {"requested": True}),
                )


class _Writer:
    """Rewrites the spec of an existing resource."""

    def __init__(self, kube: KubeClient, records: _Records) -> None:
        self._kube = kube
        self._records = records

    async def rewrite(self, caller: Caller, strategy_id: str, verb: str, wish: Any) -> StrategyOut:
        """Read, change, validate, apply; again if somebody was faster."""
        row = await self._records.own(caller, strategy_id)
        with answered_by_kube(_WHAT):
            for attempt in range(_TRIES):
                current = await self._kube.get(STRATEGY, row.resource, namespace=row.namespace)
                spec = validate_strategy(row.resource, wish(current["spec"]))
                try:
                    resource = await self._apply(caller, current, spec)
                    break
                except kube_errors.ConflictError:
                    if attempt == _TRIES - 1:
                        raise
        return await self._records.written(caller, resource, verb)

    async def _apply(self, caller: Caller, current: Object, spec: StrategySpec) -> Object:
        """Server-side apply of the whole spec; a field that it drops may be owned by kubectl, then a merge patch of the
        whole spec takes it away in one write."""
        metadata, wanted = current["metadata"], spec_json(spec)
        nulls = removed_fields(current["spec"], wanted)
        if nulls:
            patch = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "spec": merged(wanted, nulls)}
            return await self._kube.patch(
                STRATEGY, metadata["name"], patch, namespace=metadata["namespace"], field_manager=FIELD_MANAGER
            )
        manifest = _manifest(metadata["namespace"], metadata["name"], caller, wanted)
        manifest["metadata"]["resourceVersion"] = metadata["resourceVersion"]
        return await self._kube.apply(STRATEGY, manifest, field_manager=FIELD_MANAGER)


def _manifest(namespace: str, name: str, caller: Caller, spec: Mapping[str, Any]) -> Json:
    return {
        "apiVersion": STRATEGY.api_version,
        "kind": STRATEGY.kind,
        "metadata": {"namespace": namespace, "name": name, "annotations": {USER_ANNOTATION: caller.user_id}},
        "spec": dict(spec),
    }


async def _find(kube: KubeClient, row: Strategy) -> Object | None:
    try:
        found = await kube.get(STRATEGY, row.resource, namespace=row.namespace)
    except kube_errors.NotFoundError:
        return None
    return found if found["metadata"]["uid"] == row.uid else None


async def _delete_quietly(kube: KubeClient, row: Strategy) -> None:
    try:
        await kube.delete(STRATEGY, row.resource, namespace=row.namespace, uid=row.uid)
    except kube_errors.NotFoundError:
        _LOG.info("strategy %s was gone already", row.id)
