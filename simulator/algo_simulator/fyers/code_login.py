"""The login by PIN and one-time code that Fyers' sample code drives without a browser: four calls on two hosts.

One-time codes are good by the machine's clock and by the world's. Every step hands out a key for the next one.
"""

import secrets
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any, Final

import msgspec
from aiohttp import web

from algo_simulator import totp
from algo_simulator.front import Caller
from algo_simulator.fyers.bodies import read_object, text_field
from algo_simulator.fyers.errors import BAD_TOKEN, FyersError, bad_field
from algo_simulator.fyers.session import BROKER, Wall, new_auth_code, redirect_with
from algo_simulator.worlds import Worlds

KEY_MS: Final = 300_000
_LOGGED_IN: Final = "logged in:"


def send_otp(worlds: Worlds, body: bytes, *, encoded: bool) -> dict[str, object]:
    """`/vagator/v2/send_login_otp[_v2]`: the id is plain, or base64 in the second version.

    Raises:
        FyersError: no such client.
    """
    client_id = text_field(read_object(body), "fy_id")
    if encoded:
        try:
            client_id = b64decode(client_id, validate=True).decode()
        except (Base64Error, UnicodeDecodeError, ValueError):
            raise bad_field("invalid fy_id") from None
    found = worlds.find(BROKER, client_id=client_id) if client_id else None
    if found is None:
        raise FyersError(400, -1001, "Please provide valid user id")
    return {"request_key": _key(Caller(*found), "otp:")}


def verify_otp(worlds: Worlds, body: bytes, wall: Wall) -> dict[str, object]:
    """`/vagator/v2/verify_otp`.

    Raises:
        FyersError: the key or code does not hold.
    """
    form = read_object(body)
    caller = _spend(worlds, text_field(form, "request_key"), "otp:")
    secret, code = caller.account.spec.totp_secret, text_field(form, "otp")
    if not secret or not totp.accepts(secret, code, caller.now, int(wall() * 1000)):
        raise FyersError(400, -1018, "Invalid OTP")
    return {"request_key": _key(caller, "pin:")}


def verify_pin(worlds: Worlds, body: bytes) -> dict[str, object]:
    """`/vagator/v2/verify_pin`: a key of the web session, good for one auth code.

    Raises:
        FyersError: the key or PIN does not hold.
    """
    form = read_object(body)
    caller = _spend(worlds, text_field(form, "request_key"), "pin:")
    pin = caller.account.spec.pin
    if not pin or text_field(form, "identifier") != pin:
        raise FyersError(400, -1008, "Please provide valid pin")
    return {"data": {"access_token": _key(caller, _LOGGED_IN)}}


def auth_code(worlds: Worlds, request: web.Request, body: bytes) -> web.Response:
    """`POST /token`: 308, with the redirect URL that holds the auth code in the body.

    Raises:
        FyersError: not logged in, or what was asked for does not fit the app.
    """
    word, _, key = request.headers.get("Authorization", "").partition(" ")
    if word != "Bearer":
        raise FyersError(401, *BAD_TOKEN)
    form: dict[str, Any] = read_object(body)
    caller = _spend(worlds, key, _LOGGED_IN)
    spec = caller.account.spec
    app = f"{text_field(form, 'app_id')}-{text_field(form, 'appType')}"
    if app != spec.api_key or text_field(form, "fyers_id") != spec.client_id:
        raise FyersError(400, -352, "Invalid App Id")
    target = text_field(form, "redirect_uri")
    if not target or target != spec.redirect_url:
        raise bad_field("redirect_uri does not match the one of the app")
    url = redirect_with(target, new_auth_code(caller), text_field(form, "state"))
    answer = {"s": "ok", "code": 308, "message": "", "Url": url}
    return web.Response(body=msgspec.json.encode(answer), status=308, content_type="application/json")


def _key(caller: Caller, step: str) -> str:
    key = secrets.token_hex(16)
    caller.account.request_tokens[step + key] = caller.now + KEY_MS
    return key


def _spend(worlds: Worlds, key: str, step: str) -> Caller:
    for clock in worlds.all():
        for account in clock.world.accounts.values():
            mine = account.spec.broker == BROKER and bool(key)
            if mine and account.request_tokens.pop(step + key, -1) >= clock.world.now:
                return Caller(clock, account)
    raise FyersError(401, *BAD_TOKEN)
