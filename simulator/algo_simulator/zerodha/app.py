"""The HTTP application: every route of the protocol on the shared guard."""

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from algo_simulator.front import Call, Caller, Front
from algo_simulator.sockets import Sockets
from algo_simulator.worlds import Worlds
from algo_simulator.zerodha import gtt, margins, order_calls, portfolio, quotes, session
from algo_simulator.zerodha.errors import SHAPES, answer, input_error
from algo_simulator.zerodha.limits import RULES
from algo_simulator.zerodha.socket import dialect

FormCall = Callable[[Caller, web.Request, dict[str, str]], object]
MAX_FIELDS: Final = 200
NOT_SIMULATED: Final = (
    "POST /session/refresh_token",
    "GET /user/profile/full",
    "PUT /portfolio/positions",
    "POST /portfolio/holdings/authorise",
    "GET /instruments/trigger_range/{side:buy|sell}",
    "POST /alerts",
    "GET /alerts",
    "DELETE /alerts",
    "GET /alerts/{uuid}",
    "PUT /alerts/{uuid}",
    "GET /alerts/{uuid}/history",
    "GET /mf/instruments",
    "GET /mf/orders",
    "POST /mf/orders",
    "GET /mf/orders/{order_id}",
    "DELETE /mf/orders/{order_id}",
    "GET /mf/sips",
    "POST /mf/sips",
    "GET /mf/sips/{sip_id}",
    "PUT /mf/sips/{sip_id}",
    "DELETE /mf/sips/{sip_id}",
    "GET /mf/holdings",
)
"""Documented routes that answer with an error of their own; each is `todo` or `exempt` in `quality.yaml`."""


def create_zerodha_app(worlds: Worlds) -> web.Application:
    """The application of the Zerodha port: REST, login page and market socket."""
    front = Front(
        worlds,
        broker=session.BROKER,
        shapes=SHAPES,
        rules=RULES,
        identify=lambda request: session.authorised(worlds, request.headers.get("Authorization", "")),
        answer=answer,
    )
    _add_session(front)
    _add_orders(front)
    _add_portfolio(front)
    _add_triggers(front)
    _add_market(front)
    _add_not_simulated(front)
    return front.app


def _form(request: web.Request, body: bytes) -> dict[str, str]:
    if request.method not in ("POST", "PUT"):
        return dict(request.query)
    if request.content_type == "application/json":
        return {}
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise input_error("Invalid form body.") from None


def _formed(call: FormCall) -> Call:
    return lambda caller, request, body: call(caller, request, _form(request, body))


def _add_session(front: Front) -> None:
    worlds = front.worlds

    async def login(request: web.Request) -> web.StreamResponse:
        query = request.query
        raise web.HTTPFound(session.login_redirect(worlds, query.get("api_key", ""), query.get("redirect_params", "")))

    async def make(request: web.Request) -> web.StreamResponse:
        return answer(session.exchange_token(worlds, _form(request, await request.read())))

    async def end(request: web.Request) -> web.StreamResponse:
        query = request.query
        return answer(session.log_out(worlds, query.get("api_key", ""), query.get("access_token", "")))

    front.bare("GET", "/connect/login", login)
    front.bare("POST", "/session/token", make)
    front.bare("DELETE", "/session/token", end)
    front.read("GET", "/user/profile", lambda caller, *_: session.profile(caller), "other")


def _add_orders(front: Front) -> None:
    def place(caller: Caller, request: web.Request, form: dict[str, str]) -> object:
        return order_calls.place(
            caller, request.match_info["variety"], form, lambda: front.take(request, caller, "placed")
        )

    one = "/orders/{variety}/{order_id}"
    front.write("POST", "/orders/{variety}", _formed(place), "order")
    front.write("PUT", one, _formed(lambda c, r, f: order_calls.modify(c, r.match_info["order_id"], f)), "order")
    front.write("DELETE", one, lambda c, r, _: order_calls.cancel(c, r.match_info["order_id"]), "order")
    front.read("GET", "/orders", lambda c, *_: order_calls.book(c), "other")
    front.read("GET", "/orders/{order_id}", lambda c, r, _: order_calls.history(c, r.match_info["order_id"]), "other")
    front.read(
        "GET", "/orders/{order_id}/trades", lambda c, r, _: order_calls.trades(c, r.match_info["order_id"]), "other"
    )
    front.read("GET", "/trades", lambda c, *_: order_calls.trades(c, None), "other")


def _add_portfolio(front: Front) -> None:
    def both(caller: Caller, *_: object) -> object:
        return {"equity": portfolio.funds(caller), "commodity": portfolio.funds(caller)}

    front.read("GET", "/user/margins", both, "other")
    front.read("GET", "/user/margins/{segment:equity|commodity}", lambda c, *_: portfolio.funds(c), "other")
    front.read("GET", "/portfolio/positions", lambda c, *_: portfolio.positions(c), "other")
    front.read("GET", "/portfolio/holdings", lambda c, *_: portfolio.holdings(c), "other")
    front.read("GET", "/portfolio/holdings/summary", lambda c, *_: portfolio.holdings_summary(c), "other")
    front.read("GET", "/portfolio/holdings/compact", lambda c, *_: portfolio.compact_holdings(c), "other")
    front.read("GET", "/portfolio/holdings/auctions", lambda *_: [], "other")
    front.read("POST", "/margins/orders", lambda c, _, body: margins.order_margins(c, body), "other")
    front.read("POST", "/margins/basket", lambda c, _, body: margins.basket_margins(c, body), "other")
    front.read("POST", "/charges/orders", lambda _, __, body: margins.charges(body), "other")


def _add_triggers(front: Front) -> None:
    def checked(call: FormCall) -> Call:
        def checking(caller: Caller, request: web.Request, form: dict[str, str]) -> object:
            if gtt.ADDRESS_QUIRK in caller.account.spec.quirks:
                front.check_address(request, caller)
            return call(caller, request, form)

        return _formed(checking)

    def write(method: str, path: str, call: FormCall) -> None:
        front.write(method, path, checked(call), "other", address=False)

    one = "/gtt/triggers/{id}"
    write("POST", "/gtt/triggers", lambda c, _, form: gtt.place(c, form))
    write("PUT", one, lambda c, r, form: gtt.modify(c, r.match_info["id"], form))
    write("DELETE", one, lambda c, r, _: gtt.delete(c, r.match_info["id"]))
    front.read("GET", "/gtt/triggers", lambda c, *_: gtt.listed(c), "other")
    front.read("GET", one, lambda c, r, _: gtt.one(c, r.match_info["id"]), "other")


def _add_not_simulated(front: Front) -> None:
    for route in NOT_SIMULATED:
        method, _, path = route.partition(" ")
        front.todo(method, path, "other")


def _add_market(front: Front) -> None:
    sockets = front.sockets(Sockets(dialect()))

    def quote(kind: str) -> Call:
        return lambda caller, request, _: quotes.quotes(caller, kind, request.query.getall("i", []))

    def dump(caller: Caller, request: web.Request, _: bytes) -> object:
        text = quotes.instruments_csv(caller, request.match_info.get("exchange"))
        response = web.Response(text=text, content_type="text/csv")
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    def candles(caller: Caller, request: web.Request, form: dict[str, str]) -> object:
        return quotes.historical(caller, request.match_info["token"], request.match_info["interval"], form)

    async def market_socket(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise web.HTTPNotFound
        query = request.query
        caller = session.with_token(front.worlds, query.get("api_key", ""), query.get("access_token", ""))
        caller.clock.world.prepare()
        return await sockets.serve(request, caller.clock, caller.account)

    front.bare("GET", "/", market_socket)
    for kind, path in (("quote", "/quote"), ("ohlc", "/quote/ohlc"), ("ltp", "/quote/ltp")):
        front.read("GET", path, quote(kind), "quote")
    front.read("GET", "/instruments", dump, "other")
    front.read("GET", "/instruments/{exchange}", dump, "other")
    front.read("GET", "/instruments/historical/{token}/{interval}", _formed(candles), "historical")
