"""Routes of the login host (`/auth`), the stand-in for the web page that shows a token, and renewal."""

import time
from typing import Final

from aiohttp import web

from algo_simulator.dhan import login
from algo_simulator.dhan.errors import answer, input_error, login_failure
from algo_simulator.dhan.limits import CONSENT, OTHER
from algo_simulator.dhan.session import with_token
from algo_simulator.dhan.state import States
from algo_simulator.front import Caller, Front, Handler

PARTNER: Final = (
    ("POST", "/auth/partner/generate-consent"),
    ("GET", "/auth/consent-login"),
    ("GET", "/auth/partner/consume-consent"),
    ("POST", "/auth/partner/consume-consent"),
)


def _wall() -> int:
    return int(time.time() * 1000)


def add_login(front: Front, states: States) -> None:
    """Add them."""
    worlds = front.worlds

    async def code_login(request: web.Request) -> web.StreamResponse:
        query = request.query
        caller = login.by_client(worlds, query.get("dhanClientId", ""))
        state = states.of(caller.account)
        return answer(login.code_login(caller, state, query.get("pin", ""), query.get("totp", ""), _wall()))

    async def web_token(request: web.Request) -> web.StreamResponse:
        caller = login.by_client(worlds, request.query.get("dhanClientId", ""))
        token = login.web_token(caller, states.of(caller.account), request.query.get("pin", ""), _wall())
        return web.Response(text=token, content_type="text/plain")

    def renew(caller: Caller, request: web.Request, _: bytes) -> object:
        return login.renew(caller, states.of(caller.account), request.headers.get("dhanClientId", ""), _wall())

    async def renew_by_post(request: web.Request) -> web.StreamResponse:
        with_token(worlds, states, request.headers.get("access-token", ""))
        raise input_error("Bad request")

    front.bare("POST", "/auth/app/generateAccessToken", code_login)
    front.bare("GET", "/auth/web/access-token", web_token)
    front.read("GET", "/v2/RenewToken", renew, OTHER)
    front.bare("POST", "/v2/RenewToken", renew_by_post)
    _add_consent(front, states)
    for method, path in PARTNER:
        front.bare(method, path, _partner)


def _add_consent(front: Front, states: States) -> None:
    worlds = front.worlds

    async def generate(request: web.Request) -> web.StreamResponse:
        caller = login.by_client(worlds, request.query.get("client_id", ""))
        login.check_app(caller, request.headers.get("app_id", ""), request.headers.get("app_secret", ""))
        if front.windows(caller.account).take(CONSENT, caller.clock.limit_clock()) is not None:
            raise login_failure("Maximum number of consents of the day exceeded")
        return answer(login.generate_consent(caller, states.of(caller.account)))

    async def page(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(login.consent_redirect(worlds, states, request.query.get("consentAppId", "")))

    async def consume(request: web.Request) -> web.StreamResponse:
        headers, token_id = request.headers, request.query.get("tokenId", "")
        app_id, app_secret = headers.get("app_id", ""), headers.get("app_secret", "")
        return answer(login.consume_consent(worlds, states, token_id, app_id, app_secret, wall=_wall()))

    steps: tuple[tuple[str, str, Handler], ...] = (
        ("POST", "/auth/app/generate-consent", generate),
        ("GET", "/auth/login/consentApp-login", page),
        ("GET", "/auth/app/consumeApp-consent", consume),
        ("POST", "/auth/app/consumeApp-consent", consume),
    )
    for method, path, handler in steps:
        front.bare(method, path, handler)


async def _partner(_: web.Request) -> web.StreamResponse:
    raise login_failure("Logins of partners are not simulated")
