"""Broker credentials: encrypted, bound to their row, in no dump, log or answer; the login flow over HTTP."""

import asyncio
import base64
import contextlib
import hashlib
import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from algo_api.crypto import DecryptionError, create_credential_cipher
from algo_api.settings import Settings
from algo_kube.contract import KubeClient
from algo_kube.resources import SECRET
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

KEY, SECRET_TEXT, TOKEN = (f"canary{secrets.token_hex(12)}" for _ in range(3))

USERS = (("good", "AB1234"), ("foreign", "ZZ9999"))
"""Request tokens of the broker's login page, and who logged in there."""


@pytest.fixture
async def broker(poll: Any) -> AsyncIterator[str]:
    """The token exchange as the broker documents it: SHA-256 of key, request token and secret."""

    async def exchange(request: Request) -> JSONResponse:
        form = parse_qs((await request.body()).decode())
        users = {hashlib.sha256(f"{KEY}{token}{SECRET_TEXT}".encode()).hexdigest(): user for token, user in USERS}
        user = users.get(form["checksum"][0])
        if user is None:
            body = {"status": "error", "message": "Token is invalid or has expired.", "error_type": "TokenException"}
            return JSONResponse(body, status_code=403)
        return JSONResponse({"status": "success", "data": {"user_id": user, "api_key": KEY, "access_token": TOKEN}})

    app = Starlette(routes=[Route("/session/token", exchange, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server._serve())

    async def started() -> bool:
        return server.started

    await poll(started, "the broker's server answers")
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


@pytest.fixture
async def linked(
    settings: Settings, serve: Callable[..., Any], broker: str, make_trader: Any, kube: KubeClient
) -> AsyncIterator[tuple[Any, dict[str, Any]]]:
    simulated = settings.model_copy(
        update={
            "simulator_broker_urls": {"zerodha": broker},
            "simulator_login_urls": {"zerodha": "https://login.example"},
        }
    )
    async with serve(simulated) as url:
        trader = await make_trader(url)
        body = {"broker": "zerodha", "client_id": "AB1234", "environment": "Simulator"}
        response = await trader.http.post("/broker-accounts", json=body | {"api_key": KEY, "api_secret": SECRET_TEXT})
        assert response.status_code == 201, response.text
        yield trader, response.json()


async def make_secret(kube: KubeClient, account: dict[str, Any]) -> tuple[str, str]:
    """What the operator does for a BrokerAccount."""
    namespace, name = account["resource"].split("/")
    await kube.create(SECRET, {"metadata": {"namespace": namespace, "name": f"{name}-session"}})
    return namespace, f"{name}-session"


async def test_the_login_flow_puts_the_session_into_the_secret(linked: Any, kube: KubeClient) -> None:
    trader, account = linked
    namespace, name = await make_secret(kube, account)
    login = (await trader.http.post(f"/broker-accounts/{account['id']}/login")).json()
    page = urlsplit(login["login_url"])
    assert (page.netloc, page.path) == ("login.example", "/connect/login")
    assert parse_qs(parse_qs(page.query)["redirect_params"][0])["state"] == [login["state"]]
    query = {"request_token": "good", "state": login["state"], "status": "success", "action": "login"}
    path = f"/broker-accounts/{account['id']}/callback"
    async with httpx.AsyncClient(base_url=trader.http.base_url) as browser:  # a browser has no token of ours
        done = await browser.get(path, params=query)
        assert done.status_code == 200, done.text
        again = await browser.get(path, params=query)
    assert again.status_code == 401
    stored = (await kube.get(SECRET, name, namespace=namespace))["data"]["session.json"]
    session = json.loads(base64.b64decode(stored))
    assert (session["client_id"], session["access_token"]) == ("AB1234", TOKEN)
    assert TOKEN not in done.text


async def test_a_login_before_the_secret_exists_is_503(linked: Any) -> None:
    trader, account = linked
    answer = await trader.http.post(f"/broker-accounts/{account['id']}/login")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_a_refused_login_says_what_to_check(linked: Any, kube: KubeClient) -> None:
    trader, account = linked
    await make_secret(kube, account)
    login = (await trader.http.post(f"/broker-accounts/{account['id']}/login")).json()
    answer = await trader.http.get(
        f"/broker-accounts/{account['id']}/callback", params={"request_token": "bad", "state": login["state"]}
    )
    assert answer.status_code == 409
    assert "api_key" in answer.json()["detail"]


async def test_a_login_as_another_client_is_refused_and_kept_nowhere(linked: Any, kube: KubeClient) -> None:
    trader, account = linked
    namespace, name = await make_secret(kube, account)
    login = (await trader.http.post(f"/broker-accounts/{account['id']}/login")).json()
    query = {"request_token": "foreign", "state": login["state"]}
    answer = await trader.http.get(f"/broker-accounts/{account['id']}/callback", params=query)
    assert answer.status_code == 409
    assert "another client" in answer.json()["detail"]
    assert "session.json" not in ((await kube.get(SECRET, name, namespace=namespace)).get("data") or {})


async def test_a_login_that_was_left_open_too_long_is_over(linked: Any, kube: KubeClient, app_sql: Any) -> None:
    trader, account = linked
    await make_secret(kube, account)
    login = (await trader.http.post(f"/broker-accounts/{account['id']}/login")).json()
    async with app_sql.transaction():
        await app_sql.execute("SELECT set_config('app.scope', 'auth', true)")
        statement = "UPDATE broker_logins SET expires_at = now() - interval '1 second' WHERE account_id = $1"
        assert await app_sql.execute(statement, account["id"]) == "UPDATE 1"
    query = {"request_token": "good", "state": login["state"]}
    answer = await trader.http.get(f"/broker-accounts/{account['id']}/callback", params=query)
    assert answer.status_code == 401
    assert "start it again" in answer.json()["detail"]


async def test_canaries_are_in_no_dump_log_or_answer(
    linked: Any, migrated: Any, kube: KubeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    trader, account = linked
    path = f"/broker-accounts/{account['id']}"
    answers = [await trader.http.get("/broker-accounts"), await trader.http.get(path), await trader.http.get("/audit")]
    answers.append(await trader.http.patch(path, json={"api_secret": SECRET_TEXT, "orders_per_second": 5}))
    answers.append(await trader.http.patch(path, json={"api_secret": SECRET_TEXT, "orders_per_second": "many"}))
    answers.append(await trader.http.post("/broker-accounts", json={"api_key": KEY, "broker": "nobody"}))
    await make_secret(kube, account)
    login = (await trader.http.post(f"{path}/login")).json()
    answers.append(await trader.http.get(f"{path}/callback", params={"request_token": "good", "state": login["state"]}))
    told = "".join(answer.text for answer in answers) + caplog.text + migrated.dump()
    for canary in (SECRET_TEXT, TOKEN, KEY.upper(), SECRET_TEXT.encode().hex(), KEY.encode().hex()):
        assert canary not in told
    assert KEY not in told  # the login page's address, which holds the key, is not among these answers
    assert login["state"] not in migrated.dump()


async def test_deleting_an_account_wipes_its_credentials(linked: Any, migrated: Any, app_sql: Any) -> None:
    trader, account = linked
    assert (await trader.http.delete(f"/broker-accounts/{account['id']}")).status_code == 202
    assert (await trader.http.get(f"/broker-accounts/{account['id']}")).status_code == 404
    async with app_sql.transaction():
        for name, value in {"scope": "user", "user_id": trader.id, "tenant_id": trader.tenant_id}.items():
            await app_sql.execute("SELECT set_config($1, $2, true)", f"app.{name}", value)
        rows = await app_sql.fetch("SELECT ciphertext FROM broker_credentials")
    assert [bytes(row["ciphertext"]) for row in rows] == [b"", b""]


async def test_an_account_is_linked_once(linked: Any) -> None:
    trader, _ = linked
    body = {"broker": "zerodha", "client_id": "AB1234", "environment": "Simulator"}
    assert (await trader.http.post("/broker-accounts", json=body)).status_code == 409


async def test_account_rules_are_those_of_the_crd(linked: Any) -> None:
    trader, account = linked
    answer = await trader.http.patch(f"/broker-accounts/{account['id']}", json={"orders_per_second": 10})
    assert (answer.status_code, answer.json()["code"]) == (400, "trading_rule")
    missing = await trader.http.post("/broker-accounts", json={"broker": "zerodha"})
    assert "clientId is required" in missing.json()["detail"]


@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_a_ciphertext_belongs_to_its_row_field_and_version(secret: str, row_id: str, field: str) -> None:
    with contextlib.suppress(UnicodeEncodeError):
        secret.encode(), row_id.encode(), field.encode()
        keys = {1: secrets.token_bytes(32), 2: secrets.token_bytes(32)}
        old, new = create_credential_cipher(keys, 1), create_credential_cipher(keys, 2)
        sealed, version = old.encrypt_aes256(secret, row_id=row_id, field=field)
        assert new.decrypt_aes256(sealed, row_id=row_id, field=field, key_version=version) == secret
        flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
        for attempt in (
            {"ciphertext": sealed, "row_id": row_id + "x", "field": field, "key_version": 1},
            {"ciphertext": sealed, "row_id": row_id, "field": field + "x", "key_version": 1},
            {"ciphertext": sealed, "row_id": row_id, "field": field, "key_version": 2},
            {"ciphertext": sealed, "row_id": row_id, "field": field, "key_version": 9},
            {"ciphertext": flipped, "row_id": row_id, "field": field, "key_version": 1},
            {"ciphertext": b"short", "row_id": row_id, "field": field, "key_version": 1},
        ):
            with pytest.raises(DecryptionError):
                new.decrypt_aes256(**attempt)  # type: ignore[arg-type]


async def test_a_return_without_a_state_is_refused_where_the_broker_has_one(linked: Any, kube: KubeClient) -> None:
    trader, account = linked
    await make_secret(kube, account)
    path = f"/broker-accounts/{account['id']}"
    assert (await trader.http.post(f"{path}/login")).status_code == 200
    answer = await trader.http.get(f"{path}/callback", params={"request_token": "good", "status": "success"})
    assert answer.status_code == 401
    flood = {f"p{number}": "x" for number in range(40)}
    assert (await trader.http.get(f"{path}/callback", params=flood)).status_code == 422


async def test_a_login_says_what_it_needs(linked: Any, kube: KubeClient) -> None:
    trader, account = linked
    answer = await trader.http.post(f"/broker-accounts/{account['id']}/login", json={"way": "direct"})
    assert answer.status_code == 409
    assert "page" in answer.json()["detail"]
    angel = {"broker": "angelone", "client_id": "S12345", "environment": "Production", "api_key": KEY}
    made = (await trader.http.post("/broker-accounts", json=angel)).json()
    assert made["redirect_url"].endswith(f"/broker-accounts/{made['id']}/callback")
    assert "log in with PIN and one-time password" in made["session_renewal"]
    listed = (await trader.http.get("/broker-accounts")).json()["items"]
    told = {item["broker"]: item["session_renewal"] for item in listed}
    assert "log in on the broker's page each morning" in told["zerodha"]
    answer = await trader.http.post(f"/broker-accounts/{made['id']}/login", json={"way": "direct"})
    assert answer.status_code == 409
    assert "pin and totp_secret" in answer.json()["detail"]


async def test_the_pin_and_the_authenticators_secret_are_encrypted_as_well(linked: Any, migrated: Any) -> None:
    trader, account = linked
    pin, totp = "canarypin7315", "CANARYTOTPSECRETGEZDGNBV"
    path = f"/broker-accounts/{account['id']}"
    answer = await trader.http.patch(path, json={"pin": pin, "totp_secret": totp, "access_token": TOKEN})
    assert answer.status_code == 200, answer.text
    for canary in (pin, totp, TOKEN):
        assert canary not in answer.text + migrated.dump()
