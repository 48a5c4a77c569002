"""Registration, sign-in, refresh with reuse detection, rate limits, problem+json."""

import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import jwt
import pytest
from algo_api.settings import Settings

PROBLEM = {"type", "title", "status", "code", "detail", "errors", "request_id"}


def assert_problem(response: httpx.Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert set(body) == PROBLEM
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == response.headers["x-request-id"]


async def test_a_registered_trader_is_told_who_they_are(trader: Any) -> None:
    me = (await trader.http.get("/auth/me")).json()
    assert me["id"] == trader.id
    assert me["role"] == "User"
    assert me["tenant_id"].startswith("tnt_")


async def test_registration_makes_a_tenant_resource(trader: Any, kube: Any) -> None:
    from algo_kube.resources import TENANT

    tenant = await kube.get(TENANT, trader.tenant_id.replace("_", "-"))
    assert tenant["spec"]["owner"] == trader.id


async def test_an_address_registers_once_in_any_case(trader: Any) -> None:
    again = {"email": trader.email.upper(), "password": "another-password", "name": "Again"}
    assert_problem(await trader.http.post("/auth/register", json=again), 409, "conflict")


@pytest.mark.parametrize("wrong", ["password", "email"])
async def test_wrong_password_and_unknown_address_look_the_same(trader: Any, wrong: str) -> None:
    body = {"email": trader.email, "password": trader.password}
    body[wrong] = "x" + body[wrong]
    response = await trader.http.post("/auth/login", json=body)
    assert_problem(response, 401, "unauthenticated")
    assert response.json()["detail"] == "e-mail address or password is wrong"


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_sign_in(trader: Any) -> None:
    first = {"refresh_token": trader.tokens["refresh_token"]}
    second = await trader.http.post("/auth/refresh", json=first)
    assert second.status_code == 200
    assert_problem(await trader.http.post("/auth/refresh", json=first), 401, "unauthenticated")
    heir = {"refresh_token": second.json()["refresh_token"]}
    assert_problem(await trader.http.post("/auth/refresh", json=heir), 401, "unauthenticated")


async def test_another_sign_in_survives_the_reuse(trader: Any) -> None:
    other = await trader.http.post("/auth/login", json={"email": trader.email, "password": trader.password})
    stolen = {"refresh_token": trader.tokens["refresh_token"]}
    for _ in range(2):
        await trader.http.post("/auth/refresh", json=stolen)
    kept = {"refresh_token": other.json()["refresh_token"]}
    assert (await trader.http.post("/auth/refresh", json=kept)).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic YTpi"])
async def test_no_valid_token_is_401(url: str, header: str) -> None:
    async with httpx.AsyncClient(base_url=f"{url}/api/v1") as http:
        response = await http.get("/auth/me", headers={"Authorization": header} if header else {})
    assert_problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("change", [{"exp": 1}, {"iss": "else"}, {"aud": "else"}, {"role": "King"}, {"tenant": None}])
async def test_a_token_with_other_claims_is_refused(trader: Any, settings: Settings, change: dict[str, Any]) -> None:
    secret = settings.jwt_secret_key.get_secret_value()
    claims = jwt.decode(trader.tokens["access_token"], secret, algorithms=["HS256"], audience="algo-api")
    forged = {key: value for key, value in (claims | change).items() if value is not None}
    token = jwt.encode(forged, secret, algorithm="HS256")
    response = await trader.http.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert_problem(response, 401, "unauthenticated")


async def test_a_token_of_another_key_or_none_is_refused(trader: Any) -> None:
    claims = jwt.decode(trader.tokens["access_token"], options={"verify_signature": False})
    for token in (jwt.encode(claims, secrets.token_hex(32), algorithm="HS256"), jwt.encode(claims, "", "none")):
        response = await trader.http.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert_problem(response, 401, "unauthenticated")


async def test_too_many_attempts_are_429_with_a_time(
    settings: Settings, serve: Callable[[Settings], AbstractAsyncContextManager[str]]
) -> None:
    limited = settings.model_copy(update={"login_attempts_per_minute": 3})
    body = {"email": f"{secrets.token_hex(6)}@example.com", "password": "whatever"}
    async with serve(limited) as url, httpx.AsyncClient(base_url=f"{url}/api/v1") as http:
        answers = [await http.post("/auth/login", json=body) for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert_problem(refused[-1], 429, "rate_limited")
    assert 1 <= int(refused[-1].headers["retry-after"]) <= 60


async def test_malformed_input_is_422_and_never_repeated(url: str) -> None:
    canary = "canary-" + secrets.token_hex(8)
    async with httpx.AsyncClient(base_url=f"{url}/api/v1") as http:
        body = {"email": "nobody", "password": canary, "name": "n", "surplus": canary}
        response = await http.post("/auth/register", json=body)
    assert_problem(response, 422, "malformed")
    assert canary not in response.text
    assert {"email", "surplus"} <= {entry["field"] for entry in response.json()["errors"]}


async def test_an_unknown_route_is_a_problem_too(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        assert_problem(await http.get("/api/v1/nothing"), 404, "not_found")
        assert_problem(await http.put("/api/v1/auth/login"), 405, "method_not_allowed")
