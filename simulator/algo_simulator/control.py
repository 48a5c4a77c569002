"""The control API: worlds are made, fed, started, broken on purpose, looked at and deleted. Bearer token on all of it.

Without one it only says that it lives, and with which address a caller is seen.
"""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import msgspec
from aiohttp import web
from algo_crds.contracts.money import NotAPriceError, parse_price
from algo_market.readers import BadRecordingError, parse_recording
from algo_market.row_parsers import BadRowError

from algo_simulator.accounts import Account, AccountSpec
from algo_simulator.clock import Clock
from algo_simulator.clock_socket import serve_clock
from algo_simulator.faults import patched
from algo_simulator.hand import ManualAction, act
from algo_simulator.views import book_view, world_view
from algo_simulator.world import WorldError, WorldSpec
from algo_simulator.worlds import MAX_SPEED, ConflictError, NotFoundError, Worlds

LOG: Final = logging.getLogger(__name__)
T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ADDRESS_PATH: Final = "/address"
"""Whoever asks learns the address that it is seen with, as from the public services of this kind: no token, no world,
and nothing counts it."""
WORLDS: Final = web.AppKey("worlds", Worlds)


class StartBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of start; all optional."""

    speed: float | None = None


def create_control_app(worlds: Worlds, token: str, max_upload: int) -> web.Application:
    """The application of the control port."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in ("/healthz", "/readyz"):
            return web.json_response({"ok": True})
        if request.path == ADDRESS_PATH and request.method == "GET":
            return web.Response(text=f"{request.remote or ''}\n")
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(sent.encode("utf-8", "replace"), token.encode()):
            return _problem(401, "the bearer token is missing or wrong")
        return await _answered(request, handler)

    app = web.Application(middlewares=[guard], client_max_size=max_upload)
    app[WORLDS] = worlds
    app.add_routes(
        [
            web.get("/clock", _clock),
            web.get("/worlds", _list),
            web.post("/worlds", _create),
            web.get("/worlds/{name}", _show),
            web.delete("/worlds/{name}", _delete),
            web.post("/worlds/{name}/accounts", _add_account),
            web.put("/worlds/{name}/ticks/{exchange}/{symbol}", _upload),
            web.post("/worlds/{name}/start", _start),
            web.post("/worlds/{name}/pause", _pause),
            web.patch("/worlds/{name}/faults", _set_faults),
            web.post("/worlds/{name}/manual", _manual),
            web.get("/worlds/{name}/book", _book),
        ]
    )
    return app


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except NotFoundError as error:
        return _problem(404, str(error))
    except ConflictError as error:
        return _problem(409, str(error))
    except (WorldError, BadRecordingError, BadRowError, msgspec.ValidationError, NotAPriceError) as error:
        return _problem(422, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _problem(400, f"the body is no JSON object: {error}")
    except web.HTTPException as error:
        return _problem(error.status, error.reason)


def _problem(status: int, detail: str) -> web.Response:
    return web.json_response({"status": status, "detail": detail}, status=status)


async def _body(request: web.Request, shape: type[T]) -> T:
    raw = await request.read()
    return msgspec.json.decode(raw or b"{}", type=shape)


def _world(request: web.Request) -> Clock:
    return request.app[WORLDS].get(request.match_info["name"])


async def _list(request: web.Request) -> web.Response:
    return web.json_response({"worlds": [world_view(clock) for clock in request.app[WORLDS].all()]})


async def _create(request: web.Request) -> web.Response:
    clock = request.app[WORLDS].create(await _body(request, WorldSpec))
    return web.json_response(world_view(clock), status=201)


async def _show(request: web.Request) -> web.Response:
    return web.json_response(world_view(_world(request)))


async def _book(request: web.Request) -> web.Response:
    return web.json_response(book_view(_world(request)))


async def _delete(request: web.Request) -> web.Response:
    await request.app[WORLDS].delete(request.match_info["name"])
    return web.Response(status=204)


async def _add_account(request: web.Request) -> web.Response:
    request.app[WORLDS].add_account(request.match_info["name"], await _body(request, AccountSpec))
    return web.json_response(world_view(_world(request)), status=201)


async def _upload(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    key = f"{request.match_info['exchange']}:{request.match_info['symbol']}"
    clock = _world(request)
    raw = await request.read()
    close = request.query.get("previous_close")
    previous_close = int(parse_price(close)) if close else 0
    recording = await asyncio.to_thread(parse_recording, raw, name=key, day=clock.world.spec.date)
    request.app[WORLDS].upload(name, key, recording, previous_close)
    return web.json_response({"symbol": key, "rows": len(recording), "layout": recording.layout})


async def _start(request: web.Request) -> web.Response:
    clock, body = _world(request), await _body(request, StartBody)
    if body.speed is not None:
        if not 0 <= body.speed < MAX_SPEED:
            raise WorldError("speed must be 0 (as fast as possible) or a number of session seconds a second")
        clock.world.speed = body.speed
    clock.start()
    return web.json_response(world_view(clock))


async def _pause(request: web.Request) -> web.Response:
    clock = _world(request)
    await clock.pause()
    return web.json_response(world_view(clock))


async def _set_faults(request: web.Request) -> web.Response:
    """Set switches of one account (`client_id`) or of all. `disconnect`, `expire_token` and `liquidity` act at once."""
    clock = _world(request)
    changes = await _body(request, dict[str, object])
    client_id = changes.pop("client_id", None)
    accounts = list(clock.world.accounts.values())
    if client_id is not None:
        accounts = [account for account in accounts if account.spec.client_id == client_id]
        if not accounts:
            raise NotFoundError(f"world {clock.world.name} has no account {client_id!r}")
    once = {name: changes.pop(name, False) for name in ("disconnect", "expire_token")}
    liquidity = msgspec.convert(changes.pop("liquidity", None), int | None)
    settings = [(account, patched(account.faults, changes)) for account in accounts]
    for account, faults in settings:
        account.faults = faults
        if once["expire_token"]:
            account.access_token = ""
        if once["disconnect"]:
            for cut in account.cuts:
                cut()
    if liquidity is not None:
        clock.world.set_liquidity(liquidity)
    return web.json_response({a.spec.client_id: msgspec.to_builtins(a.faults) for a in accounts})


async def _manual(request: web.Request) -> web.Response:
    orders = act(_world(request), await _body(request, ManualAction))
    return web.json_response({"orders": [{"order_id": o.order_id, "status": o.sim.status} for o in orders]})


async def _clock(request: web.Request) -> web.StreamResponse:
    worlds, query = request.app[WORLDS], request.query
    account: Account | None = None
    if "account" in query:
        found = worlds.find(query.get("broker", ""), client_id=query["account"])
        if found is None:
            raise NotFoundError(f"no world has the account {query['account']!r} of {query.get('broker', '')!r}")
        clock, account = found
    else:
        clock = worlds.get(query.get("world", ""))
    if request.headers.get("Upgrade", "").lower() != "websocket":
        return _problem(426, "the clock is a WebSocket")
    return await serve_clock(request, clock, account)
