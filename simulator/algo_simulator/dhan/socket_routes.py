"""Routes of the sockets and of the public instrument files, and who a socket's client is."""

from aiohttp import web

from algo_simulator.dhan import market_socket, order_socket
from algo_simulator.dhan.instrument_files import compact_csv, detailed_csv
from algo_simulator.dhan.names import SEGMENT_CODES
from algo_simulator.dhan.session import BROKER, alive, client_of
from algo_simulator.dhan.state import NO_DATA_PLAN, quirk
from algo_simulator.faults import use
from algo_simulator.front import Caller, Front
from algo_simulator.public_files import public_day
from algo_simulator.sockets import Connection, Sockets
from algo_simulator.worlds import Worlds

NO_DATA, DEAD, BAD, NO_CLIENT, BAD_VERSION = 806, 807, 808, 810, 814
"""Reasons of the market socket's disconnect packet."""


def _claimed(worlds: Worlds, client_id: str, token: str) -> Caller | None:
    """The account that a client says it is, and that its token names."""
    found = worlds.find(BROKER, client_id=client_id) if client_id and client_of(token) == client_id else None
    return None if found is None else Caller(*found)


def _queried(worlds: Worlds, request: web.Request) -> Caller | None:
    """The account that a market socket's query claims."""
    return _claimed(worlds, request.query.get("clientId", ""), request.query.get("token", ""))


def _reason(worlds: Worlds, request: web.Request) -> int:
    """Why a market socket is ended, by its query; 0 where it is not."""
    query = request.query
    if query.get("version") != "2" or query.get("authType") != "2":
        return BAD_VERSION
    caller = _queried(worlds, request)
    if caller is None:
        return BAD if query.get("clientId") else NO_CLIENT
    if not alive(caller, query.get("token", "")):
        return DEAD
    return NO_DATA if quirk(caller.account, NO_DATA_PLAN) else 0


def add_sockets(front: Front) -> None:
    """Add both sockets."""
    worlds = front.worlds
    market = front.sockets(Sockets(market_socket.dialect(lambda found: _reason(worlds, found.request))))

    def authorise(client_id: str, token: str) -> Caller | None:
        caller = _claimed(worlds, client_id, token)
        return caller if caller is not None and alive(caller, token) else None

    def bind(connection: Connection, caller: Caller) -> None:
        caller.clock.world.prepare()
        orders.bind(connection, caller.clock, caller.account)

    orders = front.sockets(Sockets(order_socket.dialect(authorise, bind)))

    async def market_route(request: web.Request) -> web.StreamResponse:
        _must_upgrade(request)
        caller = _queried(worlds, request)
        if caller is None or _reason(worlds, request):
            # The handshake succeeds; a packet tells the reason and the line is closed.
            return await market.serve(request)
        if use(caller.account.faults, "rate_limit"):
            # Reconnects that follow one another too fast; from how many on is published nowhere.
            raise web.HTTPTooManyRequests
        caller.clock.world.prepare()
        return await market.serve(request, caller.clock, caller.account)

    async def order_route(request: web.Request) -> web.StreamResponse:
        _must_upgrade(request)
        return await orders.serve(request)

    for end in ("", "/"):
        front.bare("GET", f"/market-socket{end}", market_route)
        front.bare("GET", f"/order-socket{end}", order_route)


def _must_upgrade(request: web.Request) -> None:
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise web.HTTPNotFound


def add_files(front: Front) -> None:
    """Add the scrip masters; nobody logs in for them."""

    def csv(text: str) -> web.Response:
        return web.Response(text=text, content_type="text/csv")

    async def compact(_: web.Request) -> web.StreamResponse:
        return csv(compact_csv(public_day(front.worlds, BROKER)))

    async def detailed(request: web.Request) -> web.StreamResponse:
        day = public_day(front.worlds, BROKER)
        return csv(detailed_csv(day, request.match_info.get("segment", "")))

    async def segment(request: web.Request) -> web.StreamResponse:
        wanted = request.match_info["segment"]
        if wanted not in SEGMENT_CODES:
            raise web.HTTPNotFound
        raise web.HTTPFound(f"/files/api-data/instrument/{wanted}.csv")

    front.bare("GET", "/files/api-data/api-scrip-master.csv", compact)
    front.bare("GET", "/files/api-data/api-scrip-master-detailed.csv", detailed)
    front.bare("GET", "/files/api-data/instrument/{segment}.csv", detailed)
    front.bare("GET", "/v2/instrument/{segment}", segment)
