"""The HTTP application: every route of the protocol on the shared guard."""

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from algo_simulator.front import Call, Caller, Front
from algo_simulator.sockets import Sockets
from algo_simulator.worlds import Worlds
from algo_simulator.zerodha import margins, order_calls, quotes, rows, session
from algo_simulator.zerodha.errors import SHAPES, answer, input_error
from algo_simulator.zerodha.limits import RULES
from algo_simulator.zerodha.socket import dialect

FormCall = Callable[[Caller, web.Request, dict[str, str]], object]
MAX_FIELDS: Final = 200


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
    _add_market(front)
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
    front.read("GET", "/user/margins", lambda c, *_: {"equity": rows.funds(c), "commodity": rows.funds(c)}, "other")
    front.read("GET", "/user/margins/{segment:equity|commodity}", lambda c, *_: rows.funds(c), "other")
    front.read("GET", "/portfolio/positions", lambda c, *_: rows.positions(c), "other")
    front.read("GET", "/portfolio/holdings", lambda *_: [], "other")
    front.read("POST", "/margins/orders", lambda c, _, body: margins.order_margins(c, body), "other")
    front.read("POST", "/margins/basket", lambda c, _, body: margins.basket_margins(c, body), "other")
    front.read("POST", "/charges/orders", lambda _, __, body: margins.charges(body), "other")
    for path in ("/gtt/triggers", "/gtt/triggers/{id}", "/alerts", "/portfolio/holdings/authorise"):
        front.todo("*", path, "other")
    front.todo("PUT", "/portfolio/positions", "other")


def _add_market(front: Front) -> None:
    sockets = front.sockets(Sockets(dialect()))

    def quote(kind: str) -> Call:
        return lambda caller, request, _: quotes.quotes(caller, kind, request.query.getall("i", []))

    def dump(caller: Caller, request: web.Request, _: bytes) -> object:
        text = quotes.instruments_csv(caller, request.match_info.get("exchange"))
        return web.Response(text=text, content_type="text/csv")

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
