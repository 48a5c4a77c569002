"""Proof that a connection is a runner's, and that a halt is the operator's: EdDSA tokens against one public key."""

from pathlib import Path
from typing import Any

import jwt
import msgspec
from algo_crds.contracts.tokens import ALGORITHM, AUDIENCE_ADMIN, AUDIENCE_RUNNER, ISSUER, RunnerClaims


class TokenError(ValueError):
    """The token is missing, forged, over, or not for this account."""


def bearer(header: str | None) -> str:
    """The token of an Authorization header.

    Raises:
        TokenError: there is none.
    """
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenError("no bearer token")
    return token.strip()


def _claims(token: str, public_key: str, audience: str, required: list[str]) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            public_key,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=ISSUER,
            options={"require": required},
        )
    except jwt.InvalidTokenError as error:
        raise TokenError(f"{type(error).__name__}") from None
    return claims


def runner_claims(token: str, public_key_file: Path, account_id: str) -> RunnerClaims:
    """Whose orders this connection may make.

    Raises:
        TokenError: not a valid runner's token of this account.
    """
    claims = _claims(token, public_key_file.read_text(), AUDIENCE_RUNNER, ["iss", "aud", "sub"])
    try:
        runner = msgspec.convert(claims, RunnerClaims)
    except msgspec.ValidationError as error:
        raise TokenError(f"claims: {error}") from None
    if runner.account != account_id:
        raise TokenError("the token is for another account")
    return runner


def check_operator(token: str, public_key_file: Path) -> None:
    """Whether a call is the operator's own.

    Raises:
        TokenError: it is not.
    """
    _claims(token, public_key_file.read_text(), AUDIENCE_ADMIN, ["iss", "aud", "exp"])
