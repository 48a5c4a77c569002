"""The calls a demo makes, thin: the API as a trader would use it, the simulator's control port as its owner would."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, cast

import httpx

Json = dict[str, Any]
_ACTION_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 5.0
"""The API has waited for its part already; a demo looks again soon."""


class ServiceError(RuntimeError):
    """A service refused a call; carries its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trader:
    """A registered user and the client that acts for it."""

    user_id: str
    tenant_id: str
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
        await asyncio.sleep(min(float(response.headers["retry-after"]), _LONGEST_PAUSE_SECONDS))
    return _checked(response)


def _unseen(_trader: Trader) -> None:
    return None


async def register(base_url: str, made: Callable[[Trader], None] = _unseen) -> Trader:
    """A new trader with a random password that nobody keeps; `made` is called as soon as there is one to remove."""
    name = secrets.token_hex(6)
    client = httpx.AsyncClient(base_url=f"{base_url}/api/v1", trust_env=False)
    email, password = f"trader-{name}@example.com", secrets.token_urlsafe(24)
    body = {"email": email, "password": password, "name": f"Trader {name[:4]}"}
    try:
        user = await call(client, "POST", "/auth/register", json=body)
    except BaseException:
        await client.aclose()
        raise
    trader = Trader(user_id=str(user["id"]), tenant_id=str(user["tenant_id"]), email=email, client=client)
    made(trader)
    tokens = await call(client, "POST", "/auth/login", json={"email": email, "password": password})
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    return trader


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
