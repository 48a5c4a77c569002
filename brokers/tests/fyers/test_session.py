"""Login: the address, the hash, and what a token says of itself."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from aiohttp import web
from algo_brokers.errors import BadAnswer, RequestRefused, SessionRefused
from algo_brokers.fyers import session
from algo_brokers.login import Credentials, Login
from algo_brokers.registry import adapter_of
from fyers_stand import APP, HELD, KEY, SECRET, TOKEN, Stand, jwt, ok

KEYS = Credentials(
    client_id="XS00001", api_key=APP, api_secret=SECRET, redirect_uri="https://example.org/back?a=1", access_token=TOKEN
)


def test_the_hash_of_the_fact_sheet() -> None:
    assert session.app_id_hash("APPID-100", "SEC") == "f907f10e5d7b219850d1810d6e2bd830416cb7ce7691e4e4660e9777f7400775"


def test_the_login_page() -> None:
    url = session.login_url(app_id=APP, redirect_uri="https://example.org/back?a=1", state="s/1", base="https://h/")
    assert urlsplit(url).path == "/api/v3/generate-authcode"
    assert parse_qs(urlsplit(url).query) == {
        "client_id": [APP],
        "redirect_uri": ["https://example.org/back?a=1"],
        "response_type": ["code"],
        "state": ["s/1"],
    }


def test_the_exchange_carries_no_authorization() -> None:
    request = session.token_request(app_id=APP, secret=SECRET, code="the-code")
    assert (request.method, request.target) == ("POST", "/api/v3/validate-authcode")
    assert "Authorization" not in dict(request.headers)
    assert msgspec.json.decode(request.body) == {
        "grant_type": "authorization_code",
        "appIdHash": session.app_id_hash(APP, SECRET),
        "code": "the-code",
    }
    assert SECRET.encode() not in request.body


@pytest.mark.parametrize(
    ("callback", "why"),
    [
        ({}, "without a login"),
        ({"s": "error", "code": "-1", "message": "user cancelled"}, "user cancelled"),
        ({"s": "error", "auth_code": "x"}, "without a login"),
    ],
)
def test_a_redirect_without_a_login(callback: dict[str, str], why: str) -> None:
    with pytest.raises(RequestRefused, match=why):
        session.auth_code(callback)
    assert session.auth_code({"s": "ok", "code": "200", "auth_code": "x", "state": "s"}) == "x"


def test_the_token_says_how_long_it_lives_and_has_the_socket_key() -> None:
    made = session.session_of_token(TOKEN, client_id="XS00001", app_id=APP, now=5)
    assert made == msgspec.structs.replace(HELD, login_time=5)
    assert session.session_of_token(TOKEN, client_id="", app_id=APP, now=5).client_id == "XS00001"
    nameless = jwt(exp=1795400000, hsm_key=KEY)
    assert session.session_of_token(nameless, client_id="XS00001", app_id=APP, now=5).client_id == "XS00001"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.!!!.c",
        "a.YWJj.c",
        "a.bm8gSlNPTg.c",
        jwt(hsm_key=KEY),
        jwt(exp=1795400000),
        jwt(exp="x", hsm_key=1),
    ],
)
def test_a_token_without_its_claims_is_no_session(token: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        session.session_of_token(token, client_id="XS00001", app_id=APP, now=5)
    assert not token or token not in str(caught.value)


def test_a_token_of_another_client_or_time_is_refused() -> None:
    with pytest.raises(BadAnswer, match="XS00001, not XS00002"):
        session.session_of_token(TOKEN, client_id="XS00002", app_id=APP, now=5)
    with pytest.raises(RequestRefused):
        session.session_of_token(TOKEN, client_id="XS00001", app_id=APP, now=1795400000_000)
    with pytest.raises(BadAnswer, match="another"):
        session.checked_owner(HELD, "another")
    assert session.checked_owner(HELD, "XS00001") == HELD
    assert session.checked_owner(msgspec.structs.replace(HELD, client_id=""), "Z").client_id == "Z"


def test_a_login_answer_without_a_token() -> None:
    with pytest.raises(BadAnswer):
        session.session_of(b'{"s":"ok","code":200}', client_id="", app_id=APP, now=0)


def _login(stand: Stand) -> Login:
    return stand.broker.login


async def test_login_by_the_page(stand: Stand) -> None:
    asked: list[Any] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.path.endswith("/api/v3/validate-authcode")
        asked.append(await request.json())
        if asked[-1]["code"] == "good":
            return ok(access_token=TOKEN, refresh_token="canaryrefresh")
        text = f"invalid auth code {asked[-1]['code']} {asked[-1]['appIdHash']} {SECRET}"
        return web.json_response({"s": "error", "code": -437, "message": text}, status=400)

    stand.handler = handle
    login = _login(stand)
    assert login.begin is not None
    assert login.finish is not None
    assert login.renew is None
    assert login.redirect_needs == ("api_key", "api_secret", "redirect_uri")
    url = await login.begin(credentials=KEYS, state="s")
    assert url.startswith(f"{stand.parts.endpoints.login}/api/v3/generate-authcode?")
    made = await login.finish(credentials=KEYS, callback={"s": "ok", "auth_code": "good"}, now=3)
    assert made == msgspec.structs.replace(HELD, login_time=3)
    assert made.refresh_token == ""
    with pytest.raises(RequestRefused) as caught:
        await login.finish(credentials=KEYS, callback={"s": "ok", "auth_code": "evil-code"}, now=3)
    for secret in ("evil-code", session.app_id_hash(APP, SECRET), SECRET):
        assert secret not in str(caught.value)
    real = adapter_of("fyers").create_login(stand.parts.transport, adapter_of("fyers").endpoints)
    assert real.begin is not None
    page = await real.begin(credentials=KEYS, state="s")
    assert page.startswith("https://api-t1.fyers.in/api/v3/generate-authcode?")


async def test_login_with_a_token_that_the_trader_made(stand: Stand) -> None:
    owner = ["XS00001"]

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.path == "/api/v3/profile"
        assert request.headers["Authorization"] == f"{APP}:{TOKEN}"
        return ok(data={"fy_id": owner[0], "name": "Somebody"})

    stand.handler = handle
    login = _login(stand)
    assert login.direct is not None
    assert await login.direct(credentials=KEYS, now=3) == msgspec.structs.replace(HELD, login_time=3)
    owner[0] = "XS00009"
    with pytest.raises(BadAnswer, match="XS00009"):
        await login.direct(credentials=KEYS, now=3)


async def test_logout(stand: Stand) -> None:
    bodies: list[bytes] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.read())
        if len(bodies) == 1:
            return ok(message="you are successfully logged out")
        text = f"Token is Invalid or Expired {TOKEN} {KEY}"
        return web.json_response({"s": "error", "code": -16, "message": text}, status=401)

    stand.handler = handle
    login = _login(stand)
    assert login.end is not None
    await login.end(session=HELD)
    assert stand.seen == ["POST /api/v3/logout"]
    assert bodies == [b"null"]
    with pytest.raises(SessionRefused) as caught:
        await login.end(session=HELD)
    assert TOKEN not in str(caught.value)
    assert KEY not in str(caught.value)
