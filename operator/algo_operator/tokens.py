"""Signs the tokens by which a runner opens its gateway and the operator speaks to one. The key never leaves the file's
reader."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import jwt
from algo_crds.contracts.tokens import ALGORITHM, AUDIENCE_ADMIN, AUDIENCE_RUNNER, ISSUER
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

_ADMIN_SECONDS = 60


class SigningKeyError(ValueError):
    """The signing key cannot be used; the message says what it must be."""


class SignRunner(Protocol):
    """A runner's token: it owns one strategy's orders at one account under one epoch."""

    def __call__(
        self, *, strategy_id: str, account_id: str, epoch: int, exchange: str, symbol: str, product: str
    ) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What can be signed, and the public key that checks it (PEM)."""

    public_key: str
    sign_runner: SignRunner = field(repr=False)
    sign_admin: Callable[[], str] = field(repr=False)


def load_signing_key(path: str) -> Ed25519PrivateKey:
    """The Ed25519 private key of a PEM file.

    Raises:
        SigningKeyError: no such file, or no such key in it.
    """
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(f"{path} must hold an unencrypted Ed25519 private key in PEM form") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyError(f"{path} holds another kind of key; make one with `openssl genpkey -algorithm ed25519`")
    return key


def create_tokens(key: Ed25519PrivateKey, clock: Callable[[], float] = time.time) -> Tokens:
    """The signer. Runner tokens are a pure function of their claims (Ed25519 is deterministic), so the same claims
    give the same Secret."""

    def sign_runner(*, strategy_id: str, account_id: str, epoch: int, exchange: str, symbol: str, product: str) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE_RUNNER,
            "sub": strategy_id,
            "account": account_id,
            "epoch": epoch,
            "exchange": exchange,
            "symbol": symbol,
            "product": product,
        }
        return jwt.encode(claims, key, algorithm=ALGORITHM)

    def sign_admin() -> str:
        claims = {"iss": ISSUER, "aud": AUDIENCE_ADMIN, "sub": "operator", "exp": int(clock()) + _ADMIN_SECONDS}
        return jwt.encode(claims, key, algorithm=ALGORITHM)

    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return Tokens(public_key=public, sign_runner=sign_runner, sign_admin=sign_admin)
