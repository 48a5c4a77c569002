"""Login, renewal, publisher login and log-out: who a call or a socket comes from."""

import hmac
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aiohttp import web

from algo_simulator.angelone.errors import BAD_TOTP, bad_input, gateway, refusal
from algo_simulator.angelone.rules import rules_of
from algo_simulator.angelone.tokens import TokenSet, token_book
from algo_simulator.front import Caller
from algo_simulator.totp import accepts
from algo_simulator.worlds import Worlds

BROKER: Final = "angelone"
BEARER: Final = "Bearer "
_EXCHANGES: Final = ["nse_cm", "bse_cm", "nse_fo", "bse_fo", "cde_fo", "mcx_fo"]
_PRODUCTS: Final = ["DELIVERY", "INTRADAY", "CARRYFORWARD", "MARGIN", "BO"]


class HandshakeError(Exception):
    """A socket's handshake is refused: HTTP status and the text of `x-error-message`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def by_key(worlds: Worlds, request: web.Request) -> Caller:
    """The account of the app whose key a call carries; the other fixed headers are checked as well.

    Raises:
        AngelError: no or unknown key, another user type, no source.
    """
    headers = request.headers
    found = worlds.find(BROKER, api_key=key) if (key := headers.get("X-PrivateKey", "")) else None
    if found is None:
        raise gateway(401, "AG8004", "Invalid API Key" if key else "API Key is missing")
    if headers.get("X-UserType", "").upper() != "USER":
        raise refusal("AB1005", "User type must be USER")
    if not headers.get("X-SourceID"):
        raise bad_input("X-SourceID is missing")
    return Caller(*found)


def authorised(worlds: Worlds, request: web.Request) -> Caller:
    """The caller of an authorised call.

    Raises:
        AngelError: as `by_key`, or the token is missing, not that account's, or dead.
    """
    caller = by_key(worlds, request)
    status = rules_of(caller.account.spec).auth_status
    header = request.headers.get("Authorization", "")
    if not header:
        raise gateway(status, "AG8003", "Token missing")
    known = None
    if header.startswith(BEARER):
        known = token_book(caller.account).find(caller.account, jwt=header.removeprefix(BEARER))
    if known is None:
        raise gateway(status, "AG8001", "Invalid Token")
    if not _alive(known, caller):
        raise gateway(status, "AG8002", "Token Expired")
    return caller


def _alive(known: TokenSet, caller: Caller) -> bool:
    return not known.dead and caller.now < known.dies_at


def log_in(caller: Caller, form: Mapping[str, object]) -> dict[str, object]:
    """`loginByPassword`: client code, PIN and one-time code.

    Raises:
        AngelError: a field is missing or wrong.
    """
    spec = caller.account.spec
    client, pin, code = (str(form.get(name) or "") for name in ("clientcode", "password", "totp"))
    if not (client and pin):
        raise bad_input("LoginId or password is missing")
    if not (spec.pin and spec.totp_secret):
        raise bad_input("The simulated account has no `pin` or no `totp_secret`; set both to log in with them")
    right = hmac.compare_digest(pin.encode("utf-8", "replace"), spec.pin.encode())
    if client.upper() != spec.client_id.upper() or not right:
        raise refusal("AB1000", "Invalid email or password")
    if not accepts(spec.totp_secret, code, caller.now, int(time.time() * 1000)):
        raise refusal("AB1050", BAD_TOTP)
    return {**_issue(caller), "state": str(form.get("state") or "")}


def renew(caller: Caller, form: Mapping[str, object]) -> dict[str, object]:
    """`generateTokens`: a new set for a refresh token; the jwt of the call was checked already.

    Raises:
        AngelError: no such refresh token, or it is dead.
    """
    known = token_book(caller.account).find(caller.account, refresh=str(form.get("refreshToken") or ""))
    if known is None:
        raise refusal("AB8050", "Invalid Refresh Token")
    if not _alive(known, caller):
        raise refusal("AB8051", "Refresh Token Expired")
    return _issue(caller)


def _issue(caller: Caller) -> dict[str, object]:
    account, wall = caller.account, int(time.time() * 1000)
    made = token_book(account).issue(account, rules_of(account.spec), caller.now, wall)
    return {"jwtToken": made.jwt, "refreshToken": made.refresh, "feedToken": made.feed}


def log_out(caller: Caller, form: Mapping[str, object]) -> str:
    """`logout`: every token of the account is dead.

    Raises:
        AngelError: another client code.
    """
    if str(form.get("clientcode") or "").upper() != caller.account.spec.client_id.upper():
        raise bad_input("Invalid clientcode")
    token_book(caller.account).forget(caller.account)
    return ""


def publisher_login(worlds: Worlds, api_key: str, state: str) -> str:
    """Where the login page sends the browser, at once: no refresh token in this flow.

    Raises:
        AngelError: no such app, or it has no redirect URL.
    """
    found = worlds.find(BROKER, api_key=api_key) if api_key else None
    if found is None:
        raise gateway(401, "AG8004", "Invalid API Key")
    caller = Caller(*found)
    target = caller.account.spec.redirect_url
    if not target:
        raise bad_input("The app has no redirect URL; set `redirect_url` of the simulated account")
    tokens = _issue(caller)
    parts = urlsplit(target)
    query = [*parse_qsl(parts.query), ("auth_token", str(tokens["jwtToken"])), ("feed_token", str(tokens["feedToken"]))]
    if state:
        query.append(("state", state))
    return urlunsplit(parts._replace(query=urlencode(query)))


def profile(caller: Caller) -> dict[str, object]:
    """`getProfile`; the official SDK reads `clientcode` of it after every login."""
    client = caller.account.spec.client_id
    return {
        "clientcode": client,
        "name": f"SIMULATED {client}",
        "email": "",
        "mobileno": "",
        "exchanges": _EXCHANGES,
        "products": _PRODUCTS,
        "lastlogintime": "",
        "brokerid": "B2C",
    }


def market_listener(worlds: Worlds, request: web.Request) -> Caller:
    """Whose market socket it is: four headers, or three parts of the query in a browser.

    Raises:
        HandshakeError: 401 with the text of the first that is wrong.
    """
    headers, query = request.headers, request.query
    browser = "feedToken" in query
    client = query.get("clientCode", "") if browser else headers.get("x-client-code", "")
    key = query.get("apiKey", "") if browser else headers.get("x-api-key", "")
    found = worlds.find(BROKER, client_id=client) if client else None
    if found is None:
        raise HandshakeError(401, "Invalid Header - Invalid Client Code")
    caller = Caller(*found)
    account = caller.account
    if key != account.spec.api_key:
        raise HandshakeError(401, "Invalid Header - Invalid API Key")
    book = token_book(account)
    if not browser:
        known = book.find(account, jwt=headers.get("Authorization", "").removeprefix(BEARER))
        if known is None or not _alive(known, caller):
            raise HandshakeError(401, "Invalid Header - Invalid Auth token")
    feed = book.find(account, feed=query.get("feedToken", "") if browser else headers.get("x-feed-token", ""))
    if feed is None or not _alive(feed, caller):
        raise HandshakeError(401, "Invalid Header - Invalid Feed Token")
    return caller


def order_listener(worlds: Worlds, request: web.Request) -> Caller:
    """Whose order socket it is: the jwt alone says it, with or without the word Bearer.

    Raises:
        HandshakeError: 401 for an unknown token, 403 for a dead one.
    """
    jwt = request.headers.get("Authorization", "").removeprefix(BEARER)
    for clock in worlds.all():
        for account in clock.world.accounts.values():
            if account.spec.broker != BROKER or not jwt:
                continue
            known = token_book(account).find(account, jwt=jwt)
            if known is not None:
                caller = Caller(clock, account)
                if not _alive(known, caller):
                    raise HandshakeError(403, "Token Expired")
                return caller
    raise HandshakeError(401, "Invalid Token")
