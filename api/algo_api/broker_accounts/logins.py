"""Logins at brokers: this process alone decrypts key and secret, and hands the session to the account's Secret."""

import asyncio
import base64
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from algo_brokers.errors import BrokerError, BrokerUnavailable
from algo_brokers.login import Credentials, Login
from algo_brokers.session import Session, encode_session
from algo_crds.contracts.clock import to_utc
from algo_crds.contracts.ids import new_id
from algo_kube import errors as kube_errors
from algo_kube.contract import KubeClient
from algo_kube.resources import SECRET
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.audit.service import record_change
from algo_api.auth.tokens import hash_token, new_opaque_token
from algo_api.broker_accounts import queries
from algo_api.broker_accounts.contract import LoginOf, LoginService
from algo_api.broker_accounts.models import BrokerAccount, BrokerLogin
from algo_api.broker_accounts.rows import API_KEY, API_SECRET, change_of
from algo_api.broker_accounts.schemas import LoginOut, SessionOut
from algo_api.crypto import CredentialCipher, DecryptionError
from algo_api.db import AUTH, Database, user_scope
from algo_api.errors import ApiError, ConflictError, NotFoundError, UnauthenticatedError, UnavailableError
from algo_api.identity import Caller
from algo_api.kube_errors import FIELD_MANAGER, api_error, not_there_yet
from algo_api.tables import utc_now

_LOGIN_LIFETIME: Final = timedelta(minutes=10)
_SESSION_KEY: Final = "session.json"
_POLL_SECONDS: Final = 0.25
_STALE: Final = "this login is not open any more; start it again"


def create_login_service(
    db: Database, kube: KubeClient, cipher: CredentialCipher, login_of: LoginOf, *, wait_seconds: float
) -> LoginService:
    """Logins over database, cluster and brokers."""

    async def begin(caller: Caller, account_id: str) -> LoginOut:
        state = new_opaque_token()
        async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            row = await queries.own_account(session, caller, account_id)
            if row is None:
                raise NotFoundError("there is no such broker account")
            secrets = await _credentials(session, cipher, row)
        await _wait_for_secret(kube, row, wait_seconds)
        url = await _begin(login_of(row.broker, row.environment), _given(row, secrets), state)
        async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            session.add(_pending(row, state))
        return LoginOut(login_url=url, state=state)

    async def finish(account_id: str, *, request_token: str, state: str) -> SessionOut:
        owner = await _redeem(db, account_id, state)
        async with db.transaction(user_scope(owner.user_id, owner.tenant_id)) as session:
            row = await queries.own_account(session, owner, account_id)
            if row is None:
                raise NotFoundError("there is no such broker account")
            secrets = await _credentials(session, cipher, row)
        opened = await _exchange(login_of(row.broker, row.environment), row, secrets, request_token)
        await _write_secret(kube, row, opened)
        async with db.transaction(user_scope(owner.user_id, owner.tenant_id)) as session:
            changes = {"valid_until": opened.valid_until}
            record_change(session, change_of(row.id, row, owner.user_id, "login", changes))
        return SessionOut(account_id=row.id, valid_until=to_utc(opened.valid_until))

    return LoginService(begin=begin, finish=finish)


def _pending(row: BrokerAccount, state: str) -> BrokerLogin:
    return BrokerLogin(
        id=new_id("key"),
        tenant_id=row.tenant_id,
        user_id=row.user_id,
        account_id=row.id,
        state_hash=hash_token(state),
        expires_at=utc_now() + _LOGIN_LIFETIME,
        created_by=row.user_id,
        updated_by=row.user_id,
    )


async def _redeem(db: Database, account_id: str, state: str) -> BrokerLogin:
    """The login of a state, which is used up."""
    async with db.transaction(AUTH) as session:
        login = await queries.lock_login(session, hash_token(state))
        valid = (
            login is not None
            and login.account_id == account_id
            and login.used_at is None
            and login.expires_at > datetime.now(UTC)
        )
        if login is None or not valid:
            raise UnauthenticatedError(_STALE)
        login.used_at, login.status = utc_now(), "used"
        return login


async def _credentials(session: AsyncSession, cipher: CredentialCipher, row: BrokerAccount) -> dict[str, str]:
    stored = await queries.own_credentials(session, row, row.id)
    if API_KEY not in stored or API_SECRET not in stored:
        raise ConflictError("this account has no api_key and api_secret yet; give them with PATCH, then log in")
    try:
        return {
            field: cipher.decrypt_aes256(
                credential.ciphertext, row_id=credential.id, field=field, key_version=credential.key_version
            )
            for field, credential in stored.items()
        }
    except DecryptionError as error:
        raise ConflictError("the stored credentials cannot be read; give them again with PATCH") from error


def _given(row: BrokerAccount, secrets: dict[str, str]) -> Credentials:
    return Credentials(client_id=row.client_id, api_key=secrets[API_KEY], api_secret=secrets[API_SECRET])


async def _begin(login: Login, given: Credentials, state: str) -> str:
    if login.begin is None:
        raise ConflictError(f"{login.broker} has no login page")
    try:
        return await login.begin(credentials=given, state=state)
    except BrokerError as error:
        raise UnavailableError("the broker does not answer; start the login again", retry_after=5) from error


async def _exchange(login: Login, row: BrokerAccount, secrets: dict[str, str], request_token: str) -> Session:
    if login.finish is None:
        raise ConflictError(f"{login.broker} has no login page")
    try:
        opened = await login.finish(
            credentials=_given(row, secrets),
            callback={"request_token": request_token},
            now=time.time_ns() // 1_000_000,
        )
    except BrokerUnavailable as error:
        raise UnavailableError("the broker does not answer; start the login again", retry_after=5) from error
    except BrokerError as error:
        raise ConflictError("the broker refused the login; check api_key and api_secret, then start again") from error
    if opened.client_id != row.client_id:
        raise ConflictError("the broker says that this login is for another client; log in as the account's own client")
    return opened


def _secret_name(row: BrokerAccount) -> str:
    return (row.spec.get("sessionSecretRef") or {}).get("name") or f"{row.resource}-session"


async def _wait_for_secret(kube: KubeClient, row: BrokerAccount, seconds: float) -> None:
    """Until the operator has made the Secret and let this process write it. Asked before the login begins, because the
    broker's token can be used once."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            await kube.patch(SECRET, _secret_name(row), {}, namespace=row.namespace)
            return
        except kube_errors.KubeError as error:
            if not not_there_yet(error) or time.monotonic() + _POLL_SECONDS > deadline:
                raise _not_set_up(error) from error
        await asyncio.sleep(_POLL_SECONDS)


async def _write_secret(kube: KubeClient, row: BrokerAccount, opened: Session) -> None:
    patch = {"data": {_SESSION_KEY: base64.b64encode(encode_session(opened)).decode()}}
    try:
        await kube.patch(SECRET, _secret_name(row), patch, namespace=row.namespace, field_manager=FIELD_MANAGER)
    except kube_errors.KubeError as error:
        raise _not_set_up(error) from error


def _not_set_up(error: kube_errors.KubeError) -> ApiError:
    if not_there_yet(error):
        return UnavailableError(
            "the account is still being set up; start the login again in a few seconds", retry_after=5
        )
    return api_error(error, "session of the broker account")
