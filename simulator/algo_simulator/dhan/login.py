"""The ways to a token: consent in the browser, PIN and one-time code, the web page, and renewal.

The login host says what went wrong with HTTP 200 and `{"status": "error", "message"}`.
"""

import hmac
import secrets
import uuid
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from algo_simulator.dhan.errors import input_error, login_failure
from algo_simulator.dhan.session import BROKER, kill_token, make_token, token_answer
from algo_simulator.dhan.state import DhanState, States
from algo_simulator.front import Caller
from algo_simulator.totp import accepts
from algo_simulator.worlds import Worlds

CONSENT_MS: Final = 600_000
TOKEN_ID_MS: Final = 300_000
CODE_LOGIN_PAUSE_MS: Final = 120_000
_KEPT: Final = 30


def by_client(worlds: Worlds, client_id: str) -> Caller:
    """The account of a client id.

    Raises:
        DhanError: there is none.
    """
    found = worlds.find(BROKER, client_id=client_id) if client_id else None
    if found is None:
        raise login_failure("Invalid Client ID")
    return Caller(*found)


def check_app(caller: Caller, app_id: str, app_secret: str) -> None:
    """The app's key and secret must be the account's.

    Raises:
        DhanError: they are not.
    """
    spec = caller.account.spec
    pairs = ((spec.api_key, app_id), (spec.api_secret, app_secret))
    if not all(hmac.compare_digest(ours.encode(), given.encode("utf-8", "replace")) for ours, given in pairs):
        raise login_failure("Invalid app_id or app_secret")


def generate_consent(caller: Caller, state: DhanState) -> dict[str, object]:
    """Step one: a consent that a browser must confirm. Callers check the app and the day's 25 first."""
    consent = str(uuid.uuid4())
    state.consents[consent] = caller.now + CONSENT_MS
    while len(state.consents) > _KEPT:
        del state.consents[next(iter(state.consents))]
    return {"consentAppId": consent, "consentAppStatus": "GENERATED", "status": "success"}


def consent_redirect(worlds: Worlds, states: States, consent: str) -> str:
    """Step two: where the login page sends the browser; at once, for the simulator's users know no password.

    Raises:
        DhanError: unknown or old consent, or the app has no redirect URL.
    """
    for clock in worlds.all():
        for account in clock.world.accounts.values():
            if account.spec.broker != BROKER or consent not in states.of(account).consents:
                continue
            caller = Caller(clock, account)
            if states.of(account).consents.pop(consent) < caller.now:
                break
            if not account.spec.redirect_url:
                raise login_failure("The app has no redirect URL; set `redirect_url` of the simulated account")
            return _with_token_id(account.spec.redirect_url, _token_id(caller))
    raise login_failure("Invalid consent")


def _token_id(caller: Caller) -> str:
    token_id = secrets.token_hex(16)
    tokens = caller.account.request_tokens
    tokens[token_id] = caller.now + TOKEN_ID_MS
    while len(tokens) > _KEPT:
        del tokens[next(iter(tokens))]
    return token_id


def _with_token_id(target: str, token_id: str) -> str:
    parts = urlsplit(target)
    query = urlencode([*parse_qsl(parts.query), ("tokenId", token_id)])
    return urlunsplit(parts._replace(path=parts.path or "/", query=query))


def consume_consent(
    worlds: Worlds, states: States, token_id: str, app_id: str, app_secret: str, *, wall: int
) -> dict[str, object]:
    """Step three: the token for a token id; one use, with the app's key and secret.

    Raises:
        DhanError: unknown or old token id, or not this app's.
    """
    for clock in worlds.all():
        for account in clock.world.accounts.values():
            if account.spec.broker != BROKER or token_id not in account.request_tokens:
                continue
            caller = Caller(clock, account)
            check_app(caller, app_id, app_secret)
            if account.request_tokens.pop(token_id) < caller.now:
                break
            make_token(caller, states.of(account), wall, consumer="APP", renewable=False)
            return token_answer(caller, states.of(account))
    raise login_failure("Invalid tokenId")


def code_login(caller: Caller, state: DhanState, pin: str, code: str, wall: int) -> dict[str, object]:
    """A token for PIN and one-time code, at most one in two minutes.

    Args:
        wall: the wall's time (ms): a person's phone does not know the world's.

    Raises:
        DhanError: wrong PIN or code, or too early.
    """
    spec = caller.account.spec
    if not spec.pin or not hmac.compare_digest(spec.pin.encode(), pin.encode("utf-8", "replace")):
        raise login_failure("Invalid Pin")
    if not spec.totp_secret or not accepts(spec.totp_secret, code, caller.now, wall):
        raise login_failure("Invalid TOTP")
    now = caller.clock.limit_clock()
    if state.code_login_at is not None and 0 <= now - state.code_login_at < CODE_LOGIN_PAUSE_MS:
        raise login_failure("Token can be generated once every 2 minutes")
    state.code_login_at = now
    make_token(caller, state, wall, consumer="APP", renewable=False)
    return token_answer(caller, state)


def web_token(caller: Caller, state: DhanState, pin: str, wall: int) -> str:
    """A token as the person would copy it from Dhan's web page.

    Raises:
        DhanError: wrong PIN.
    """
    if not hmac.compare_digest(caller.account.spec.pin.encode(), pin.encode("utf-8", "replace")):
        raise login_failure("Invalid Pin")
    return make_token(caller, state, wall, consumer="SELF", renewable=True)


def renew(caller: Caller, state: DhanState, client_id: str, wall: int) -> dict[str, object]:
    """`GET /RenewToken`: another 24 hours for a live token of the web; the old one is dead.

    Raises:
        DhanError: a token of another kind, or another client's header.
    """
    if client_id != caller.account.spec.client_id:
        raise input_error("dhanClientId is missing or is not the token's")
    if not state.token_renewable:
        raise input_error("Only tokens generated from Dhan Web can be renewed")
    kill_token(caller, state)
    make_token(caller, state, wall, consumer="SELF", renewable=True)
    return token_answer(caller, state)
