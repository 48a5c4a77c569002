"""The application of the Dhan port: every documented host of the broker under its prefix.

REST is at its documented paths (`/v2/...`); `/auth` is the login host, `/files` the host of the instrument files,
`/market-socket` the live feed and `/order-socket` the order updates.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from algo_simulator.dhan import account_calls, charts, control_calls, forever, order_calls, quotes, session
from algo_simulator.dhan.bodies import Body, read_body
from algo_simulator.dhan.errors import answer
from algo_simulator.dhan.limits import CHAIN, DATA, ORDER, OTHER, QUOTE, RULES
from algo_simulator.dhan.login_routes import add_login
from algo_simulator.dhan.shapes import SHAPES
from algo_simulator.dhan.socket_routes import add_files, add_sockets
from algo_simulator.dhan.state import DhanState, States
from algo_simulator.front import Call, Caller, Front
from algo_simulator.worlds import Worlds

Bodied = Callable[[Caller, DhanState, Body], object]

ABROAD: Final = (
    ("POST", "/v2/globalstocks/orders"),
    ("GET", "/v2/globalstocks/orders"),
    ("GET", "/v2/globalstocks/orders/{order_id}"),
    ("PUT", "/v2/globalstocks/orders/{order_id}"),
    ("DELETE", "/v2/globalstocks/orders/{order_id}"),
    ("GET", "/v2/globalstocks/trades"),
    ("GET", "/v2/globalstocks/trades/{security_id}"),
    ("GET", "/v2/globalstocks/holdings"),
    ("GET", "/v2/globalstocks/fundlimit"),
    ("GET", "/v2/globalstocks/marketstatus"),
    ("POST", "/v2/globalstocks/margincalculator"),
    ("POST", "/v2/globalstocks/transEstimate"),
)
"""Shares of other countries; the official SDK has calls for them."""


def create_dhan_app(worlds: Worlds) -> web.Application:
    """The application: REST, login host, instrument files and both sockets."""
    states = States()
    worlds.on_delete.append(states.forget)
    front = Front(
        worlds,
        broker=session.BROKER,
        shapes=SHAPES,
        rules=RULES,
        identify=lambda request: session.identify(worlds, states, request),
        answer=answer,
    )
    add_login(front, states)
    add_files(front)
    add_sockets(front)
    _add_orders(front, states)
    _add_forever(front, states)
    _add_portfolio(front)
    _add_controls(front, states)
    _add_data(front)
    _add_rest(front, states)
    return front.app


def _bodied(states: States, call: Bodied) -> Call:
    return lambda caller, _, raw: call(caller, states.of(caller.account), read_body(raw))


def _add_orders(front: Front, states: States) -> None:
    one = "/v2/orders/{order_id}"
    front.write("POST", "/v2/orders", _bodied(states, order_calls.place), ORDER)
    front.write("POST", "/v2/orders/slicing", _bodied(states, order_calls.place_slices), ORDER)
    front.write("PUT", one, lambda c, r, raw: order_calls.modify(c, r.match_info["order_id"], read_body(raw)), ORDER)
    front.write("DELETE", one, lambda c, r, _: order_calls.cancel(c, r.match_info["order_id"]), ORDER)
    front.read("GET", "/v2/orders", lambda c, *_: order_calls.book(c), OTHER)
    front.read("GET", one, lambda c, r, _: order_calls.one(c, r.match_info["order_id"]), OTHER)
    front.read(
        "GET",
        "/v2/orders/external/{correlation}",
        lambda c, r, _: order_calls.by_correlation(c, r.match_info["correlation"]),
        OTHER,
    )
    for path in ("/v2/trades", "/v2/trades/"):
        front.read("GET", path, lambda c, *_: order_calls.trades(c, None), OTHER)
    front.read("GET", "/v2/trades/{order_id}", lambda c, r, _: order_calls.trades(c, r.match_info["order_id"]), OTHER)
    front.read(
        "GET",
        "/v2/trades/{since}/{until}/{page}",
        lambda c, r, _: account_calls.history(c, r.match_info["since"], r.match_info["until"], r.match_info["page"]),
        OTHER,
    )


def _add_forever(front: Front, states: States) -> None:
    one = "/v2/forever/orders/{order_id}"
    front.write("POST", "/v2/forever/orders", _bodied(states, forever.place), ORDER)
    front.write("PUT", one, lambda c, r, raw: forever.modify(c, r.match_info["order_id"], read_body(raw)), ORDER)
    front.write("DELETE", one, lambda c, r, _: forever.cancel(c, r.match_info["order_id"]), ORDER)
    front.read("GET", "/v2/forever/orders", lambda c, *_: forever.rows(c), OTHER)


def _add_portfolio(front: Front) -> None:
    front.read("GET", "/v2/positions", lambda c, *_: account_calls.positions(c), OTHER)
    front.read("GET", "/v2/holdings", lambda c, *_: account_calls.holdings(c), OTHER)
    front.read("GET", "/v2/fundlimit", lambda c, *_: account_calls.funds(c), OTHER)
    front.read("POST", "/v2/margincalculator", lambda c, _, raw: account_calls.margin(c, read_body(raw)), OTHER)
    front.read(
        "POST", "/v2/margincalculator/multi", lambda c, _, raw: account_calls.margin_of_many(c, read_body(raw)), OTHER
    )
    front.read(
        "GET",
        "/v2/ledger",
        lambda c, r, _: account_calls.ledger(c, r.query.get("from-date", ""), r.query.get("to-date", "")),
        OTHER,
    )


def _add_controls(front: Front, states: States) -> None:
    def state(caller: Caller) -> DhanState:
        return states.of(caller.account)

    front.write("DELETE", "/v2/positions", lambda c, *_: control_calls.exit_all(c), OTHER, address=False)
    front.write(
        "POST",
        "/v2/killswitch",
        lambda c, r, _: control_calls.set_kill_switch(c, state(c), r.query.get("killSwitchStatus", "")),
        OTHER,
        address=False,
    )
    front.read("GET", "/v2/killswitch", lambda c, *_: control_calls.kill_switch(c, state(c)), OTHER)
    front.write("POST", "/v2/pnlExit", _bodied(states, control_calls.set_pnl_exit), OTHER, address=False)
    front.read("GET", "/v2/pnlExit", lambda c, *_: control_calls.pnl_exit(state(c)), OTHER)
    front.write("DELETE", "/v2/pnlExit", lambda c, *_: control_calls.stop_pnl_exit(state(c)), OTHER, address=False)
    front.read(
        "POST",
        "/v2/ip/setIP",
        _bodied(states, lambda c, found, body: control_calls.set_address(c, found, body, change=False)),
        OTHER,
    )
    front.read(
        "PUT",
        "/v2/ip/modifyIP",
        _bodied(states, lambda c, found, body: control_calls.set_address(c, found, body, change=True)),
        OTHER,
    )
    front.read("GET", "/v2/ip/getIP", lambda c, r, _: control_calls.addresses(c, state(c), r.remote or ""), OTHER)


def _add_data(front: Front) -> None:
    def quote(kind: str) -> Call:
        return lambda caller, _, raw: quotes.quotes(caller, kind, raw)

    for kind in quotes.KINDS:
        front.read("POST", f"/v2/marketfeed/{kind}", quote(kind), QUOTE)
    front.read("POST", "/v2/charts/intraday", lambda c, _, raw: charts.intraday(c, raw), DATA)
    front.read("POST", "/v2/charts/historical", lambda c, _, raw: charts.historical(c, raw), DATA)
    front.read("POST", "/v2/optionchain", lambda c, _, raw: quotes.chain(c, raw), CHAIN)
    front.read("POST", "/v2/optionchain/expirylist", lambda c, _, raw: quotes.expiries(c, raw), DATA)
    front.todo("POST", "/v2/charts/rollingoption", DATA)


def _add_rest(front: Front, states: States) -> None:
    """What is documented and not simulated, and what needs no simulation."""
    front.read("GET", "/v2/profile", lambda c, *_: session.profile(c, states.of(c.account)), OTHER)
    front.read(
        "GET", "/v2/edis/inquire/{isin}", lambda c, r, _: control_calls.edis_inquiry(c, r.match_info["isin"]), OTHER
    )
    for method, path in (
        ("POST", "/v2/positions/convert"),
        ("GET", "/v2/edis/tpin"),
        ("POST", "/v2/edis/form"),
        ("POST", "/v2/super/orders"),
        ("GET", "/v2/super/orders"),
        ("PUT", "/v2/super/orders/{order_id}"),
        ("DELETE", "/v2/super/orders/{order_id}/{leg}"),
        ("POST", "/v2/alerts/orders"),
        ("GET", "/v2/alerts/orders"),
        ("GET", "/v2/alerts/orders/{alert_id}"),
        ("PUT", "/v2/alerts/orders/{alert_id}"),
        ("DELETE", "/v2/alerts/orders/{alert_id}"),
        *ABROAD,
    ):
        front.todo(method, path, OTHER)
