"""A person's session with the API: who is logged in where, kept for the commands that act for them.

One file an instance, in the instance's state folder, so that it goes with the cluster (`algo down`) and a token never
reaches another cluster. Only its owner reads it, and nothing prints it. The access token lives minutes; the refresh
token can be used once, and a second use ends the whole sign-in, so commands that run at the same time take turns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from algo_local.locks import file_lock
from algo_local.paths import state_root
from algo_local.pki import write_private

Json = dict[str, Any]
_TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
_LOGIN: Final = "`algo login`"


class ApiCallError(RuntimeError):
    """The API did not do what was asked; the message holds its own reason and never a password or a token."""


class LoggedOutError(ApiCallError):
    """Nobody is logged in, or the login has ended; the message names the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Tokens of a sign-in, and the API that gave them."""

    url: str
    email: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def session_file(instance: str) -> Path:
    """Return where the session of an instance is kept."""
    return state_root() / instance / "login.json"


def login(instance: str, url: str, email: str, password: str) -> Path:
    """Exchange email and password for tokens and keep them for the instance's commands; returns the file.

    Raises ApiCallError with the API's own reason, or when the file cannot be written.
    """
    url = url.rstrip("/")
    response = _send(url, "POST", "/auth/login", json={"email": email, "password": password})
    if response.is_error:
        raise ApiCallError(f"{url} refused the login ({response.status_code}): {_reason(response)}")
    with file_lock(_lock(instance)):
        _store(instance, _session(url, email, response))
    return session_file(instance)


def call(instance: str, method: str, path: str, *, json: Json | None = None, params: Json | None = None) -> Json:
    """Call the API as the person who is logged in; an access token that has ended is renewed first.

    Raises:
        LoggedOutError: nobody is logged in, or the login has ended.
        ApiCallError: the API refused, or does not answer.
    """
    session = _load(instance)
    response = _send(session.url, method, path, json=json, params=params, token=session.access_token)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        session = _renewed(instance, session)
        response = _send(session.url, method, path, json=json, params=params, token=session.access_token)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        raise _ended(session)
    if response.is_error:
        raise ApiCallError(f"{session.url} refused ({response.status_code}): {_reason(response)}")
    return _object(response)


def _lock(instance: str) -> Path:
    return session_file(instance).with_suffix(".lock")


def _load(instance: str) -> Session:
    try:
        data = json.loads(session_file(instance).read_text())
        return Session(**{name: str(data[name]) for name in ("url", "email", "access_token", "refresh_token")})
    except PermissionError:
        raise LoggedOutError(
            f"{session_file(instance)} belongs to another user; log in as that one, or with {_LOGIN}"
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise LoggedOutError(f"nobody is logged in to instance {instance!r}; do so with {_LOGIN}") from None


def _store(instance: str, session: Session) -> None:
    names = ("url", "email", "access_token", "refresh_token")
    write_private(session_file(instance), json.dumps({name: getattr(session, name) for name in names}).encode())


def _renewed(instance: str, stale: Session) -> Session:
    with file_lock(_lock(instance)):
        stored = _load(instance)
        if stored.access_token != stale.access_token:  # another command was first
            return stored
        response = _send(stored.url, "POST", "/auth/refresh", json={"refresh_token": stored.refresh_token})
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise _ended(stored)
        if response.is_error:
            raise ApiCallError(
                f"{stored.url} could not renew the login ({response.status_code}): {_reason(response)}; try again"
            )
        session = _session(stored.url, stored.email, response)
        _store(instance, session)
        return session


def _ended(session: Session) -> LoggedOutError:
    return LoggedOutError(f"the login of {session.email} at {session.url} has ended; log in again with {_LOGIN}")


def _session(url: str, email: str, response: httpx.Response) -> Session:
    tokens = _object(response)
    try:
        return Session(url=url, email=email, access_token=tokens["access_token"], refresh_token=tokens["refresh_token"])
    except KeyError:
        raise ApiCallError(f"{url} answered without tokens; is it this platform's API?") from None


def _send(
    url: str, method: str, path: str, *, json: Json | None = None, params: Json | None = None, token: str = ""
) -> httpx.Response:
    headers: Mapping[str, str] = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(base_url=f"{url}/api/v1", timeout=_TIMEOUT, trust_env=False, headers=headers) as client:
            return client.request(method, path, json=json, params=params)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ApiCallError(f"{url} does not answer ({type(error).__name__}); is it up? `algo status` tells") from None


def _object(response: httpx.Response) -> Json:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiCallError(f"{response.url.host} did not answer as this platform's API does")
    return body


def _reason(response: httpx.Response) -> str:
    try:
        body = _object(response)
    except ApiCallError:
        return "no reason given"
    return str(body.get("detail") or body.get("title") or "no reason given")
