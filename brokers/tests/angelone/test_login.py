"""Logins over a real socket: one attempt each, and errors that say what to do."""

import json
from typing import Any

import msgspec
import pytest
from aiohttp import web
from algo_brokers.errors import BadAnswer, BrokerError, BrokerUnavailable, RequestRefused, SessionRefused
from algo_brokers.registry import adapter_of
from algo_brokers.session import state_of
from angelone_samples import AT
from angelone_stand import HELD, KEYS, Stand, ok, refused

LOGIN = "POST /rest/auth/angelbroking/user/v1/loginByPassword"
TOKENS = {"jwtToken": "new.jwt.x", "refreshToken": "newrefresh", "feedToken": "newfeed", "state": ""}


async def test_pin_and_one_time_password(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        assert body == {"clientcode": "S000123", "password": KEYS.pin, "totp": "287082"}
        return ok(TOKENS)

    stand.handler = handle
    login = stand.broker.login
    assert login.direct is not None
    assert login.direct_needs == (("api_key", "pin", "totp_secret"),)
    session = await login.direct(credentials=KEYS, now=59_000)
    assert (session.access_token, session.feed_token, session.refresh_token) == ("new.jwt.x", "newfeed", "newrefresh")
    assert (session.client_id, session.api_key) == ("S000123", KEYS.api_key)
    assert stand.seen == [LOGIN]
    assert "00:00" in state_of(session, now=session.valid_until, lives=login.lives).renewal


@pytest.mark.parametrize(
    ("code", "message", "error", "advice"),
    [
        ("AB1050", "Invalid totp", RequestRefused, "wait for the next code"),
        ("AB1007", "Invalid Credentials", RequestRefused, "client code or PIN is wrong"),
        ("AB1000", "Invalid email or password", RequestRefused, "locks the account"),
        ("AB1006", "Client is block for trading", RequestRefused, "ask the broker"),
        ("AG8004", "Invalid API Key", RequestRefused, "API key is wrong"),
        ("AB2001", "Internal Error", BrokerUnavailable, "Internal Error"),
        ("AB1021", "Too many requests", BrokerError, "Too many requests"),
    ],
)
async def test_a_refused_login_is_tried_once_and_says_what_to_do(
    stand: Stand, code: str, message: str, error: type[BrokerError], advice: str
) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return refused(code, message)

    stand.handler = handle
    assert stand.broker.login.direct is not None
    with pytest.raises(error, match=advice):
        await stand.broker.login.direct(credentials=KEYS, now=AT)
    assert stand.seen == [LOGIN]


async def test_a_secret_that_is_none_sends_nothing(stand: Stand) -> None:
    assert stand.broker.login.direct is not None
    with pytest.raises(RequestRefused, match="base32"):
        await stand.broker.login.direct(credentials=msgspec.structs.replace(KEYS, totp_secret="1"), now=AT)
    assert stand.seen == []


async def test_the_brokers_page(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer pagejwt"
        return ok({"clientcode": "s000123"})

    stand.handler = handle
    login = stand.broker.login
    assert login.begin is not None
    assert login.finish is not None
    url = await login.begin(credentials=KEYS, state="s")
    assert url == f"{stand.parts.endpoints.login}/publisher-login?api_key=canarykey41&state=s"
    callback = {"auth_token": "pagejwt", "feed_token": "pagefeed", "state": "s"}
    session = await login.finish(credentials=KEYS, callback=callback, now=AT)
    assert (session.access_token, session.feed_token, session.refresh_token) == ("pagejwt", "pagefeed", "")
    assert stand.seen == ["GET /rest/secure/angelbroking/user/v1/getProfile"]
    with pytest.raises(RequestRefused, match="another account"):
        await login.finish(credentials=msgspec.structs.replace(KEYS, client_id="S000999"), callback=callback, now=AT)
    with pytest.raises(RequestRefused, match="without a login"):
        await login.finish(credentials=KEYS, callback={}, now=AT)
    real = adapter_of("angelone").create_login(stand.parts.transport, adapter_of("angelone").endpoints)
    assert real.begin is not None
    assert (await real.begin(credentials=KEYS, state="s")).startswith("https://smartapi.angelone.in/publisher-login?")


async def test_renewal_and_logout(stand: Stand) -> None:
    answers: list[Any] = [TOKENS, {key: value for key, value in TOKENS.items() if key != "refreshToken"}, ""]

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"Bearer {HELD.access_token}"
        stand.see(json.dumps(await request.json()))
        return ok(answers.pop(0))

    stand.handler = handle
    login = stand.broker.login
    assert login.renew is not None
    assert login.end is not None
    made = await login.renew(credentials=KEYS, session=HELD, now=AT)
    assert (made.access_token, made.refresh_token, made.login_time) == ("new.jwt.x", "newrefresh", AT)
    kept = await login.renew(credentials=KEYS, session=HELD, now=AT)
    assert kept.refresh_token == HELD.refresh_token
    await login.end(session=HELD)
    assert stand.seen[1::2] == [
        '{"refreshToken": "canaryrefresh44"}',
        '{"refreshToken": "canaryrefresh44"}',
        '{"clientcode": "S000123"}',
    ]
    assert stand.seen[4] == "POST /rest/secure/angelbroking/user/v1/logout"
    with pytest.raises(RequestRefused, match="cannot be renewed"):
        await login.renew(credentials=KEYS, session=msgspec.structs.replace(HELD, refresh_token=""), now=AT)


@pytest.mark.parametrize("code", ["AB8050", "AB8051"])
async def test_a_dead_refresh_token_asks_for_a_full_login(stand: Stand, code: str) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return refused(code, "refresh token")

    stand.handler = handle
    assert stand.broker.login.renew is not None
    with pytest.raises(SessionRefused, match="log in again"):
        await stand.broker.login.renew(credentials=KEYS, session=HELD, now=AT)
    assert len(stand.seen) == 1


async def test_an_answer_without_tokens(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return ok(None)

    stand.handler = handle
    assert stand.broker.login.direct is not None
    with pytest.raises(BadAnswer):
        await stand.broker.login.direct(credentials=KEYS, now=AT)
