"""The HTTP application: every route of the protocol, with one guard around all of them.

The guard finds the caller, counts limits, applies fault switches, holds answers back, and turns every failure into the
documented envelope.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from algo_simulator.accounts import Account
from algo_simulator.clock import Clock
from algo_simulator.faults import use
from algo_simulator.worlds import Worlds
from algo_simulator.zerodha import margins, order_calls, quotes, rows, session
from algo_simulator.zerodha.errors import NO_ADDRESS, STATUS_TYPES, KiteError, answer, error_answer, input_error
from algo_simulator.zerodha.limits import Limits, too_many
from algo_simulator.zerodha.session import Caller
from algo_simulator.zerodha.socket import Sockets

LOG: Final = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Call = Callable[[Caller, web.Request, dict[str, str]], object]
WORLDS: Final = web.AppKey("worlds", Worlds)
SOCKETS: Final = web.AppKey("sockets", Sockets)
LIMITS: Final = web.AppKey("limits", dict[Account, Limits])


def create_zerodha_app(worlds: Worlds) -> web.Application:
    """The application of the Zerodha port: REST, login page and market socket."""
    app = web.Application(middlewares=[_envelope], client_max_size=1024 * 1024)
    app[WORLDS] = worlds
    app[SOCKETS] = Sockets()
    app[LIMITS] = {}

    def announce(clock: Clock, account: Account) -> None:
        if account.spec.broker == session.BROKER:
            app[SOCKETS].watch(clock, account)

    worlds.on_account.append(announce)
    worlds.on_delete.append(lambda clock: _forget(app, clock))
    _add_routes(app)
    return app


def _forget(app: web.Application, clock: Clock) -> None:
    for account in clock.world.accounts.values():
        app[LIMITS].pop(account, None)
    app[SOCKETS].forget(clock)


@web.middleware
async def _envelope(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except KiteError as error:
        return error_answer(error.status, error.error_type, str(error))
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        kind = "GeneralException" if error.status in (404, 405) else STATUS_TYPES.get(error.status, "InputException")
        return error_answer(error.status, kind, error.reason)
    except (asyncio.CancelledError, ConnectionError):
        raise
    except Exception:
        LOG.exception("%s %s failed", request.method, request.path)
        return error_answer(500, "GeneralException", "Something went wrong in the simulator; see its log.")


def _guarded(call: Call, group: str, *, write: bool = False) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        caller = session.authorised(request.app[WORLDS], request.headers.get("Authorization", ""))
        account, world = caller.account, caller.clock.world
        account.open_calls += 1
        try:
            form = await _form(request)
            payload = await _carry_out(call, request, caller, form, group, write=write)
            if write and use(account.faults, "lose_answers"):
                await world.hold(account, account.faults.lost_after_ms)
                _drop(request)
            latency = account.faults.latency_ms + (account.faults.order_latency_ms if write else 0)
            await world.hold(account, latency)
            if write and use(account.faults, "fail_after"):
                raise _failure(account)
            return payload if isinstance(payload, web.StreamResponse) else answer(payload)
        finally:
            account.open_calls -= 1
            world.touch()

    return handler


async def _carry_out(
    call: Call, request: web.Request, caller: Caller, form: dict[str, str], group: str, *, write: bool
) -> object:
    account = caller.account
    limits = request.app[LIMITS].setdefault(account, Limits())
    if use(account.faults, "rate_limit"):
        raise too_many()
    limits.count(group, caller.clock.limit_clock())
    if write:
        _check_address(request, account)
    if use(account.faults, "fail_before" if write else "fail_reads"):
        await caller.clock.world.hold(account, account.faults.latency_ms)
        raise _failure(account)
    caller.clock.world.prepare()
    return call(caller, request, form)


def _failure(account: Account) -> KiteError:
    status = account.faults.fail_status
    return KiteError(status, STATUS_TYPES.get(status, "GeneralException"), "The order system could not be reached.")


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("answer lost by a fault switch")


def _check_address(request: web.Request, account: Account) -> None:
    address = request.remote or ""
    registered = account.spec.registered_addresses
    if account.faults.refuse_address or (registered and address not in registered):
        raise KiteError(403, "PermissionException", NO_ADDRESS.format(ip=address))


async def _form(request: web.Request) -> dict[str, str]:
    if request.method not in ("POST", "PUT"):
        return dict(request.query)
    body = await request.read()
    if request.content_type == "application/json":
        return {}
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200))
    except ValueError:
        raise input_error("Invalid form body.") from None


async def _login(request: web.Request) -> web.StreamResponse:
    query = request.query
    target = session.login_redirect(request.app[WORLDS], query.get("api_key", ""), query.get("redirect_params", ""))
    raise web.HTTPFound(target)


async def _make_session(request: web.Request) -> web.StreamResponse:
    return answer(session.exchange_token(request.app[WORLDS], await _form(request)))


async def _end_session(request: web.Request) -> web.StreamResponse:
    query = request.query
    return answer(session.log_out(request.app[WORLDS], query.get("api_key", ""), query.get("access_token", "")))


def _csv(caller: Caller, request: web.Request, _: dict[str, str]) -> web.Response:
    text = quotes.instruments_csv(caller, request.match_info.get("exchange"))
    return web.Response(text=text, content_type="text/csv")


async def _market_socket(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise web.HTTPNotFound
    query = request.query
    caller = session.with_token(request.app[WORLDS], query.get("api_key", ""), query.get("access_token", ""))
    caller.clock.world.prepare()
    return await request.app[SOCKETS].serve(request, caller)


def _variety(request: web.Request) -> str:
    return request.match_info["variety"]


def _not_simulated(_: Caller, request: web.Request, __: dict[str, str]) -> object:
    raise input_error(f"{request.path} is not simulated.")


def _add_routes(app: web.Application) -> None:
    def read(method: str, path: str, call: Call, group: str = "other") -> None:
        app.router.add_route(method, path, _guarded(call, group))

    def write(method: str, path: str, call: Call) -> None:
        app.router.add_route(method, path, _guarded(call, "order", write=True))

    limits = app[LIMITS]
    add = app.router.add_route
    add("GET", "/connect/login", _login)
    add("POST", "/session/token", _make_session)
    add("DELETE", "/session/token", _end_session)
    add("GET", "/", _market_socket)
    write(
        "POST", "/orders/{variety}", lambda c, r, f: order_calls.place(c, limits[c.account], r.match_info["variety"], f)
    )
    write("PUT", "/orders/{variety}/{order_id}", lambda c, r, f: order_calls.modify(c, r.match_info["order_id"], f))
    write("DELETE", "/orders/{variety}/{order_id}", lambda c, r, _: order_calls.cancel(c, r.match_info["order_id"]))
    read("GET", "/orders", lambda c, *_: order_calls.book(c))
    read("GET", "/orders/{order_id}", lambda c, r, _: order_calls.history(c, r.match_info["order_id"]))
    read("GET", "/orders/{order_id}/trades", lambda c, r, _: order_calls.trades(c, r.match_info["order_id"]))
    read("GET", "/trades", lambda c, *_: order_calls.trades(c, None))
    read("GET", "/user/profile", lambda c, *_: session.profile(c))
    read("GET", "/user/margins", lambda c, *_: {"equity": rows.funds(c), "commodity": rows.funds(c)})
    read("GET", "/user/margins/{segment:equity|commodity}", lambda c, *_: rows.funds(c))
    read("GET", "/portfolio/positions", lambda c, *_: rows.positions(c))
    read("GET", "/portfolio/holdings", lambda *_: [])
    for kind, path in (("quote", "/quote"), ("ohlc", "/quote/ohlc"), ("ltp", "/quote/ltp")):
        read("GET", path, lambda c, r, _, kind=kind: quotes.quotes(c, kind, r.query.getall("i", [])), "quote")  # type: ignore[misc]
    read("GET", "/instruments", _csv)
    read("GET", "/instruments/{exchange}", _csv)
    read(
        "GET",
        "/instruments/historical/{token}/{interval}",
        lambda c, r, f: quotes.candles(c, r.match_info["token"], r.match_info["interval"], f),
        "historical",
    )
    app.router.add_route("POST", "/margins/orders", _json(lambda c, body: margins.order_margins(c, body)))
    app.router.add_route("POST", "/margins/basket", _json(lambda c, body: margins.basket_margins(c, body)))
    app.router.add_route("POST", "/charges/orders", _json(lambda _, body: margins.charges(body)))
    for path in ("/gtt/triggers", "/gtt/triggers/{id}", "/alerts", "/portfolio/holdings/authorise"):
        read("*", path, _not_simulated)
    read("PUT", "/portfolio/positions", _not_simulated)


def _json(call: Callable[[Caller, bytes], object]) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        return await _guarded(lambda caller, *_: call(caller, body), "other")(request)

    return handler
