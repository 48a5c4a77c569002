"""Login at Angel One: what is sent, what comes back, and how long a session lives.

Sources disagree on the hour at which a token dies; the strict reading is built in: at 00:00 in India, and at the
token's own `exp` if that is earlier.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec
from algo_crds.contracts.clock import IST

from algo_brokers.angelone import requests
from algo_brokers.angelone.envelope import decode
from algo_brokers.errors import BadAnswer, RequestRefused
from algo_brokers.http import HttpRequest
from algo_brokers.login import Credentials
from algo_brokers.session import Session
from algo_brokers.totp import totp_code

LOGIN_BASE: Final = "https://smartapi.angelone.in"
LOGIN_PATH: Final = "/rest/auth/angelbroking/user/v1/loginByPassword"
RENEW_PATH: Final = "/rest/auth/angelbroking/jwt/v1/generateTokens"


class _Tokens(msgspec.Struct, frozen=True, rename="camel"):
    jwt_token: str
    feed_token: str
    refresh_token: str | None = None


class _Claims(msgspec.Struct, frozen=True):
    exp: float | None = None


def login_url(*, api_key: str, state: str, base: str = LOGIN_BASE) -> str:
    """The publisher page; `state` comes back with the redirect."""
    return f"{base.rstrip('/')}/publisher-login?{urlencode({'api_key': api_key, 'state': state})}"


def login_request(credentials: Credentials, *, now: int) -> HttpRequest:
    """PIN and the one-time password of `now`. Raises `RequestRefused` for an authenticator secret that is none."""
    body = {
        "clientcode": credentials.client_id,
        "password": credentials.pin,
        "totp": totp_code(credentials.totp_secret, now),
    }
    return HttpRequest("POST", LOGIN_PATH, requests.headers(api_key=credentials.api_key), msgspec.json.encode(body))


def renew_request(session: Session) -> HttpRequest:
    """New tokens by the refresh token.

    Raises:
        RequestRefused: the session has none: one made on the broker's page gets no refresh token.
    """
    if not session.refresh_token:
        raise RequestRefused("a session made on the broker's page cannot be renewed; log in again")
    head = requests.headers(api_key=session.api_key, token=session.access_token)
    return HttpRequest("POST", RENEW_PATH, head, msgspec.json.encode({"refreshToken": session.refresh_token}))


def logout_request(session: Session) -> HttpRequest:
    """Kills token, refresh token and feed token."""
    return requests.post(session, "/user/v1/logout", {"clientcode": session.client_id})


def midnight_after(now: int) -> int:
    """The next 00:00 in India (ms)."""
    day = datetime.fromtimestamp(now / 1000, IST).date() + timedelta(days=1)
    return int(datetime.combine(day, time(0), IST).timestamp() * 1000)


def expiry_of(token: str) -> int | None:
    """The `exp` that a token claims (ms), unchecked; None where it claims none or is no JWT."""
    part = token.split(".")[1:2]
    if not part:
        return None
    try:
        claims = base64.urlsafe_b64decode(part[0] + "=" * (-len(part[0]) % 4))
        found = msgspec.json.decode(claims, type=_Claims).exp
        return None if found is None else int(found * 1000)
    except (binascii.Error, ValueError, OverflowError, RecursionError):
        return None


def valid_until(token: str, now: int) -> int:
    """When a token that was made at `now` is dead (ms)."""
    claimed = expiry_of(token)
    midnight = midnight_after(now)
    return midnight if claimed is None else min(midnight, claimed)


def session_of(data: bytes, *, client_id: str, api_key: str, now: int) -> Session:
    """The session in the `data` of a login or a renewal.

    Raises:
        BadAnswer: a token is missing.
    """
    tokens = decode(data, _Tokens, "login answer")
    return _session(
        client_id, api_key, tokens.jwt_token, feed=tokens.feed_token, refresh=tokens.refresh_token or "", now=now
    )


def session_of_redirect(callback: Mapping[str, str], credentials: Credentials, *, now: int) -> Session:
    """The session in the redirect's query; older pages send a refresh token too.

    Raises:
        RequestRefused: the broker's page ended without a login.
    """
    token, feed = callback.get("auth_token", ""), callback.get("feed_token", "")
    if not requests.bare(token) or not feed:
        raise RequestRefused("the broker's page ended without a login; start it again")
    refresh = callback.get("refresh_token", "")
    return _session(credentials.client_id, credentials.api_key, token, feed=feed, refresh=refresh, now=now)


def _session(client_id: str, api_key: str, token: str, *, feed: str, refresh: str, now: int) -> Session:
    plain = requests.bare(token)
    if not plain or not feed:
        raise BadAnswer("the broker's login answer lacks a token; log in again")
    return Session(
        broker="angelone",
        client_id=client_id,
        api_key=api_key,
        access_token=plain,
        login_time=now,
        valid_until=valid_until(plain, now),
        feed_token=feed,
        refresh_token=refresh,
    )
