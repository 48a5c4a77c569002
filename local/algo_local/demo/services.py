"""The calls a demo makes, thin: the API as a trader would use it, the simulator's control port as its owner would."""

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx

Json = dict[str, Any]
_ACTION_SECONDS = 60.0


class ServiceError(RuntimeError):
    """A service refused a call; carries its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trader:
    """A registered user and the client that acts for it."""

    user_id: str
    email: str
    client: httpx.AsyncClient


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One server-sent event."""

    id: str
    kind: str
    data: Json


def _checked(response: httpx.Response) -> Json:
    if response.is_error:
        try:
            problem = response.json()
            words = problem.get("detail") or problem.get("title") or problem.get("message") or response.text
        except ValueError:
            words = response.text
        request = response.request
        raise ServiceError(f"{request.method} {request.url.path}: {response.status_code} {words}")
    return cast(Json, response.json()) if response.content else {}


async def call(client: httpx.AsyncClient, method: str, path: str, **arguments: Any) -> Json:
    """One call; 503 with Retry-After (a new trader's namespace is being made) is waited for.

    Raises:
        ServiceError: the service refused, or cannot be reached.
    """
    for _ in range(12):
        try:
            response = await client.request(method, path, timeout=_ACTION_SECONDS, **arguments)
        except httpx.TransportError as error:
            raise ServiceError(f"{method} {path}: {type(error).__name__} {error}") from error
        if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or "retry-after" not in response.headers:
            return _checked(response)
    return _checked(response)


async def register(base_url: str) -> Trader:
    """A new trader with a random password that nobody keeps."""
    name = secrets.token_hex(6)
    client = httpx.AsyncClient(base_url=f"{base_url}/api/v1", trust_env=False)
    email, password = f"trader-{name}@example.com", secrets.token_urlsafe(24)
    body = {"email": email, "password": password, "name": f"Trader {name[:4]}"}
    user = await call(client, "POST", "/auth/register", json=body)
    tokens = await call(client, "POST", "/auth/login", json={"email": email, "password": password})
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    return Trader(user_id=str(user["id"]), email=email, client=client)


async def link_account(trader: Trader, account: Json, broker_url: str) -> Json:
    """Link a simulated Zerodha account and follow its login to the end, as a browser would."""
    created = await call(
        trader.client,
        "POST",
        "/broker-accounts",
        json={
            "broker": account["broker"],
            "client_id": account["client_id"],
            "api_key": account["api_key"],
            "api_secret": account["api_secret"],
            "environment": "Simulator",
        },
    )
    login = await call(trader.client, "POST", f"/broker-accounts/{created['id']}/login")
    page = urlsplit(login["login_url"])
    async with httpx.AsyncClient(trust_env=False) as browser:
        response = await browser.get(f"{broker_url}{page.path}?{page.query}", follow_redirects=False)
    if response.status_code not in (302, 303, 307):
        raise ServiceError(f"the broker's login page answered {response.status_code} instead of a redirect")
    query = parse_qs(urlsplit(response.headers["location"]).query)
    await call(
        trader.client,
        "GET",
        f"/broker-accounts/{created['id']}/callback",
        params={"request_token": query["request_token"][0], "state": login["state"], "status": "success"},
    )
    return created


def control_client(url: str, token: str) -> httpx.AsyncClient:
    """A client of the simulator's control port."""
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False)


async def follow(trader: Trader, strategy_id: str, last_id: str = "") -> AsyncIterator[StreamEvent]:
    """The strategy's events as they happen, resumed by the caller with the last id it has seen."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    timeout = httpx.Timeout(_ACTION_SECONDS, read=60)
    path = f"/strategies/{strategy_id}/stream"
    async with trader.client.stream("GET", path, headers=headers, timeout=timeout) as response:
        if response.is_error:
            await response.aread()
            _checked(response)
        identifier, kind, data = "", "message", ""
        async for line in response.aiter_lines():
            if not line:
                if data:
                    yield StreamEvent(identifier, kind, cast(Json, json.loads(data)))
                kind, data = "message", ""
            elif line.startswith("id:"):
                identifier = line[3:].strip()
            elif line.startswith("event:"):
                kind = line[6:].strip()
            elif line.startswith("data:"):
                data += line[5:].strip()
