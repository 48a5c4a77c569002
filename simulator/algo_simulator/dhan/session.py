"""Tokens: signed, for 24 hours, one alive an account; who a call comes from; the profile.

The life of a token is counted by the world's clock. The expiry that is told is never in the past of the machine's
clock, because clients compare the two and a world may replay a day of long ago.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec
from aiohttp import web
from algo_crds.contracts.clock import IST

from algo_simulator.dhan.errors import BAD_TOKEN, DEAD_TOKEN, DhanError, data_failure, failure, order_error
from algo_simulator.dhan.state import DEAD_TOKEN_IS_ORDER_ERROR, NO_DATA_PLAN, DhanState, States, quirk
from algo_simulator.front import Caller
from algo_simulator.worlds import Worlds

BROKER: Final = "dhan"
TOKEN_MS: Final = 24 * 3600 * 1000
KEPT_DEAD_TOKENS: Final = 8
QUOTE_PATHS: Final = "/v2/marketfeed/"
CHAIN_PATHS: Final = "/v2/optionchain"
DATA_PATHS: Final = (QUOTE_PATHS, CHAIN_PATHS, "/v2/charts/")
NO_DATA_TEXT: Final = "Access denied. Subscribe to Data APIs to continue."
_MAX_TOKEN: Final = 4096


class _Claims(msgspec.Struct, frozen=True):
    dhan_client_id: str = msgspec.field(name="dhanClientId")


def make_token(caller: Caller, state: DhanState, wall: int, *, consumer: str, renewable: bool) -> str:
    """A new token; the one before is dead at once. `consumer` is `SELF` (web) or `APP` (API key), `wall` the machine's
    time (ms)."""
    account = caller.account
    seconds = max(caller.now, wall) // 1000
    claims = {
        "iss": "dhan",
        "partnerId": "",
        "exp": seconds + TOKEN_MS // 1000,
        "iat": seconds,
        "tokenConsumerType": consumer,
        "webhookUrl": "",
        "dhanClientId": account.spec.client_id,
    }
    body = b".".join(_unpadded(msgspec.json.encode(part)) for part in ({"typ": "JWT", "alg": "HS512"}, claims))
    # Nobody verifies the signature: the server knows its live token. A key of its own makes each token another.
    token = b".".join((body, _unpadded(hmac.digest(secrets.token_bytes(32), body, hashlib.sha512)))).decode()
    kill_token(caller, state)
    account.access_token, account.token_valid_until = token, caller.now + TOKEN_MS
    state.token_renewable, state.token_told_until = renewable, seconds * 1000 + TOKEN_MS
    return token


def kill_token(caller: Caller, state: DhanState) -> None:
    """The live token is dead from now on."""
    if caller.account.access_token:
        state.dead_tokens = [*state.dead_tokens[1 - KEPT_DEAD_TOKENS :], caller.account.access_token]
    caller.account.access_token = ""


def token_answer(caller: Caller, state: DhanState) -> dict[str, object]:
    """What every way of login answers with."""
    client_id = caller.account.spec.client_id
    until = datetime.fromtimestamp(state.token_told_until / 1000, IST)
    return {
        "dhanClientId": client_id,
        "dhanClientName": f"SIMULATED {client_id}",
        "dhanClientUcc": f"SIM{client_id}",
        "givenPowerOfAttorney": False,
        "accessToken": caller.account.access_token,
        "expiryTime": f"{until:%Y-%m-%dT%H:%M:%S}.{until.microsecond // 1000:03}",
    }


def identify(worlds: Worlds, states: States, request: web.Request) -> Caller:
    """The caller of a REST request, by its `access-token` header (and `client-id`, where that is required).

    Raises:
        DhanError: no live token of an account here, or one of another client; in the shape of the path's family.
    """
    headers, path = request.headers, request.path
    quotes = path.startswith((QUOTE_PATHS, CHAIN_PATHS))
    try:
        caller = with_token(worlds, states, headers.get("access-token", ""))
    except DhanError as error:
        if path.startswith(QUOTE_PATHS):
            raise data_failure(_feed_code(error), str(error), 401) from None
        raise
    client_id = headers.get("client-id", "" if quotes else caller.account.spec.client_id)
    if client_id != caller.account.spec.client_id:
        raise data_failure(810, "Client ID is invalid", 401) if quotes else failure("DH-901", BAD_TOKEN)
    if quirk(caller.account, NO_DATA_PLAN) and path.startswith(DATA_PATHS):
        raise data_failure(806, NO_DATA_TEXT, 401) if quotes else failure("DH-902", NO_DATA_TEXT)
    return caller


def with_token(worlds: Worlds, states: States, token: str) -> Caller:
    """The caller of a token.

    Raises:
        DhanError: it is no live token of an account here.
    """
    client_id = client_of(token)
    found = worlds.find(BROKER, client_id=client_id) if client_id else None
    if found is None:
        raise failure("DH-901", BAD_TOKEN)
    caller = Caller(*found)
    account = caller.account
    if alive(caller, token):
        return caller
    known = token == account.access_token or token in states.of(account).dead_tokens
    if known and quirk(account, DEAD_TOKEN_IS_ORDER_ERROR):
        raise order_error(DEAD_TOKEN)
    raise failure("DH-901", DEAD_TOKEN if known else BAD_TOKEN)


def alive(caller: Caller, token: str) -> bool:
    """Whether a token is the account's live one."""
    live = caller.account.access_token
    same = hmac.compare_digest(live.encode(), token.encode("utf-8", "replace"))
    return bool(live) and same and caller.now < caller.account.token_valid_until


def client_of(token: str) -> str:
    """The client id that a token claims; empty where it cannot be read."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _MAX_TOKEN or not token.isascii():
        return ""
    try:
        claims = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(claims, type=_Claims).dhan_client_id
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return ""


def _feed_code(error: DhanError) -> int:
    """807: expired or killed; 808: never valid."""
    return 807 if DEAD_TOKEN in str(error) else 808


def profile(caller: Caller, state: DhanState) -> dict[str, object]:
    """`GET /profile`."""
    until = datetime.fromtimestamp(state.token_told_until / 1000, IST)
    plan = not quirk(caller.account, NO_DATA_PLAN)
    data_until = datetime.fromtimestamp(caller.now / 1000, IST) + timedelta(days=30)
    return {
        "dhanClientId": caller.account.spec.client_id,
        "tokenValidity": f"{until:%d/%m/%Y %H:%M}",
        "activeSegment": "Equity, Derivative",
        "ddpi": "Active",
        "mtf": "Deactive",
        "dataPlan": "Active" if plan else "Deactive",
        "dataValidity": f"{data_until:%Y-%m-%d} 18:30:00.0" if plan else "",
    }


def _unpadded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
