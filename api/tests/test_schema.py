"""The migrations say what the models say; the OpenAPI document says what the API does."""

import asyncio
from typing import Any

import httpx
import pytest
import schemathesis
from algo_api.migrate import check, migrate
from algo_api.settings import Settings
from algo_crds.contracts import keys
from algo_crds.contracts.runtime import QueueEvent, encode
from algo_kube.contract import KubeClient
from algo_kube.resources import SECRET
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from pydantic import ValidationError
from redis.asyncio import Redis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.ext.asyncio import create_async_engine


async def test_the_models_need_no_further_migration(migrated: Any) -> None:
    engine = create_async_engine(migrated.owner_url)
    async with engine.connect() as connection:
        await connection.run_sync(check)
    await engine.dispose()


async def test_migrating_twice_changes_nothing(migrated: Any) -> None:
    await migrate(migrated.owner_url, migrated.app_url)


async def test_every_answer_has_a_schema_and_every_error_is_a_problem(url: str) -> None:
    async with httpx.AsyncClient() as http:
        document = (await http.get(f"{url}/openapi.json")).json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if path in ("/metrics", "/healthz", "/readyz"):
                continue
            for status, response in operation["responses"].items():
                content = response["content"]
                if status.startswith(("4", "5")):
                    schema = content["application/problem+json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}, (method, path, status)
                else:
                    assert all(entry for entry in content.values()), (method, path)


async def test_metrics_hold_no_ids(url: str, trader: Any, short_form: dict[str, Any]) -> None:
    made = (await trader.http.post("/strategies", json=short_form)).json()
    await trader.http.get(f"/strategies/{made['id']}")
    async with httpx.AsyncClient(base_url=url) as http:
        text = (await http.get("/metrics")).text
        ready = await http.get("/readyz")
    assert 'operation="get_strategy",status="200"' in text
    assert made["id"] not in text
    assert ready.json() == {"status": "ok", "database": True, "redis": True}


@pytest.mark.parametrize(
    "change", [{"jwt_secret_key": "short"}, {"aes_master_key": "c2hvcnQ="}, {"aes_master_key": "no base64!"}]
)
def test_weak_keys_are_refused_without_repeating_them(settings: Settings, change: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({**settings.model_dump(), **change})
    assert "openssl rand" in str(caught.value)


async def test_arbitrary_requests_are_answered_as_documented(
    url: str, trader: Any, short_form: dict[str, Any], redis: Redis, kube: KubeClient
) -> None:
    """Every operation, once with arbitrary ids and once about the caller's own things."""
    headers = {"Authorization": trader.http.headers["Authorization"]}
    strategy = (await trader.http.post("/strategies", json=short_form)).json()["id"]
    linked = {"broker": "zerodha", "client_id": "AB1234", "api_key": "key", "api_secret": "secret"}
    made = (await trader.http.post("/broker-accounts", json=linked)).json()
    namespace, name = made["resource"].split("/")
    await kube.create(SECRET, {"metadata": {"namespace": namespace, "name": f"{name}-session"}})
    tag = "a12345678abce001"
    waiting = QueueEvent(time=1, wall_time=1, tag=tag, state="Waiting", cause="Margin", message="", attempts=1)
    await redis.hset(keys.orders(strategy), tag, encode(waiting))
    own = {"strategy_id": strategy, "account_id": made["id"], "tag": tag}
    operations, requests = await asyncio.to_thread(_attack, url, headers, own)
    async with httpx.AsyncClient() as http:
        document = (await http.get(f"{url}/openapi.json")).json()
    assert operations == {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert requests >= 300


def a_refusal_is_a_problem(_: Any, response: Any, case: Any) -> None:
    """No 4xx without `application/problem+json` that repeats its status and names its code."""
    if not 400 <= response.status_code < 500:
        return
    kinds = [value.partition(";")[0] for value in response.headers["content-type"]]
    assert kinds == ["application/problem+json"], (case.operation.label, response.status_code, kinds)
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["code"]
    assert problem["detail"]


CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    a_refusal_is_a_problem,
]  # fmt: skip


def _attack(url: str, headers: dict[str, str], own: dict[str, str]) -> tuple[set[tuple[str, str]], int]:
    """Which operations were called, and how many requests were made."""
    called: set[tuple[str, str]] = set()
    count = 0
    schema: Any = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for result in schema.get_all_operations():
        operation = result.ok()

        @limits(max_examples=8, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def attack(case: Any, known: dict[str, str]) -> None:
            nonlocal count
            count += 1
            called.add((case.method, case.path))
            case.path_parameters = {**(case.path_parameters or {}), **known}
            case.validate_response(case.call(base_url=url, headers=headers), checks=CHECKS)

        attack(known={})
        known = {name: value for name, value in own.items() if f"{{{name}}}" in operation.path}
        if known and operation.method != "delete" and not operation.path.endswith("/stream"):  # which does not end
            attack(known=known)
    return called, count
