"""Logins at brokers: this process alone decrypts key and secret, and hands the session to the account's Secret."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final, TypeVar

from algo_brokers.errors import BrokerError, BrokerUnavailable
from algo_brokers.login import Credentials, Login
from algo_brokers.session import Session, encode_session
from algo_crds.contracts.clock import to_utc
from algo_crds.contracts.ids import new_id
from algo_crds.resources.broker_account import session_secret_name
from algo_kube import errors as kube_errors
from algo_kube.contract import KubeClient
from algo_kube.resources import SECRET
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.audit.service import record_change
from algo_api.auth.tokens import hash_token, new_opaque_token
from algo_api.broker_accounts import queries
from algo_api.broker_accounts.contract import LoginOf, LoginService
from algo_api.broker_accounts.models import BrokerAccount, BrokerLogin
from algo_api.broker_accounts.rows import change_of
from algo_api.broker_accounts.schemas import LoginOut, LoginWay, SessionOut
from algo_api.broker_accounts.translate import callback_url
from algo_api.crypto import CredentialCipher, DecryptionError
from algo_api.db import AUTH, Database, user_scope
from algo_api.errors import ApiError, ConflictError, NotFoundError, UnauthenticatedError, UnavailableError
from algo_api.identity import Caller, Owner
from algo_api.kube_errors import FIELD_MANAGER, api_error, not_there_yet
from algo_api.tables import utc_now

_T = TypeVar("_T")
_LOGIN_LIFETIME: Final = timedelta(minutes=10)
_SESSION_KEY: Final = "session.json"
_POLL_SECONDS: Final = 0.25
_STALE: Final = "this login is not open any more; start it again"


def create_login_service(
    db: Database,
    kube: KubeClient,
    cipher: CredentialCipher,
    login_of: LoginOf,
    *,
    wait_seconds: float,
    public_url: str,
) -> LoginService:
    """Logins over database, cluster and brokers; `public_url` is where browsers come back to."""

    async def known(owner: Owner, account_id: str) -> tuple[BrokerAccount, Credentials, Login]:
        async with db.transaction(user_scope(owner.user_id, owner.tenant_id)) as session:
            row = await queries.own_account(session, owner, account_id)
            if row is None:
                raise NotFoundError("there is no such broker account")
            login = login_of(row.broker, row.environment)
            return row, await _credentials(session, cipher, row, public_url), login

    async def begin(caller: Caller, account_id: str, way: LoginWay | None) -> LoginOut:
        row, given, login = await known(caller, account_id)
        way = way or (LoginWay.DIRECT if _has_direct(login, given) else LoginWay.PAGE)
        _check_way(login, given, way)
        await _wait_for_secret(kube, row, wait_seconds)
        if way is LoginWay.DIRECT:
            opened = await _asked(login, lambda: _direct(login, given))
            done = await keep(row, opened, caller.user_id)
            return LoginOut(login_url=None, state=None, valid_until=done.valid_until)
        state = new_opaque_token()
        url = await _asked(login, lambda: _page(login, given, state))
        async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            session.add(_pending(row, state, login))
        return LoginOut(login_url=url, state=state)

    async def finish(account_id: str, *, callback: Mapping[str, str]) -> SessionOut:
        owner = await _redeem(db, account_id, callback.get("state"))
        row, given, login = await known(owner, account_id)
        opened = await _asked(login, lambda: _returned(login, given, callback))
        return await keep(row, opened, owner.user_id)

    async def keep(row: BrokerAccount, opened: Session, actor: str) -> SessionOut:
        if opened.client_id != row.client_id:
            raise ConflictError(
                "the broker says that this login is for another client; log in as the account's own client"
            )
        await _write_secret(kube, row, opened)
        async with db.transaction(user_scope(row.user_id, row.tenant_id)) as session:
            record_change(session, change_of(row.id, row, actor, "login", {"valid_until": opened.valid_until}))
        return SessionOut(account_id=row.id, valid_until=to_utc(opened.valid_until))

    return LoginService(begin=begin, finish=finish)


def _pending(row: BrokerAccount, state: str, login: Login) -> BrokerLogin:
    return BrokerLogin(
        id=new_id("key"),
        tenant_id=row.tenant_id,
        user_id=row.user_id,
        account_id=row.id,
        state_hash=hash_token(state),
        needs_state=login.state_in_redirect,
        expires_at=utc_now() + _LOGIN_LIFETIME,
        created_by=row.user_id,
        updated_by=row.user_id,
    )


async def _redeem(db: Database, account_id: str, state: str | None) -> BrokerLogin:
    """The login that a browser comes back from, which is used up. Without a state only where the broker has no place
    for one: then the account's open login is meant."""
    async with db.transaction(AUTH) as session:
        now = utc_now()
        if state is not None:
            login = await queries.lock_login(session, hash_token(state))
        else:
            login = await queries.lock_stateless_login(session, account_id, now)
        valid = (
            login is not None and login.account_id == account_id and login.used_at is None and login.expires_at > now
        )
        if login is None or not valid:
            raise UnauthenticatedError(_STALE)
        login.used_at, login.status = now, "used"
        return login


async def _credentials(
    session: AsyncSession, cipher: CredentialCipher, row: BrokerAccount, public_url: str
) -> Credentials:
    stored = await queries.own_credentials(session, row, row.id)
    try:
        secrets = {
            field: cipher.decrypt_aes256(
                credential.ciphertext, row_id=credential.id, field=field, key_version=credential.key_version
            )
            for field, credential in stored.items()
        }
    except DecryptionError as error:
        raise ConflictError("the stored credentials cannot be read; give them again with PATCH") from error
    return Credentials(client_id=row.client_id, redirect_uri=callback_url(public_url, row.id), **secrets)


def _missing(given: Credentials, needs: tuple[str, ...]) -> list[str]:
    return [field for field in needs if not getattr(given, field)]


def _has_direct(login: Login, given: Credentials) -> bool:
    return login.direct is not None and any(not _missing(given, needs) for needs in login.direct_needs)


def _check_way(login: Login, given: Credentials, way: LoginWay) -> None:
    """Raises ConflictError with what is missing."""
    if way is LoginWay.DIRECT:
        if login.direct is None:
            raise ConflictError(f"{login.broker} has no login without its page")
        if not _has_direct(login, given):
            ways = " or ".join(" and ".join(needs) for needs in login.direct_needs)
            raise ConflictError(f"a login without the page needs {ways}; give them with PATCH, then log in")
        return
    if login.begin is None:
        raise ConflictError(f"{login.broker} has no login page; store its PIN and the authenticator's secret")
    missing = _missing(given, login.redirect_needs)
    if missing:
        raise ConflictError(f"this account has no {' and '.join(missing)} yet; give them with PATCH, then log in")


async def _direct(login: Login, given: Credentials) -> Session:
    assert login.direct is not None, "checked before"
    return await login.direct(credentials=given, now=_now_ms())


async def _page(login: Login, given: Credentials, state: str) -> str:
    assert login.begin is not None, "checked before"
    return await login.begin(credentials=given, state=state)


async def _returned(login: Login, given: Credentials, callback: Mapping[str, str]) -> Session:
    if login.finish is None:
        raise UnauthenticatedError(_STALE)
    return await login.finish(credentials=given, callback=callback, now=_now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _asked(login: Login, call: Callable[[], Awaitable[_T]]) -> _T:
    """What the broker answered."""
    try:
        return await call()
    except BrokerUnavailable as error:
        raise UnavailableError("the broker does not answer; start the login again", retry_after=5) from error
    except BrokerError as error:
        needs = sorted({*login.redirect_needs, *(field for needs in login.direct_needs for field in needs)})
        raise ConflictError(f"the broker refused the login; check {', '.join(needs)}, then start again") from error


async def _wait_for_secret(kube: KubeClient, row: BrokerAccount, seconds: float) -> None:
    """Until the operator has made the Secret and let this process write it. Asked before the login begins, because the
    broker's token can be used once."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            await kube.patch(SECRET, session_secret_name(row.resource, row.spec), {}, namespace=row.namespace)
            return
        except kube_errors.KubeError as error:
            if not not_there_yet(error) or time.monotonic() + _POLL_SECONDS > deadline:
                raise _not_set_up(error) from error
        await asyncio.sleep(_POLL_SECONDS)


async def _write_secret(kube: KubeClient, row: BrokerAccount, opened: Session) -> None:
    patch = {"data": {_SESSION_KEY: base64.b64encode(encode_session(opened)).decode()}}
    try:
        name = session_secret_name(row.resource, row.spec)
        await kube.patch(SECRET, name, patch, namespace=row.namespace, field_manager=FIELD_MANAGER)
    except kube_errors.KubeError as error:
        raise _not_set_up(error) from error


def _not_set_up(error: kube_errors.KubeError) -> ApiError:
    if not_there_yet(error):
        return UnavailableError(
            "the account is still being set up; start the login again in a few seconds", retry_after=5
        )
    return api_error(error, "session of the broker account")
