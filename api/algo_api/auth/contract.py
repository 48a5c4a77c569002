"""What authentication offers."""

from dataclasses import dataclass
from typing import Protocol

from algo_api.auth.schemas import LoginIn, RefreshIn, RegisterIn, TokensOut, UserOut
from algo_api.identity import Caller


class Register(Protocol):
    """Makes a user with a tenant of their own.

    Raises:
        ConflictError: the address is taken.
        RateLimitedError: too many registrations from this address.
    """

    async def __call__(self, new: RegisterIn, *, client: str) -> UserOut: ...


class Login(Protocol):
    """Tokens for a password.

    Raises:
        UnauthenticatedError: no such user, or another password; the two look the same.
        RateLimitedError: too many attempts.
    """

    async def __call__(self, credentials: LoginIn, *, client: str) -> TokensOut: ...


class Refresh(Protocol):
    """New tokens for a refresh token, which is used up.

    Raises:
        UnauthenticatedError: unknown, expired, revoked or already used; used twice revokes the whole sign-in.
    """

    async def __call__(self, token: RefreshIn) -> TokensOut: ...


class Me(Protocol):
    """The caller.

    Raises:
        UnauthenticatedError: the user does not exist any more.
    """

    async def __call__(self, caller: Caller) -> UserOut: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthService:
    """Users and tokens."""

    register: Register
    login: Login
    refresh: Refresh
    me: Me
