"""Login, tokens and log-out: who a call comes from, and until when its token lives.

The life of a token is counted by the world's clock. Its `exp` claim is never in the past of the machine's clock,
because the official SDK compares the two and a world may replay a day of long ago.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aiohttp import web
from algo_crds.contracts.clock import IST, instant

from algo_simulator.front import Caller
from algo_simulator.fyers.bodies import read_object, text_field
from algo_simulator.fyers.errors import (
    BAD_DATA_TOKEN,
    BAD_TOKEN,
    DATA_HOST,
    DEAD_TOKEN,
    EXPIRED,
    LOGGED_OUT,
    FyersError,
    bad_field,
)
from algo_simulator.fyers.jwt import claims_of, signed
from algo_simulator.worlds import Worlds

BROKER: Final = "fyers"
CODE_MS: Final = 300_000
TOKEN_DIES_AT: Final = time(6)
REFRESH_MS: Final = 15 * 86_400_000
NO_REFRESH_FROM: Final = date(2026, 4, 1)
"""From this day of the world's on a session cannot be renewed without a login."""
Wall = Callable[[], float]
"""Seconds since 1970 by the machine's clock."""


def by_app_id(worlds: Worlds, app_id: str) -> Caller:
    """The account of an app.

    Raises:
        FyersError: no such app.
    """
    found = worlds.find(BROKER, api_key=app_id) if app_id else None
    if found is None:
        raise FyersError(400, -352, "Invalid App Id")
    return Caller(*found)


def new_auth_code(caller: Caller) -> str:
    """A one-time code for `validate-authcode`."""
    spec, codes = caller.account.spec, caller.account.request_tokens
    claims = {"sub": "auth_code", "app_id": spec.api_key, "jti": secrets.token_hex(8)}
    code = signed(claims, spec.api_secret)
    codes[code] = caller.now + CODE_MS
    while len(codes) > 20:
        del codes[next(iter(codes))]
    return code


def login_redirect(worlds: Worlds, query: dict[str, str]) -> str:
    """Where the login page sends the browser: at once, for the simulator's own users know no password.

    Raises:
        FyersError: no such app, or what was asked for does not fit it.
    """
    caller = by_app_id(worlds, query.get("client_id", ""))
    target = query.get("redirect_uri", "")
    if not target or target != caller.account.spec.redirect_url:
        raise bad_field("redirect_uri does not match the one of the app")
    if query.get("response_type") != "code":
        raise bad_field("response_type must be code")
    return redirect_with(target, new_auth_code(caller), query.get("state", ""))


def redirect_with(target: str, code: str, state: str) -> str:
    """The redirect URL with an auth code."""
    parts = urlsplit(target)
    query = [*parse_qsl(parts.query), ("s", "ok"), ("code", "200"), ("auth_code", code), ("state", state)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _by_hash(worlds: Worlds, app_id_hash: str) -> Caller:
    for clock in worlds.all():
        for account in clock.world.accounts.values():
            spec = account.spec
            expected = hashlib.sha256(f"{spec.api_key}:{spec.api_secret}".encode()).hexdigest()
            if spec.broker == BROKER and hmac.compare_digest(expected.encode(), app_id_hash.encode("utf-8", "replace")):
                return Caller(clock, account)
    raise FyersError(400, -371, "Please provide valid app id hash")


def exchange_code(worlds: Worlds, body: bytes, wall: Wall) -> dict[str, object]:
    """`POST /validate-authcode`: a session for an auth code, once.

    Raises:
        FyersError: a hash or code that does not hold.
    """
    form = read_object(body)
    if text_field(form, "grant_type") != "authorization_code":
        raise bad_field("invalid grant_type")
    caller = _by_hash(worlds, text_field(form, "appIdHash"))
    code = text_field(form, "code")
    if not code:
        raise FyersError(400, -374, "Please provide valid auth code")
    if caller.account.request_tokens.pop(code, -1) < caller.now:
        raise FyersError(400, -437, "invalid auth code")
    account, secret = caller.account, caller.account.spec.api_secret
    make_access_token(caller, wall)
    claims = {"sub": "refresh_token", "exp": caller.now + REFRESH_MS, "jti": secrets.token_hex(8)}
    account.refresh_token = signed(claims, secret)
    return {"access_token": account.access_token, "refresh_token": account.refresh_token}


def renew(worlds: Worlds, body: bytes, wall: Wall) -> dict[str, object]:
    """`POST /validate-refresh-token`: until the end of March 2026, with the trader's PIN, for fifteen days.

    Raises:
        FyersError: a hash, token or PIN that does not hold, or the day is later.
    """
    form = read_object(body)
    if text_field(form, "grant_type") != "refresh_token":
        raise bad_field("invalid grant_type")
    caller = _by_hash(worlds, text_field(form, "appIdHash"))
    account, token = caller.account, text_field(form, "refresh_token")
    claims = claims_of(token, account.spec.api_secret) or {}
    live = bool(token) and token == account.refresh_token and int(str(claims.get("exp", 0))) > caller.now
    if caller.clock.world.spec.date >= NO_REFRESH_FROM or not live:
        raise FyersError(400, -501, "Please provide valid refresh token")
    if not account.spec.pin or text_field(form, "pin") != account.spec.pin:
        raise bad_field("Please provide valid pin")
    make_access_token(caller, wall)
    return {"access_token": account.access_token}


def make_access_token(caller: Caller, wall: Wall) -> None:
    """Give the account a new token; the one before is dead."""
    account, spec, now = caller.account, caller.account.spec, int(wall())
    account.feed_token = secrets.token_hex(32)
    account.token_valid_until = next_expiry(caller.now)
    claims = {
        "iss": "api.fyers.in",
        "iat": now,
        "nbf": now,
        "exp": max(account.token_valid_until, next_expiry(now * 1000)) // 1000,
        "aud": ["x:0", "x:1", "x:2", "d:1", "d:2"],
        "sub": "access_token",
        "at_hash": secrets.token_hex(16),
        "fy_id": spec.client_id,
        "appType": 100,
        "poa_flag": "N",
        "hsm_key": account.feed_token,
    }
    account.access_token = signed(claims, spec.api_secret)


def next_expiry(now: int) -> int:
    """The next 06:00 after an instant."""
    moment = datetime.fromtimestamp(now / 1000, IST)
    day = moment.date() if moment.time() < TOKEN_DIES_AT else moment.date() + timedelta(days=1)
    return instant(day, TOKEN_DIES_AT)


def authorised(worlds: Worlds, request: web.Request) -> Caller:
    """The caller of an `Authorization: <app id>:<access token>` header.

    Raises:
        FyersError: 401, in the words of the host asked; the code says whether the token was ever good.
    """
    app_id, _, token = request.headers.get("Authorization", "").rpartition(":")
    found = worlds.find(BROKER, api_key=app_id) if app_id else None
    bad = BAD_DATA_TOKEN if request.path.startswith(DATA_HOST) else BAD_TOKEN
    if found is None:
        raise FyersError(401, *bad)
    caller = Caller(*found)
    check_token(caller, token, bad)
    return caller


def with_bare_token(worlds: Worlds, request: web.Request) -> Caller:
    """The caller of `symbol-token`, whose header is the token alone.

    Raises:
        FyersError: 401.
    """
    token = request.headers.get("Authorization", "")
    for clock in worlds.all():
        for account in clock.world.accounts.values():
            if account.spec.broker == BROKER and claims_of(token, account.spec.api_secret) is not None:
                caller = Caller(clock, account)
                check_token(caller, token, BAD_DATA_TOKEN)
                return caller
    raise FyersError(401, *BAD_DATA_TOKEN)


def check_token(caller: Caller, token: str, bad: tuple[int, str]) -> None:
    """Whether a token is the account's live one.

    Raises:
        FyersError: 401 with `bad` for a text that never was one, otherwise with what became of the token.
    """
    account = caller.account
    claims = claims_of(token, account.spec.api_secret) or {}
    if claims.get("sub") != "access_token":
        raise FyersError(401, *bad)
    if token != account.access_token:
        raise FyersError(401, *DEAD_TOKEN)
    if caller.now >= account.token_valid_until:
        raise FyersError(401, *EXPIRED)


def by_feed_key(worlds: Worlds, key: str) -> Caller | None:
    """The account of an `hsm_key`, while its token lives."""
    for clock in worlds.all():
        for account in clock.world.accounts.values():
            if account.spec.broker != BROKER or not account.access_token or account.feed_token != key:
                continue
            return Caller(clock, account) if clock.world.now < account.token_valid_until else None
    return None


def log_out(worlds: Worlds, request: web.Request) -> dict[str, object]:
    """`POST /logout`: kill the token.

    Raises:
        FyersError: 401, it is dead already.
    """
    try:
        caller = authorised(worlds, request)
    except FyersError:
        raise FyersError(401, *LOGGED_OUT) from None
    caller.account.access_token = caller.account.feed_token = ""
    return {"message": "you are successfully logged out"}


def profile(caller: Caller) -> dict[str, object]:
    """`GET /profile`."""
    client_id = caller.account.spec.client_id
    data = {
        "fy_id": client_id,
        "name": "SIMULATED TRADER",
        "display_name": "",
        "email_id": f"{client_id.lower()}@example.invalid",
        "PAN": "",
        "mobile_number": "",
        "image": "",
        "totp": True,
        "pin_change_date": "01-01-2021 10:00:00",
        "pwd_change_date": "01-01-2021 10:00:00",
        "pwd_to_expire": 90,
        "ddpi_enabled": False,
        "mtf_enabled": False,
    }
    return {"data": data}
