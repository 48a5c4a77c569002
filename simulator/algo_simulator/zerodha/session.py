"""Login, token exchange and log-out: who a call comes from, and until when its token lives."""

import hashlib
import hmac
import secrets
from datetime import datetime, time, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from algo_crds.contracts.clock import IST, instant

from algo_simulator.front import Caller
from algo_simulator.worlds import Worlds
from algo_simulator.zerodha.errors import BAD_TOKEN, KiteError, input_error

BROKER: Final = "zerodha"
REQUEST_TOKEN_MS: Final = 300_000
TOKEN_DIES_AT: Final = time(6)
EXCHANGES: Final = ["NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX", "MF"]
PRODUCTS: Final = ["CNC", "NRML", "MIS", "BO", "CO"]
ORDER_TYPES: Final = ["MARKET", "LIMIT", "SL", "SL-M"]


def by_api_key(worlds: Worlds, api_key: str) -> Caller:
    """The account of an app.

    Raises:
        KiteError: no such app.
    """
    found = worlds.find(BROKER, api_key=api_key) if api_key else None
    if found is None:
        raise KiteError(403, "TokenException", "Invalid `api_key`.")
    return Caller(*found)


def login_redirect(worlds: Worlds, api_key: str, redirect_params: str) -> str:
    """Where the login page sends the browser: at once, for the simulator's own users know no password.

    Raises:
        KiteError: no such app, or it has no redirect URL.
    """
    caller = by_api_key(worlds, api_key)
    target = caller.account.spec.redirect_url
    if not target:
        raise input_error("The app has no redirect URL; set `redirect_url` of the simulated account.")
    token = secrets.token_urlsafe(24)
    tokens = caller.account.request_tokens
    tokens[token] = caller.now + REQUEST_TOKEN_MS
    while len(tokens) > 20:
        del tokens[next(iter(tokens))]
    parts = urlsplit(target)
    query = [*parse_qsl(parts.query), ("action", "login"), ("type", "login"), ("status", "success")]
    query += [("request_token", token), *parse_qsl(redirect_params)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def exchange_token(worlds: Worlds, form: dict[str, str]) -> dict[str, object]:
    """A session for a request token: one use, and its checksum proves the secret.

    Raises:
        KiteError: unknown app, or a token or checksum that does not hold.
    """
    api_key, token = form.get("api_key", ""), form.get("request_token", "")
    caller = by_api_key(worlds, api_key)
    account = caller.account
    expected = hashlib.sha256(f"{api_key}{token}{account.spec.api_secret}".encode()).hexdigest()
    if not hmac.compare_digest(expected.encode(), form.get("checksum", "").encode()):
        raise KiteError(403, "TokenException", "Invalid `checksum`.")
    if account.request_tokens.pop(token, -1) < caller.now:
        raise KiteError(403, "TokenException", "Token is invalid or has expired.")
    account.access_token = secrets.token_hex(16)
    account.token_valid_until = next_expiry(caller.now)
    return session_payload(caller)


def next_expiry(now: int) -> int:
    """The next 06:00 after an instant."""
    moment = datetime.fromtimestamp(now / 1000, IST)
    day = moment.date() if moment.time() < TOKEN_DIES_AT else moment.date() + timedelta(days=1)
    return instant(day, TOKEN_DIES_AT)


def authorised(worlds: Worlds, header: str) -> Caller:
    """The caller of an `Authorization: token <api_key>:<access_token>` header.

    Raises:
        KiteError: the token is not that app's, or it is dead.
    """
    word, _, pair = header.partition(" ")
    api_key, _, token = pair.partition(":")
    if word != "token":
        raise KiteError(403, "TokenException", BAD_TOKEN)
    return with_token(worlds, api_key, token)


def with_token(worlds: Worlds, api_key: str, token: str) -> Caller:
    """The caller of a key and token.

    Raises:
        KiteError: as `authorised`.
    """
    found = worlds.find(BROKER, api_key=api_key) if api_key else None
    if found is None:
        raise KiteError(403, "TokenException", BAD_TOKEN)
    caller = Caller(*found)
    live = caller.account.access_token
    same = hmac.compare_digest(live.encode(), token.encode("utf-8", "replace"))
    if not live or not same or caller.now >= caller.account.token_valid_until:
        raise KiteError(403, "TokenException", BAD_TOKEN)
    return caller


def log_out(worlds: Worlds, api_key: str, token: str) -> bool:
    """Kill a token.

    Raises:
        KiteError: as `authorised`.
    """
    with_token(worlds, api_key, token).account.access_token = ""
    return True


def profile(caller: Caller) -> dict[str, object]:
    """`GET /user/profile`."""
    client_id = caller.account.spec.client_id
    return {
        "user_id": client_id,
        "user_type": "individual",
        "email": f"{client_id.lower()}@example.com",
        "user_name": f"Simulated {client_id}",
        "user_shortname": client_id,
        "broker": "ZERODHA",
        "exchanges": EXCHANGES,
        "products": PRODUCTS,
        "order_types": ORDER_TYPES,
        "avatar_url": None,
        "meta": {"demat_consent": "physical"},
    }


def session_payload(caller: Caller) -> dict[str, object]:
    """The answer of the token exchange: the profile and the tokens."""
    login = datetime.fromtimestamp(caller.now / 1000, IST)
    return {
        **profile(caller),
        "api_key": caller.account.spec.api_key,
        "access_token": caller.account.access_token,
        "public_token": secrets.token_hex(8),
        "enctoken": secrets.token_hex(8),
        "refresh_token": "",
        "silo": "",
        "login_time": f"{login:%Y-%m-%d %H:%M:%S}",
    }
