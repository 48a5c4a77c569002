"""Writes what a BrokerAccount resource says into its row, and credentials into theirs."""

from collections.abc import Mapping
from typing import Any, Final

from algo_crds.contracts.ids import new_id
from sqlalchemy import Result, literal_column
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.audit.contract import Change
from algo_api.audit.service import record_change
from algo_api.broker_accounts.models import BrokerAccount, BrokerCredential
from algo_api.broker_accounts.queries import Owner, own_credentials
from algo_api.crypto import CredentialCipher
from algo_api.ownership import identifier, version
from algo_api.tables import ACTIVE, delete_softly, utc_now

SECRET_FIELDS: Final = ("api_key", "api_secret", "pin", "totp_secret", "access_token")
"""What a trader may give of an account; which of them its broker wants is in the broker's login record."""


async def put_account(
    session: AsyncSession, resource: Mapping[str, Any], *, user_id: str, tenant_id: str, actor: str
) -> bool | None:
    """Insert or update the row; an older version of the resource changes nothing.

    Returns True for a new row, False for a row whose spec has changed, None if nothing a person did has changed.
    """
    metadata, spec = resource["metadata"], resource["spec"]
    account_id = identifier("brk", resource)
    before = await session.get(BrokerAccount, account_id, with_for_update=True)
    told: dict[str, Any] = {
        "user_id": user_id,
        "broker": spec["broker"],
        "client_id": spec.get("clientId", ""),
        "environment": spec.get("environment", "Production"),
        "namespace": metadata["namespace"],
        "resource": metadata["name"],
        "uid": metadata["uid"],
        "generation": metadata["generation"],
        "resource_version": version(resource),
        "spec": spec,
        "resource_status": resource.get("status") or {},
        "deleting": "deletionTimestamp" in metadata,
        "status": ACTIVE,
        "deleted_at": None,
        "deleted_by": None,
    }
    now = utc_now()
    changed = before is None or before.uid != told["uid"] or before.generation < told["generation"]
    statement = insert(BrokerAccount).values(
        id=account_id, tenant_id=tenant_id, created_at=now, created_by=actor, updated_at=now, updated_by=actor, **told
    )
    written: dict[str, Any] = {name: statement.excluded[name] for name in told}
    if changed:
        written |= {"updated_at": now, "updated_by": actor}
    row: Result[Any] = await session.execute(
        statement.on_conflict_do_update(
            index_elements=[BrokerAccount.id],
            set_=written,
            where=BrokerAccount.resource_version <= statement.excluded.resource_version,
        ).returning(literal_column("xmax = 0").label("inserted"))
    )
    result = row.first()
    session.expire_all()
    return None if result is None or not changed else bool(result.inserted)


async def put_credentials(
    session: AsyncSession,
    cipher: CredentialCipher,
    owner: Owner,
    account_id: str,
    secrets: Mapping[str, str],
) -> None:
    """Encrypt and store; a secret that was there is written over, not kept."""
    stored = await own_credentials(session, owner, account_id)
    for field, secret in secrets.items():
        row = stored.get(field)
        row_id = row.id if row else new_id("key")
        ciphertext, key_version = cipher.encrypt_aes256(secret, row_id=row_id, field=field)
        if row is not None:
            row.ciphertext, row.key_version, row.updated_by = ciphertext, key_version, owner.user_id
            continue
        session.add(
            BrokerCredential(
                id=row_id,
                tenant_id=owner.tenant_id,
                user_id=owner.user_id,
                account_id=account_id,
                field=field,
                ciphertext=ciphertext,
                key_version=key_version,
                created_by=owner.user_id,
                updated_by=owner.user_id,
            )
        )


async def drop_credentials(session: AsyncSession, owner: Owner, account_id: str) -> None:
    """Wipe the secrets of an account; the rows stay as history, empty."""
    for row in (await own_credentials(session, owner, account_id)).values():
        row.ciphertext, row.field = b"", f"{row.field}:{row.id}"[:32]
        delete_softly(row, owner.user_id)


async def drop_account(session: AsyncSession, row: BrokerAccount, *, actor: str) -> None:
    """The resource is gone: the row stays as history."""
    delete_softly(row, actor)
    row.deleting = True
    record_change(session, change_of(row.id, row, actor, "delete", {"resource": row.resource}))


def change_of(account_id: str, owner: Owner, actor: str, verb: str, changes: Mapping[str, Any]) -> Change:
    """An audit entry about an account; `changes` never holds a secret."""
    return Change(
        actor=actor,
        user_id=owner.user_id,
        tenant_id=owner.tenant_id,
        action=f"broker_account.{verb}",
        entity_type="broker_account",
        entity_id=account_id,
        changes=changes,
    )
