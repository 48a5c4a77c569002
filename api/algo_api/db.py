"""Transactions under row-level security: each says for whom it works, and PostgreSQL shows it no row of anybody else.

The scope is set with `set_config(..., is_local => true)` as the first statement of every transaction, so a pooled
connection cannot carry it over. The queries filter by user as well; these policies are the second lock.

- `user`: one person's own rows, by user and tenant.
- `auth`: users, tenants, refresh tokens and pending broker logins, while nobody is signed in yet; no credentials.
- `worker`: projection and recorder: strategies, accounts and ledger of everyone; no credentials, no passwords.
"""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, Protocol

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from algo_api.errors import UnavailableError

_SET_SCOPE: Final = text(
    "SELECT set_config('app.scope', :scope, true), set_config('app.user_id', :user_id, true), "
    "set_config('app.tenant_id', :tenant_id, true)"
)
_RETRY_SECONDS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """For whom a transaction works."""

    name: Literal["user", "auth", "worker"]
    user_id: str = ""
    tenant_id: str = ""


AUTH: Final = Scope(name="auth")
WORKER: Final = Scope(name="worker")


def user_scope(user_id: str, tenant_id: str) -> Scope:
    """The scope of one person."""
    return Scope(name="user", user_id=user_id, tenant_id=tenant_id)


class OpenTransaction(Protocol):
    """A transaction for a scope: committed at the end of the block, rolled back by an exception.

    Raises:
        UnavailableError: PostgreSQL cannot be reached.
    """

    def __call__(self, scope: Scope) -> AbstractAsyncContextManager[AsyncSession]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The way to PostgreSQL."""

    transaction: OpenTransaction
    engine: AsyncEngine


_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def _dump_json(value: Any) -> str:
    return _encode(value).decode()


def create_database(url: str, *, pool_size: int = 10) -> Database:
    """A pool of connections; nothing is opened before the first use."""
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        pool_pre_ping=True,
        hide_parameters=True,  # statements are logged on errors; their values may be secrets
        json_serializer=_dump_json,
        json_deserializer=_decode,
        connect_args={"timeout": 5, "command_timeout": 30},
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @contextlib.asynccontextmanager
    async def transaction(scope: Scope) -> AsyncIterator[AsyncSession]:
        try:
            async with sessions() as session, session.begin():
                await session.execute(
                    _SET_SCOPE, {"scope": scope.name, "user_id": scope.user_id, "tenant_id": scope.tenant_id}
                )
                yield session
        except (OperationalError, InterfaceError, TimeoutError, ConnectionError, OSError) as error:
            raise UnavailableError("the database cannot be reached", retry_after=_RETRY_SECONDS) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise UnavailableError("the database went away", retry_after=_RETRY_SECONDS) from error
            raise

    return Database(transaction=transaction, engine=engine)
