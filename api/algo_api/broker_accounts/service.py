"""Broker accounts: resources, rows, encrypted credentials."""

from collections.abc import Mapping
from typing import Any, Final

from algo_crds.contracts.ids import new_id, resource_name
from algo_crds.resources.metadata import USER_ANNOTATION
from algo_kube import errors as kube_errors
from algo_kube.contract import KubeClient, Object
from algo_kube.resources import BROKER_ACCOUNT
from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError

from algo_api.audit.service import record_change
from algo_api.broker_accounts import queries
from algo_api.broker_accounts.contract import AccountService
from algo_api.broker_accounts.models import BrokerAccount
from algo_api.broker_accounts.repeats import LINKED, Linked, is_account, left_over, same_secrets, same_spec
from algo_api.broker_accounts.rows import (
    SECRET_FIELDS,
    change_of,
    drop_account,
    drop_credentials,
    put_account,
    put_credentials,
)
from algo_api.broker_accounts.schemas import AccountChange, AccountIn, AccountList, AccountOut
from algo_api.broker_accounts.translate import account_out, changed_spec, new_spec, validate_account
from algo_api.crypto import CredentialCipher
from algo_api.db import Database, user_scope
from algo_api.errors import ConflictError, NotFoundError
from algo_api.identity import Caller
from algo_api.kube_errors import FIELD_MANAGER, answered_by_kube
from algo_api.ownership import identifier
from algo_api.strategies.translate import merged, removed_fields
from algo_api.tenants.contract import TenantService

_WHAT: Final = "broker account"


def create_account_service(
    db: Database,
    kube: KubeClient,
    tenants: TenantService,
    cipher: CredentialCipher,
    renewals: Mapping[str, str],
    *,
    public_url: str,
) -> AccountService:
    """Broker accounts over database and cluster; `renewals` tells by broker how its sessions are renewed."""
    records = _Records(db, cipher, renewals, public_url)

    async def create(caller: Caller, new: AccountIn) -> AccountOut:
        fresh = resource_name(new_id("brk"))
        spec = validate_account(fresh, new_spec(new))
        linked = await records.linked(caller, new, spec)
        if linked is not None and linked.complete:
            return linked.shown

        async def write(namespace: str) -> Object:
            name = linked.resource if linked else await left_over(kube, namespace, caller, spec) or fresh
            manifest = _manifest(namespace, name, caller, spec)
            return await kube.apply(BROKER_ACCOUNT, manifest, field_manager=FIELD_MANAGER)

        with answered_by_kube(_WHAT):
            made = await tenants.in_namespace(caller, write)
        return await records.written(caller, made, "create", new)

    async def change(caller: Caller, account_id: str, change: AccountChange) -> AccountOut:
        row = await records.own(caller, account_id)
        with answered_by_kube(_WHAT):
            current = await kube.get(BROKER_ACCOUNT, row.resource, namespace=row.namespace)
            spec = validate_account(row.resource, changed_spec(current["spec"], change))
            patch = {
                "metadata": {"resourceVersion": current["metadata"]["resourceVersion"]},
                "spec": merged(spec, removed_fields(current["spec"], spec)),
            }
            written = await kube.patch(
                BROKER_ACCOUNT, row.resource, patch, namespace=row.namespace, field_manager=FIELD_MANAGER
            )
        return await records.written(caller, written, "update", change)

    async def delete(caller: Caller, account_id: str) -> AccountOut:
        row = await records.own(caller, account_id)
        with answered_by_kube(_WHAT):
            gone = False
            try:
                await kube.delete(BROKER_ACCOUNT, row.resource, namespace=row.namespace, uid=row.uid)
                await kube.get(BROKER_ACCOUNT, row.resource, namespace=row.namespace)
            except kube_errors.NotFoundError:
                gone = True
        return await records.deleted(caller, account_id, gone=gone)

    return AccountService(create=create, list=records.listed, get=records.get, change=change, delete=delete)


class _Records:
    """Rows of accounts, each call one transaction of its caller."""

    def __init__(self, db: Database, cipher: CredentialCipher, renewals: Mapping[str, str], public_url: str) -> None:
        self._db = db
        self._renewals = renewals
        self._public_url = public_url
        self._cipher = cipher

    def shown(self, row: BrokerAccount, stored: set[str]) -> AccountOut:
        """A row as the API shows it; `stored`: accounts that have credentials."""
        return account_out(
            row,
            has_credentials=row.id in stored,
            public_url=self._public_url,
            renewal=self._renewals.get(row.broker, ""),
        )

    async def get(self, caller: Caller, account_id: str) -> AccountOut:
        row = await self.own(caller, account_id)
        async with self._db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            stored = await queries.accounts_with_credentials(session, caller)
        return self.shown(row, stored)

    async def listed(self, caller: Caller) -> AccountList:
        async with self._db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            rows = await queries.own_accounts(session, caller)
            stored = await queries.accounts_with_credentials(session, caller)
        return AccountList(items=[self.shown(row, stored) for row in rows])

    async def own(self, caller: Caller, account_id: str) -> Any:
        async with self._db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            row = await queries.own_account(session, caller, account_id)
        if row is None:
            raise NotFoundError("there is no such broker account")
        return row

    async def linked(self, caller: Caller, new: AccountIn, spec: Mapping[str, Any]) -> Linked | None:
        """The account that this one would be a second of: one account at a broker has one door, because two would not
        know of each other's orders. A create that is tried again finds what it has made.

        Raises:
            ConflictError: it was linked with something else in it.
        """
        async with self._db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            rows = [row for row in await queries.own_accounts(session, caller) if is_account(row.spec, spec)]
            if not rows:
                return None
            row = rows[0]
            stored = await queries.own_credentials(session, caller, row.id)
            shown = self.shown(row, {row.id} if stored else set())
        complete = same_secrets(self._cipher, stored, _secrets(new))
        if row.deleting or not same_spec(row.spec, spec) or (stored and not complete):
            raise ConflictError(LINKED)
        return Linked(resource=row.resource, complete=complete, shown=shown)

    async def written(self, caller: Caller, resource: Object, verb: str, given: AccountChange) -> AccountOut:
        """Row, credentials and audit entry of a resource that the caller has just written."""
        account_id = identifier("brk", resource)
        secrets = _secrets(given)
        try:
            async with self._db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
                await put_account(
                    session, resource, user_id=caller.user_id, tenant_id=caller.tenant_id, actor=caller.user_id
                )
                await put_credentials(session, self._cipher, caller, account_id, secrets)
                changes = {"spec": resource["spec"], "credentials": sorted(secrets)}
                record_change(session, change_of(account_id, caller, caller.user_id, verb, changes))
                await session.flush()
                row = await queries.own_account(session, caller, account_id)
                stored = await queries.accounts_with_credentials(session, caller)
        except IntegrityError as error:
            raise ConflictError(LINKED) from error
        if row is None:
            raise NotFoundError("there is no such broker account")
        return self.shown(row, stored)

    async def deleted(self, caller: Caller, account_id: str, *, gone: bool) -> AccountOut:
        async with self._db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            row = await queries.own_account(session, caller, account_id)
            if row is None:
                raise NotFoundError("there is no such broker account")
            await drop_credentials(session, caller, account_id)
            row.deleting = True
            if gone:
                await drop_account(session, row, actor=caller.user_id)
            else:
                record_change(session, change_of(row.id, row, caller.user_id, "delete", {"requested": True}))
            await session.flush()
            return self.shown(row, set())


def _secrets(given: AccountChange) -> dict[str, str]:
    found: dict[str, SecretStr | None] = {field: getattr(given, field) for field in SECRET_FIELDS}
    return {field: secret.get_secret_value() for field, secret in found.items() if secret is not None}


def _manifest(namespace: str, name: str, caller: Caller, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": BROKER_ACCOUNT.api_version,
        "kind": BROKER_ACCOUNT.kind,
        "metadata": {"namespace": namespace, "name": name, "annotations": {USER_ANNOTATION: caller.user_id}},
        "spec": dict(spec),
    }
