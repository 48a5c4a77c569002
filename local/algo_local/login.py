"""`algo login`: the user's token for the API, kept 0600 under the user's own configuration folder."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from algo_local.paths import config_dir
from algo_local.pki import write_private


class LoginError(RuntimeError):
    """The API did not take the login; never holds the password."""


def token_file() -> Path:
    """Return where the token is kept."""
    return config_dir() / "token.json"


def login(url: str, email: str, password: str) -> Path:
    """Exchange email and password for tokens and store them with the API's address; returns the file.

    Raises LoginError with the API's own reason.
    """
    try:
        response = httpx.post(f"{url}/api/v1/auth/login", json={"email": email, "password": password}, timeout=15.0)
    except httpx.HTTPError as error:
        raise LoginError(f"{url} does not answer ({type(error).__name__}); is it up? `algo status` tells") from None
    if response.status_code != httpx.codes.OK:
        raise LoginError(f"{url} refused the login ({response.status_code}): {_reason(response)}")
    tokens = {"url": url, "email": email, **response.json()}
    write_private(token_file(), json.dumps(tokens).encode())
    return token_file()


def _reason(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return "no reason given"
    return str(body.get("detail") or body.get("title") or "no reason given")
