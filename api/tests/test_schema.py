"""The migrations say what the models say; the OpenAPI document says what the API does."""

import asyncio
from typing import Any

import httpx
import pytest
import schemathesis
from algo_api.migrate import check, migrate
from algo_api.settings import Settings
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from pydantic import ValidationError
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


async def test_arbitrary_requests_are_answered_as_documented(url: str, trader: Any) -> None:
    headers = {"Authorization": trader.http.headers["Authorization"]}
    called = await asyncio.to_thread(_attack, url, headers)
    assert called >= 100


def _attack(url: str, headers: dict[str, str]) -> int:
    """How many requests were made; streams do not end and registrations cost too much."""
    called = 0
    schema: Any = schemathesis.openapi.from_url(f"{url}/openapi.json")
    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.endswith(("/stream", "/metrics", "/register")):
            continue

        @limits(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def attack(case: Any) -> None:
            nonlocal called
            called += 1
            case.validate_response(case.call(base_url=url, headers=headers), checks=checks)

        attack()
    return called
