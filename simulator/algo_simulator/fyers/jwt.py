"""Signed tokens (JWT, HS256) with the compact header that every client of Fyers can cut out of `<app id>:<token>`."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import msgspec

HEADER: Final = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
"""`{"alg":"HS256","typ":"JWT"}`: behind an app id of 14 characters, a length that the official SDK can decode."""


def signed(claims: Mapping[str, object], secret: str) -> str:
    """A token of claims."""
    text = f"{HEADER}.{_packed(msgspec.json.encode(claims))}"
    return f"{text}.{_packed(_signature(text, secret))}"


def claims_of(token: str, secret: str) -> dict[str, object] | None:
    """The claims of a token that was signed with the secret; None for any other text."""
    text, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_packed(_signature(text, secret)).encode(), signature.encode("utf-8", "replace")):
        return None
    try:
        raw = text.partition(".")[2]
        return msgspec.json.decode(urlsafe_b64decode(raw + "=" * (-len(raw) % 4)), type=dict[str, object])
    except (msgspec.MsgspecError, Base64Error, ValueError):
        return None


def _signature(text: str, secret: str) -> bytes:
    return hmac.digest(secret.encode(), text.encode("utf-8", "replace"), sha256)


def _packed(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
