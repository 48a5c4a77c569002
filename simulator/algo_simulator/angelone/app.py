"""The HTTP application: every route of the protocol on the shared guard.

The trading API is served at its documented paths, with and without its service prefixes and trailing slashes; what
lives on other hosts is under `/auth`, `/files`, `/market-socket` and `/order-socket`.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from algo_simulator.angelone import gtt, instruments, order_calls, portfolio, quotes, session
from algo_simulator.angelone.errors import SHAPES, answer
from algo_simulator.angelone.limits import ORDERS, RULES
from algo_simulator.angelone.market_socket import market_dialect
from algo_simulator.angelone.order_forms import Form, read_body
from algo_simulator.angelone.order_socket import order_dialect
from algo_simulator.angelone.session import HandshakeError
from algo_simulator.front import Call, Caller, Front, Handler
from algo_simulator.public_files import public_day
from algo_simulator.sockets import Sockets
from algo_simulator.worlds import Worlds

FormCall = Callable[[Caller, Form], object]
SECURE: Final = "/rest/secure/angelbroking"
SCRIP_MASTER: Final = "/files/OpenAPI_File/files/OpenAPIScripMaster.json"
TODO: Final = (
    ("POST", "order/v1/convertPosition", "convert"),
    ("POST", "brokerage/v1/estimateCharges", "other"),
    ("POST", "edis/v1/verifyDis", "other"),
    ("POST", "edis/v1/generateTPIN", "other"),
    ("POST", "edis/v1/getTranStatus", "other"),
    ("POST", "marketData/v1/optionGreek", "other"),
    ("POST", "marketData/v1/gainersLosers", "other"),
    ("POST", "marketData/v1/OIBuildup", "other"),
    ("GET", "marketData/v1/putCallRatio", "other"),
    ("GET", "marketData/v1/nseIntraday", "other"),
    ("GET", "marketData/v1/bseIntraday", "other"),
)
"""Documented and not simulated."""


def create_angelone_app(worlds: Worlds) -> web.Application:
    """The application of the Angel One port: REST, login page, scrip master and both sockets."""
    front = Front(
        worlds,
        broker=session.BROKER,
        shapes=SHAPES,
        rules=RULES,
        identify=lambda request: session.authorised(worlds, request),
        answer=answer,
    )
    _add_session(front)
    _add_orders(front)
    _add_portfolio(front)
    _add_market(front)
    _add_gtt(front)
    _add_sockets(front)
    for method, path, group in TODO:
        for variant in variants(path):
            front.todo(method, variant, group)
    return front.app


def variants(path: str, service: str = "") -> list[str]:
    """The paths of a route below the secure prefix: with and without service prefix and trailing slash."""
    starts = ["", f"/{service}"] if service else [""]
    return [f"{start}{SECURE}/{path}{end}" for start in starts for end in ("", "/")]


def _formed(call: FormCall) -> Call:
    return lambda caller, _, body: call(caller, read_body(body))


def _read(front: Front, method: str, path: str, call: Call, group: str, service: str = "") -> None:
    for variant in variants(path, service):
        front.read(method, variant, call, group)


def _write(front: Front, path: str, call: FormCall, group: str, service: str = "") -> None:
    for variant in variants(path, service):
        front.write("POST", variant, _formed(call), group)


def _add_session(front: Front) -> None:
    worlds = front.worlds

    def log_in(request: web.Request, caller: Caller, body: bytes) -> object:
        front.take(request, caller, "login")
        return session.log_in(caller, read_body(body))

    async def login(request: web.Request) -> web.StreamResponse:
        caller, body = session.by_key(worlds, request), await request.read()
        return answer(log_in(request, caller, body))

    async def page(request: web.Request) -> web.StreamResponse:
        query = request.query
        raise web.HTTPFound(session.publisher_login(worlds, query.get("api_key", ""), query.get("state", "")))

    for end in ("", "/"):
        front.bare("POST", f"/rest/auth/angelbroking/user/v1/loginByPassword{end}", login)
        front.read("POST", f"/rest/auth/angelbroking/jwt/v1/generateTokens{end}", _formed(session.renew), "tokens")
        front.bare("GET", f"/auth/publisher-login{end}", page)
    _read(front, "POST", "user/v1/logout", _formed(session.log_out), "logout")
    _read(front, "GET", "user/v1/getProfile", lambda caller, *_: session.profile(caller), "profile")


def _add_orders(front: Front) -> None:
    service = "order-service"
    _write(front, "order/v1/placeOrder", order_calls.place, ORDERS, service)
    _write(front, "order/v1/modifyOrder", order_calls.modify, ORDERS, service)
    _write(front, "order/v1/cancelOrder", order_calls.cancel, ORDERS, service)
    _read(front, "GET", "order/v1/getOrderBook", lambda c, *_: order_calls.book(c), "order_book", service)
    _read(front, "GET", "order/v1/getTradeBook", lambda c, *_: order_calls.trades(c), "trade_book", service)

    def details(caller: Caller, request: web.Request, _: bytes) -> object:
        return order_calls.details(caller, request.match_info["identity"])

    _read(front, "GET", "order/v1/details/{identity}", details, "details", service)


def _add_portfolio(front: Front) -> None:
    service = "order-service"
    _read(front, "GET", "order/v1/getPosition", lambda c, *_: portfolio.positions(c), "positions", service)
    _read(front, "GET", "portfolio/v1/getHolding", lambda c, *_: portfolio.holdings(c), "holdings")
    _read(front, "GET", "portfolio/v1/getAllHolding", lambda c, *_: portfolio.all_holdings(c), "all_holdings")
    _read(front, "GET", "user/v1/getRMS", lambda c, *_: portfolio.funds(c), "funds")
    _read(front, "POST", "margin/v1/batch", lambda c, _, body: portfolio.margin(c, body), "margin")


def _add_market(front: Front) -> None:
    service = "order-service"
    _read(front, "POST", "order/v1/getLtpData", _formed(quotes.last_price), "ltp", service)
    _read(front, "POST", "order/v1/searchScrip", _formed(instruments.search), "search", service)
    _read(front, "POST", "market/v1/quote", _formed(quotes.quotes), "quote")
    _read(front, "POST", "historical/v1/getCandleData", _formed(quotes.candles), "candles")
    _read(front, "POST", "historical/v1/getOIData", _formed(quotes.open_interest), "candles")

    async def scrip_master(_: web.Request) -> web.StreamResponse:
        rows = instruments.scrip_master(public_day(front.worlds, session.BROKER))
        return web.json_response(rows)

    front.bare("GET", SCRIP_MASTER, scrip_master)


def _add_gtt(front: Front) -> None:
    service = "gtt-service"
    _write(front, "gtt/v1/createRule", gtt.create, "gtt", service)
    _write(front, "gtt/v1/modifyRule", gtt.modify, "gtt", service)
    _write(front, "gtt/v1/cancelRule", gtt.cancel, "gtt", service)
    _read(front, "POST", "gtt/v1/ruleDetails", _formed(gtt.details), "gtt", service)
    _read(front, "POST", "gtt/v1/ruleList", _formed(gtt.rules), "gtt", service)


def _add_sockets(front: Front) -> None:
    market = front.sockets(Sockets(market_dialect()))
    orders = front.sockets(Sockets(order_dialect()))

    def listen(sockets: Sockets, find: Callable[[Worlds, web.Request], Caller]) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            if request.headers.get("Upgrade", "").lower() != "websocket":
                raise web.HTTPNotFound
            try:
                caller = find(front.worlds, request)
            except HandshakeError as error:
                return web.Response(status=error.status, text=str(error), headers={"x-error-message": str(error)})
            caller.clock.world.prepare()
            return await sockets.serve(request, caller.clock, caller.account)

        return handler

    for end in ("", "/smart-stream"):
        front.bare("GET", f"/market-socket{end}", listen(market, session.market_listener))
    for end in ("", "/smart-order-update"):
        front.bare("GET", f"/order-socket{end}", listen(orders, session.order_listener))
