"""Writes what a BrokerAccount resource says into its row, and credentials into theirs."""

from collections.abc import Mapping
from typing import Any, Final

from algo_crds.contracts.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.broker_accounts.models import BrokerAccount, BrokerCredential
from algo_api.broker_accounts.queries import own_credentials
from algo_api.crypto import CredentialCipher
from algo_api.identity import Owner
from algo_api.ownership import identifier
from algo_api.projected import create_change_of, drop_row, put_row
from algo_api.tables import delete_softly

change_of: Final = create_change_of("broker_account")

SECRET_FIELDS: Final = ("api_key", "api_secret", "pin", "totp_secret", "access_token")
"""What a trader may give of an account; which of them its broker wants is in the broker's login record."""


async def put_account(
    session: AsyncSession, resource: Mapping[str, Any], *, user_id: str, tenant_id: str, actor: str
) -> bool | None:
    """Insert or update the row, as `put_row`."""
    spec = resource["spec"]
    columns = {
        "broker": spec["broker"],
        "client_id": spec.get("clientId", ""),
        "environment": spec.get("environment", "Production"),
    }
    account_id = identifier("brk", resource)
    return await put_row(
        session, BrokerAccount, account_id, resource, columns, user_id=user_id, tenant_id=tenant_id, actor=actor
    )


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
    await drop_row(session, row, change_of, actor=actor)
