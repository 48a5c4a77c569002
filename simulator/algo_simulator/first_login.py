"""The first session of a broker that is simulated by itself, so that a client can begin with a token.

It logs in by the broker's own protocol, the shortest way that each has; a later login goes as it does at the broker,
and ends this session where the broker allows one only.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec

from algo_simulator.accounts import AccountSpec

_PATIENCE: Final = aiohttp.ClientTimeout(total=10)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What a login gave."""

    access_token: str
    feed_token: str = ""
    """Of the market socket, where it is another one (Angel One)."""

    def __repr__(self) -> str:
        return "Session(...)"


async def first_login(root: str, account: AccountSpec) -> Session:
    """Log the account in at its broker's front end, which listens at `root`.

    Raises:
        aiohttp.ClientError: it does not answer, or refuses.
    """
    async with aiohttp.ClientSession(timeout=_PATIENCE, raise_for_status=True) as http:
        return await _WAYS[account.broker](http, root, account)


async def _redirected(http: aiohttp.ClientSession, url: str, **query: str) -> dict[str, str]:
    """What the login page hands to the app's address."""
    async with http.get(url, params=query, allow_redirects=False) as page:
        handed = parse_qs(urlsplit(page.headers["Location"]).query)
    return {name: values[0] for name, values in handed.items()}


async def _zerodha(http: aiohttp.ClientSession, root: str, account: AccountSpec) -> Session:
    key, token = account.api_key, (await _redirected(http, f"{root}/connect/login", v="3", api_key=account.api_key))
    proof = hashlib.sha256(f"{key}{token['request_token']}{account.api_secret}".encode()).hexdigest()
    form = {"api_key": key, "request_token": token["request_token"], "checksum": proof}
    async with http.post(f"{root}/session/token", data=form) as answer:
        return Session(access_token=(await answer.json())["data"]["access_token"])


async def _dhan(http: aiohttp.ClientSession, root: str, account: AccountSpec) -> Session:
    query = {"dhanClientId": account.client_id, "pin": account.pin}
    async with http.get(f"{root}/auth/web/access-token", params=query) as answer:
        return Session(access_token=await answer.text())


async def _fyers(http: aiohttp.ClientSession, root: str, account: AccountSpec) -> Session:
    asked = {"client_id": account.api_key, "redirect_uri": account.redirect_url, "response_type": "code", "state": "x"}
    code = (await _redirected(http, f"{root}/api/v3/generate-authcode", **asked))["auth_code"]
    proof = hashlib.sha256(f"{account.api_key}:{account.api_secret}".encode()).hexdigest()
    form = {"grant_type": "authorization_code", "appIdHash": proof, "code": code}
    async with http.post(f"{root}/api/v3/validate-authcode", json=form) as answer:
        return Session(access_token=(await answer.json())["access_token"])


async def _angelone(http: aiohttp.ClientSession, root: str, account: AccountSpec) -> Session:
    handed = await _redirected(http, f"{root}/auth/publisher-login", api_key=account.api_key)
    return Session(access_token=handed["auth_token"], feed_token=handed["feed_token"])


_WAYS: Final[dict[str, Callable[[aiohttp.ClientSession, str, AccountSpec], Awaitable[Session]]]] = {
    "zerodha": _zerodha,
    "dhan": _dhan,
    "fyers": _fyers,
    "angelone": _angelone,
}
