"""Access tokens (short JWTs) and refresh tokens (random, stored as a hash)."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final, Protocol

import jwt

from algo_api.errors import UnauthenticatedError
from algo_api.identity import Caller, Role

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "algo-api"
_AUDIENCE: Final = "algo-api"
_REQUIRED: Final = ("exp", "iat", "sub", "iss", "aud", "tenant", "role")


class IssueAccess(Protocol):
    """A signed access token; `now` is a Unix second."""

    def __call__(self, *, user_id: str, tenant_id: str, role: str, now: int) -> str: ...


class ReadAccess(Protocol):
    """Who an access token speaks for.

    Raises:
        UnauthenticatedError: it is not ours, changed, or expired.
    """

    def __call__(self, token: str) -> Caller: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokens:
    """Signs and reads access tokens."""

    issue: IssueAccess
    read: ReadAccess
    lifetime: int


def create_access_tokens(secret: str, lifetime: int) -> AccessTokens:
    """Tokens signed with a shared secret; `lifetime` in seconds."""

    def issue(*, user_id: str, tenant_id: str, role: str, now: int) -> str:
        claims = {
            "iss": _ISSUER, "aud": _AUDIENCE, "sub": user_id, "tenant": tenant_id, "role": role,
            "iat": now, "exp": now + lifetime, "jti": secrets.token_hex(8),
        }  # fmt: skip
        return jwt.encode(claims, secret, algorithm=_ALGORITHM)

    def read(token: str) -> Caller:
        try:
            claims = jwt.decode(
                token,
                secret,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                audience=_AUDIENCE,
                options={"require": list(_REQUIRED)},
            )
            return Caller(
                user_id=str(claims["sub"]),
                tenant_id=str(claims["tenant"]),
                role=Role(claims["role"]),
                expires_at=int(claims["exp"]),
            )
        except (jwt.InvalidTokenError, ValueError) as error:
            raise UnauthenticatedError("the access token is not valid any more; sign in again") from error

    return AccessTokens(issue=issue, read=read, lifetime=lifetime)


def new_opaque_token() -> str:
    """A token of 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What is stored of an opaque token. It has full entropy, so a plain hash cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()
