"""Registration, sign-in and the rotation of refresh tokens."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from algo_crds.contracts.ids import new_id
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.audit.contract import Change
from algo_api.audit.service import record_change
from algo_api.auth import queries
from algo_api.auth.contract import AuthService
from algo_api.auth.models import RefreshToken, User
from algo_api.auth.schemas import LoginIn, RefreshIn, RegisterIn, TokensOut, UserOut
from algo_api.auth.tokens import AccessTokens, hash_token, new_opaque_token
from algo_api.db import AUTH, Database, user_scope
from algo_api.errors import ConflictError, UnauthenticatedError
from algo_api.identity import Caller, Role
from algo_api.rate_limits import CountAttempt, Limit
from algo_api.tables import utc_now
from algo_api.tenants.contract import TenantService
from algo_api.tenants.queries import new_tenant

_HASHER: Final = PasswordHasher()
_NOBODY: Final = _HASHER.hash(new_opaque_token())
"""Verified when there is no such user, so that an unknown address takes as long as a wrong password."""
_WRONG: Final = "e-mail address or password is wrong"
_STALE: Final = "the refresh token is not valid any more; sign in again"
_CLIENT_FACTOR: Final = 5


def create_auth_service(
    db: Database,
    tokens: AccessTokens,
    tenants: TenantService,
    count_attempt: CountAttempt,
    *,
    refresh_seconds: int,
    logins_per_minute: int,
    registrations_per_hour: int,
) -> AuthService:
    """Users and tokens over a database."""
    registrations = Limit(name="register", count=registrations_per_hour, seconds=3600)
    by_email = Limit(name="login-email", count=logins_per_minute, seconds=60)
    by_client = Limit(name="login-client", count=logins_per_minute * _CLIENT_FACTOR, seconds=60)

    async def register(new: RegisterIn, *, client: str) -> UserOut:
        await count_attempt(registrations, client)
        password_hash = await asyncio.to_thread(_HASHER.hash, new.password.get_secret_value())
        try:
            async with db.transaction(AUTH) as session:
                if await queries.user_by_email(session, new.email):
                    raise ConflictError("this e-mail address is already registered; sign in instead")
                user = _new_user(session, new, password_hash)
        except IntegrityError as error:
            raise ConflictError("this e-mail address is already registered; sign in instead") from error
        await tenants.announce(user.tenant_id, display_name=user.name, owner=user.id)
        return UserOut.model_validate(user)

    async def login(credentials: LoginIn, *, client: str) -> TokensOut:
        await count_attempt(by_client, client)
        await count_attempt(by_email, credentials.email)
        async with db.transaction(AUTH) as session:
            user = await queries.user_by_email(session, credentials.email)
        stored = user.password_hash if user else _NOBODY
        correct = await asyncio.to_thread(_verifies, stored, credentials.password.get_secret_value())
        if user is None or not correct:
            raise UnauthenticatedError(_WRONG)
        async with db.transaction(AUTH) as session:
            return _issue(session, tokens, user, new_id("key"), refresh_seconds)

    async def refresh(token: RefreshIn) -> TokensOut:
        async with db.transaction(AUTH) as session:
            row = await queries.lock_token(session, hash_token(token.refresh_token.get_secret_value()))
            if row is not None and await _spend(session, row):
                user = await queries.user_by_id(session, row.user_id)
                if user is not None:
                    return _issue(session, tokens, user, row.family, refresh_seconds)
        raise UnauthenticatedError(_STALE)  # after the commit: a revocation must stay

    async def me(caller: Caller) -> UserOut:
        async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            user = await queries.user_by_id(session, caller.user_id)
        if user is None:
            raise UnauthenticatedError("this user does not exist any more")
        return UserOut.model_validate(user)

    return AuthService(register=register, login=login, refresh=refresh, me=me)


def _new_user(session: AsyncSession, new: RegisterIn, password_hash: str) -> User:
    user_id, tenant_id = new_id("usr"), new_id("tnt")
    user = User(
        id=user_id,
        tenant_id=tenant_id,
        email=new.email,
        name=new.name,
        password_hash=password_hash,
        role=Role.USER,
        created_at=utc_now(),
        created_by=user_id,
        updated_by=user_id,
    )
    session.add(user)
    session.add(new_tenant(tenant_id, display_name=new.name, owner=user_id))
    for kind, identifier in (("user", user_id), ("tenant", tenant_id)):
        record_change(
            session,
            Change(
                actor=user_id,
                user_id=user_id,
                tenant_id=tenant_id,
                action=f"{kind}.create",
                entity_type=kind,
                entity_id=identifier,
                changes={"name": new.name},
            ),
        )
    return user


def _verifies(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


async def _spend(session: AsyncSession, row: RefreshToken) -> bool:
    """Uses a refresh token up; a second use means that it was stolen from somebody, and ends the whole sign-in."""
    if row.used_at is not None:
        await queries.revoke_family(session, row.family, row.user_id)
        record_change(
            session,
            Change(
                actor=row.user_id,
                user_id=row.user_id,
                tenant_id=row.tenant_id,
                action="refresh_token.reuse",
                entity_type="refresh_token",
                entity_id=row.id,
                changes={"family": row.family},
            ),
        )
        return False
    if row.revoked_at is not None or row.expires_at <= datetime.now(UTC):
        return False
    row.used_at, row.status = utc_now(), "used"
    return True


def _issue(session: AsyncSession, tokens: AccessTokens, user: User, family: str, refresh_seconds: int) -> TokensOut:
    refresh = new_opaque_token()
    session.add(
        RefreshToken(
            id=new_id("key"),
            tenant_id=user.tenant_id,
            user_id=user.id,
            family=family,
            token_hash=hash_token(refresh),
            expires_at=utc_now() + timedelta(seconds=refresh_seconds),
            created_by=user.id,
            updated_by=user.id,
        )
    )
    access = tokens.issue(user_id=user.id, tenant_id=user.tenant_id, role=user.role, now=int(time.time()))
    return TokensOut(access_token=access, refresh_token=refresh, expires_in=tokens.lifetime)
