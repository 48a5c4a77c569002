"""The HTTP application: every route of API v3 on the shared guard, each host of Fyers under its prefix.

REST stands at its documented paths (`/api/v3`, `/data`); the market socket is `/market-socket`, the order socket
`/order-socket`, the login host `/auth`, the public files `/files`.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import web

from algo_simulator.front import Call, Caller, Front
from algo_simulator.fyers import code_login, gtt, order_calls, quotes, session
from algo_simulator.fyers.bodies import read_object
from algo_simulator.fyers.errors import FyersError, answer, shapes
from algo_simulator.fyers.files import add_files
from algo_simulator.fyers.holdings import holdings
from algo_simulator.fyers.limits import ALL, CALLER, ORDER, RULES, check_block, over_limit
from algo_simulator.fyers.margins import order_margins
from algo_simulator.fyers.order_socket import dialect
from algo_simulator.fyers.positions import exit_positions, positions
from algo_simulator.fyers.rows import fund_rows
from algo_simulator.fyers.socket import market_sockets
from algo_simulator.sockets import Sockets
from algo_simulator.worlds import Worlds

API: Final = "/api/v3"
DATA: Final = "/data"
MARKET_SOCKETS: Final = web.AppKey("fyers market sockets", Sockets)
SYMBOL_TOKEN: Final = f"{DATA}/symbol-token"
FormCall = Callable[[Caller, Mapping[str, Any]], dict[str, object]]
TODO: Final = (
    *(("POST", f"{API}/multileg/orders/{kind}") for kind in ("sync", "async")),
    *((method, f"{API}/positions") for method in ("PATCH", "POST", "PUT")),
    *(("POST", f"{API}/smart-order/{kind}") for kind in ("limit", "trail", "step", "sip")),
    *(("PATCH", f"{API}/smart-order/{kind}") for kind in ("modify", "pause", "resume")),
    ("DELETE", f"{API}/smart-order/cancel"),
    ("GET", f"{API}/smart-order/orderbook"),
    *((method, f"{API}/flows/tc/se") for method in ("POST", "GET", "PUT")),
    ("POST", f"{API}/flows/tc/se/activate"),
    *((method, f"{API}/price-alert") for method in ("POST", "GET", "PUT", "DELETE")),
    ("PUT", f"{API}/toggle-alert"),
    ("POST", f"{API}/data-token"),
    *(("GET", f"{API}/screeners/{kind}") for kind in ("config", "query", "candlestick", "technical")),
    *(("GET", f"{API}/{kind}") for kind in ("order-history", "trade-history", "charges-history", "ledger-history")),
    *(("GET", f"{API}/{kind}") for kind in ("realised-pnl-history", "tax-pnl-history")),
    ("POST", "/api/v2/span_margin"),
    ("GET", f"{DATA}/options-chain-v3"),
    *(
        ("GET", f"{DATA}/history/fno/expired/{kind}")
        for kind in ("expiry-dates", "underlying-symbols", "historical-data")
    ),
    ("GET", "/indus/home/tbtws"),
)
"""Documented, answered with an error; `quality.yaml` says the same."""


def create_fyers_app(worlds: Worlds, wall: session.Wall = time.time) -> web.Application:
    """The application of the Fyers port: REST, login, files and both sockets.

    Args:
        wall: the machine's clock, by which clients judge a token and make one-time codes.
    """

    def identify(request: web.Request) -> Caller:
        bare = request.path == SYMBOL_TOKEN
        caller = session.with_bare_token(worlds, request) if bare else session.authorised(worlds, request)
        request[CALLER] = caller
        check_block(caller.clock, caller.account)
        return caller

    front = Front(
        worlds,
        broker=session.BROKER,
        shapes=shapes(over_limit),
        rules=RULES,
        identify=identify,
        answer=answer,
    )
    _add_login(front, wall)
    _add_account(front)
    _add_orders(front)
    _add_market(front)
    _add_sockets(front)
    add_files(front)
    for method, path in TODO:
        front.todo(method, path, ALL)
    return front.app


def _add_login(front: Front, wall: session.Wall) -> None:
    worlds = front.worlds

    async def page(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(session.login_redirect(worlds, dict(request.query)))

    def posted(path: str, call: Callable[[bytes], dict[str, object]]) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            return answer(call(await request.read()))

        front.bare("POST", path, handler)

    async def token(request: web.Request) -> web.StreamResponse:
        return code_login.auth_code(worlds, request, await request.read())

    async def logout(request: web.Request) -> web.StreamResponse:
        return answer(session.log_out(worlds, request))

    for prefix in (API, f"/auth{API}"):
        front.bare("GET", f"{prefix}/generate-authcode", page)
        front.bare("POST", f"{prefix}/token", token)
        posted(f"{prefix}/validate-authcode", lambda body: session.exchange_code(worlds, body, wall))
        posted(f"{prefix}/validate-refresh-token", lambda body: session.renew(worlds, body, wall))
    front.bare("POST", f"{API}/logout", logout)
    login = "/auth/vagator/v2"
    posted(f"{login}/send_login_otp", lambda body: code_login.send_otp(worlds, body, encoded=False))
    posted(f"{login}/send_login_otp_v2", lambda body: code_login.send_otp(worlds, body, encoded=True))
    posted(f"{login}/verify_otp", lambda body: code_login.verify_otp(worlds, body, wall))
    posted(f"{login}/verify_pin", lambda body: code_login.verify_pin(worlds, body))
    posted(f"{login}/verify_pin_v2", lambda body: code_login.verify_pin(worlds, body))


def _add_account(front: Front) -> None:
    front.read("GET", f"{API}/profile", lambda caller, *_: session.profile(caller), ALL)
    front.read("GET", f"{API}/funds", lambda caller, *_: fund_rows(caller), ALL)
    front.read("GET", f"{API}/holdings", lambda caller, *_: holdings(caller), ALL)
    front.read("GET", f"{API}/positions", lambda caller, *_: positions(caller), ALL)
    front.write("DELETE", f"{API}/positions", lambda caller, _, body: exit_positions(caller, body), ALL, ORDER)
    front.read("POST", f"{API}/multiorder/margin", lambda caller, _, body: order_margins(caller, body), ALL)


def _add_orders(front: Front) -> None:
    def one(call: FormCall) -> Call:
        return lambda caller, _, body: call(caller, read_object(body))

    def later(call: FormCall) -> FormCall:
        return lambda caller, form: order_calls.queued(call(caller, form))

    def many(call: FormCall) -> Call:
        return lambda caller, _, body: order_calls.several(caller, body, call)

    calls = (("POST", order_calls.place), ("PATCH", order_calls.modify), ("DELETE", order_calls.cancel))
    for method, call in calls:
        front.write(method, f"{API}/orders/sync", one(call), ALL, ORDER)
        front.write(method, f"{API}/orders/async", one(later(call)), ALL, ORDER)
        front.write(method, f"{API}/multi-order/sync", many(call), ALL, ORDER)
        front.write(method, f"{API}/multi-order/async", many(later(call)), ALL, ORDER)
    for method, call in (("POST", gtt.place), ("PATCH", gtt.modify), ("DELETE", gtt.cancel)):
        front.write(method, f"{API}/gtt/orders/sync", one(call), ALL, ORDER)
    front.write("DELETE", f"{API}/orders/{{id}}/sync", _cancel_by_path, ALL, ORDER)
    front.read("GET", f"{API}/gtt/orders", lambda caller, *_: gtt.book(caller), ALL)
    front.read("GET", f"{API}/orders", _book, ALL)
    front.read(
        "GET",
        f"{API}/tradebook",
        lambda caller, request, _: order_calls.trades(caller, request.query.get("order_tag", "")),
        ALL,
    )


def _book(caller: Caller, request: web.Request, _: bytes) -> object:
    return order_calls.book(caller, request.query.get("id", ""), request.query.get("order_tag", ""))


def _cancel_by_path(caller: Caller, request: web.Request, _: bytes) -> object:
    return order_calls.cancel(caller, {"id": request.match_info["id"]})


def _add_market(front: Front) -> None:
    def listed(caller: Caller, request: web.Request, _: bytes) -> object:
        names = [name for name in request.query.get("symbols", "").split(",") if name]
        return quotes.quotes(caller, names)

    def depth(caller: Caller, request: web.Request, _: bytes) -> object:
        query = request.query
        return quotes.depth(caller, query.get("symbol", ""), with_day=query.get("ohlcv_flag") == "1")

    front.read("GET", f"{DATA}/quotes", listed, ALL)
    front.read("POST", f"{DATA}/quotes", lambda c, _, body: quotes.quotes(c, quotes.symbols_in(body)), ALL)
    front.read("GET", f"{DATA}/depth", depth, ALL)
    front.read("GET", f"{DATA}/history", lambda c, request, _: quotes.history(c, request.query), ALL)
    front.read("GET", f"{DATA}/marketStatus", lambda c, *_: quotes.market_status(c), ALL)
    front.read(
        "GET",
        f"{DATA}/futures-chain",
        lambda c, request, _: quotes.futures_chain(c, request.query.get("symbol", "")),
        ALL,
    )
    front.read("POST", SYMBOL_TOKEN, lambda c, _, body: quotes.symbol_tokens(c, body), ALL)


def _add_sockets(front: Front) -> None:
    market = front.app[MARKET_SOCKETS] = front.sockets(market_sockets(front.worlds))
    orders = front.sockets(Sockets(dialect()))

    async def market_socket(request: web.Request) -> web.StreamResponse:
        _check_upgrade(request)
        return await market.serve(request)

    async def order_socket(request: web.Request) -> web.StreamResponse:
        _check_upgrade(request)
        try:
            caller = session.authorised(front.worlds, request)
        except FyersError as error:
            raise FyersError(403, error.code, str(error)) from None
        caller.clock.world.prepare()
        return await orders.serve(request, caller.clock, caller.account)

    for path in ("/market-socket", "/market-socket/hsm/v1-5/prod"):
        front.bare("GET", path, market_socket)
    for path in ("/order-socket", "/order-socket/trade/v3"):
        front.bare("GET", path, order_socket)


def _check_upgrade(request: web.Request) -> None:
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise web.HTTPNotFound
