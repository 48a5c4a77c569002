"""A create that is tried again: whoever got no answer, or a 503, asks once more and finds what it has made.

The resource may be there already although the answer did not say so: the API server was too slow, or the database went
away in between. The projection has then made its row, without the secrets.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from algo_crds.resources.metadata import USER_ANNOTATION
from algo_kube.contract import KubeClient
from algo_kube.resources import BROKER_ACCOUNT

from algo_api.broker_accounts.models import BrokerCredential
from algo_api.broker_accounts.schemas import AccountOut
from algo_api.broker_accounts.translate import validate_account
from algo_api.crypto import CredentialCipher, DecryptionError
from algo_api.errors import ApiError, ConflictError
from algo_api.identity import Caller

LINKED: Final = "this broker account is linked already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """An account with the content of the one that is wanted."""

    resource: str
    complete: bool
    """Whether its secrets are stored too; nothing is left to do then."""
    shown: AccountOut


def is_account(spec: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether both are the same account at the same broker; paper accounts are as many as one likes."""
    identity = ("broker", "clientId", "environment")
    told = {"environment": "Production"} | dict(spec)
    return bool(wanted.get("clientId")) and all(told.get(field) == wanted.get(field) for field in identity)


def same_spec(spec: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a spec says the same, its defaults filled in."""
    try:
        return validate_account("a", spec) == wanted
    except ApiError:  # written by another version
        return False


def same_secrets(cipher: CredentialCipher, stored: Mapping[str, BrokerCredential], given: Mapping[str, str]) -> bool:
    """Whether exactly these secrets are stored."""
    if stored.keys() != given.keys():
        return False
    try:
        return all(hmac.compare_digest(_text(cipher, stored[field]), given[field].encode()) for field in given)
    except DecryptionError:
        return False


def _text(cipher: CredentialCipher, row: BrokerCredential) -> bytes:
    return cipher.decrypt_aes256(row.ciphertext, row_id=row.id, field=row.field, key_version=row.key_version).encode()


async def left_over(kube: KubeClient, namespace: str, caller: Caller, wanted: Mapping[str, Any]) -> str | None:
    """The resource's name, if the caller made one of this account that has no row yet.

    Raises:
        ConflictError: it has something else in it.
        KubeError: the list could not be read.
    """
    for resource in (await kube.list(BROKER_ACCOUNT, namespace=namespace)).items:
        metadata, spec = resource["metadata"], resource["spec"]
        owner = (metadata.get("annotations") or {}).get(USER_ANNOTATION)
        if owner != caller.user_id or not is_account(spec, wanted):
            continue
        if "deletionTimestamp" in metadata or not same_spec(spec, wanted):
            raise ConflictError(LINKED)
        return str(metadata["name"])
    return None
