"""Login at Fyers: the page, the app's hash, and what the token itself says of its life and of the market socket.

Source: docs v3, authentication; the claims `exp` and `hsm_key` are what the official SDK reads from the token. A
session cannot be renewed: refresh tokens ended on 1 April 2026, and a login with a second factor is due each day.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec

from algo_brokers.errors import BadAnswer, RequestRefused
from algo_brokers.fyers.requests import API, headers
from algo_brokers.http import HttpRequest
from algo_brokers.session import Session

BROKER: Final = "fyers"


class _Claims(msgspec.Struct, frozen=True):
    exp: int
    hsm_key: str
    fy_id: str = ""


class _Tokens(msgspec.Struct, frozen=True):
    access_token: str


def login_url(*, app_id: str, redirect_uri: str, state: str, base: str) -> str:
    """The broker's login page; `state` comes back as a query parameter of the redirect."""
    query = {"client_id": app_id, "redirect_uri": redirect_uri, "response_type": "code", "state": state}
    return f"{base.rstrip('/')}{API}/generate-authcode?{urlencode(query)}"


def app_id_hash(app_id: str, secret: str) -> str:
    """Lower-case hex SHA-256 of app id (with its `-100`), a colon and the secret."""
    return hashlib.sha256(f"{app_id}:{secret}".encode()).hexdigest()


def auth_code(callback: Mapping[str, str]) -> str:
    """The code in the redirect's query.

    Raises:
        RequestRefused: the broker's page ended without a login.
    """
    code = callback.get("auth_code", "")
    if not code or callback.get("s", "ok") != "ok":
        why = callback.get("message", "")
        raise RequestRefused(f"the broker's page ended without a login{': ' if why else ''}{why}; start it again")
    return code


def token_request(*, app_id: str, secret: str, code: str) -> HttpRequest:
    """Exchange of the redirect's code. Carries no `Authorization`."""
    body = {"grant_type": "authorization_code", "appIdHash": app_id_hash(app_id, secret), "code": code}
    return HttpRequest(
        "POST",
        f"{API}/validate-authcode",
        (("Content-Type", "application/json"), ("version", "3")),
        msgspec.json.encode(body),
    )


def logout_request(session: Session) -> HttpRequest:
    """End the session. The body is the JSON `null`, as the official SDK sends it."""
    return HttpRequest("POST", f"{API}/logout", headers(session), b"null")


def _claims(token: str) -> _Claims:
    try:
        _, payload, _ = token.split(".")
        return msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims)
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        raise BadAnswer(
            "the access token is no Fyers token: end of life or socket key is missing; log in again"
        ) from None


def session_of_token(token: str, *, client_id: str, app_id: str, now: int) -> Session:
    """The session of an access token. It lives until the token's own `exp`.

    Raises:
        BadAnswer: the token lacks `exp` or `hsm_key`, or belongs to another client. The token is not in the message.
        RequestRefused: it is over already.
    """
    claims = _claims(token)
    if claims.fy_id and client_id and claims.fy_id != client_id:
        raise BadAnswer(f"the access token is of client {claims.fy_id}, not {client_id}; log in with this account")
    if claims.exp * 1000 <= now:
        raise RequestRefused("the access token is over already; make a new one on the broker's page")
    return Session(
        broker=BROKER,
        client_id=client_id or claims.fy_id,
        api_key=app_id,
        access_token=token,
        login_time=now,
        valid_until=claims.exp * 1000,
        feed_token=claims.hsm_key,
    )


def session_of(body: bytes, *, client_id: str, app_id: str, now: int) -> Session:
    """The session in the answer to `token_request`.

    Raises:
        BadAnswer: no token in it, or none of this client.
        RequestRefused: the token is over already.
    """
    try:
        token = msgspec.json.decode(body, type=_Tokens).access_token
    except msgspec.MsgspecError:
        raise BadAnswer("the broker's login answer has no access token; log in again") from None
    return session_of_token(token, client_id=client_id, app_id=app_id, now=now)


def checked_owner(made: Session, owner: str) -> Session:
    """The session of a pasted token, once the broker has said whose it is.

    Raises:
        BadAnswer: another client's.
    """
    if made.client_id and made.client_id != owner:
        raise BadAnswer(f"the access token is of client {owner}, not {made.client_id}; log in with this account")
    return msgspec.structs.replace(made, client_id=owner)
