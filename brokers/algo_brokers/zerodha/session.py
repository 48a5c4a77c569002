"""Login at Zerodha: the URL, the checksum, and how long a session lives.

Source: Kite Connect docs, "User": a token lives until 06:00 (India) of the next day, whenever it was made.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec
from algo_crds.contracts.clock import IST

from algo_brokers.errors import BadAnswer, RequestRefused
from algo_brokers.http import FORM, HttpRequest, with_query
from algo_brokers.session import Session

LOGIN_BASE: Final = "https://kite.zerodha.com"
_DIES_AT: Final = time(6, 0)


class _Answer(msgspec.Struct, frozen=True):
    user_id: str
    api_key: str
    access_token: str


def login_url(*, api_key: str, state: str, base: str = LOGIN_BASE) -> str:
    """The broker's login page; `state` comes back as a query parameter of the redirect."""
    query = {"v": "3", "api_key": api_key, "redirect_params": urlencode({"state": state})}
    return f"{base.rstrip('/')}/connect/login?{urlencode(query)}"


def checksum(api_key: str, token: str, api_secret: str) -> str:
    """Lower-case hex SHA-256 of the three texts joined without separators."""
    return hashlib.sha256(f"{api_key}{token}{api_secret}".encode()).hexdigest()


def valid_until(login_time: int) -> int:
    """The next 06:00 in India after the login (ms)."""
    at = datetime.fromtimestamp(login_time / 1000, IST)
    end = datetime.combine(at.date(), _DIES_AT, IST)
    if at >= end:
        end += timedelta(days=1)
    return int(end.timestamp() * 1000)


def token_request(*, api_key: str, api_secret: str, request_token: str) -> HttpRequest:
    """Exchange of the redirect's token. Carries no `Authorization`."""
    body = urlencode(
        {"api_key": api_key, "request_token": request_token, "checksum": checksum(api_key, request_token, api_secret)}
    )
    headers = (("X-Kite-Version", "3"), ("Content-Type", FORM))
    return HttpRequest("POST", "/session/token", headers, body.encode())


def request_token(callback: Mapping[str, str]) -> str:
    """The token in the redirect's query.

    Raises:
        RequestRefused: the broker's page ended without a login.
    """
    token = callback.get("request_token", "")
    if not token or callback.get("status", "success") != "success":
        raise RequestRefused("the broker's page ended without a login; start it again")
    return token


def logout_request(session: Session) -> HttpRequest:
    """End the session."""
    target = with_query("/session/token", [("api_key", session.api_key), ("access_token", session.access_token)])
    return HttpRequest("DELETE", target, (("X-Kite-Version", "3"),))


def session_of(data: bytes, *, api_key: str, now: int) -> Session:
    """The session in the answer's `data`.

    Raises:
        BadAnswer: a field is missing, or the answer is for another app.
    """
    try:
        answer = msgspec.json.decode(data, type=_Answer)
    except msgspec.MsgspecError:
        raise BadAnswer("the broker's login answer lacks user, key or token; log in again") from None
    if answer.api_key != api_key or not answer.access_token:
        raise BadAnswer("the broker's login answer is not for this app; check the api_key of the account")
    return Session(
        broker="zerodha",
        client_id=answer.user_id,
        api_key=api_key,
        access_token=answer.access_token,
        login_time=now,
        valid_until=valid_until(now),
    )
