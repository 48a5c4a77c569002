"""Builders of every request, pure. Orders go form-encoded, reads carry their parameters in the query."""

from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlencode

import msgspec
from algo_crds.contracts.clock import IST
from algo_crds.contracts.money import format_price
from algo_crds.contracts.orders import OrderType, Product, Side

from algo_brokers.http import FORM, HttpRequest, with_query
from algo_brokers.records import Change, InstrumentRef, Interval, NewOrder
from algo_brokers.session import Session

VARIETY: Final = "regular"
SIDE: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}
_TYPE: Final = {OrderType.LIMIT: "LIMIT", OrderType.STOP_LIMIT: "SL"}
PRODUCT: Final = {Product.INTRADAY: "MIS", Product.DELIVERY: "CNC"}
_MAX_TAG: Final = 20


@lru_cache(maxsize=8)
def headers(session: Session, *, form: bool = False) -> tuple[tuple[str, str], ...]:
    """The headers of every call."""
    base = (("X-Kite-Version", "3"), ("Authorization", f"token {session.api_key}:{session.access_token}"))
    return (*base, ("Content-Type", FORM)) if form else base


def _prices(kind: OrderType, price: int, trigger: int) -> dict[str, str]:
    if kind is OrderType.STOP_LIMIT:
        return {"price": format_price(price), "trigger_price": format_price(trigger)}
    return {"price": format_price(price)}


def place(session: Session, order: NewOrder) -> HttpRequest:
    """A new order.

    Raises:
        ValueError: the tag does not fit the broker (a fault of the caller, found before anything is sent).
    """
    if not (order.tag.isascii() and order.tag.isalnum() and len(order.tag) <= _MAX_TAG):
        raise ValueError(f"tag {order.tag!r} must be 1 to {_MAX_TAG} ASCII letters and digits")
    form = {
        "exchange": order.instrument.exchange,
        "tradingsymbol": order.instrument.symbol,
        "transaction_type": SIDE[order.side],
        "quantity": str(order.quantity),
        "product": PRODUCT[order.product],
        "order_type": _TYPE[order.type],
        **_prices(order.type, order.price, order.trigger),
        "validity": "DAY",
        "tag": order.tag,
    }
    if order.algo_id:
        form["algo_id"] = order.algo_id
    return HttpRequest("POST", f"/orders/{VARIETY}", headers(session, form=True), urlencode(form).encode())


def _order_path(broker_order_id: str) -> str:
    plain = broker_order_id.isascii() and broker_order_id.isalnum()
    return f"/orders/{VARIETY}/{broker_order_id if plain else quote(broker_order_id, safe='')}"


def modify(session: Session, change: Change) -> HttpRequest:
    """Absolute values for a live order; a stop becomes an exit by `order_type` LIMIT."""
    # The first order call of an exit. Its values are numbers and our own words, so that nothing needs to be quoted.
    trigger = f"&trigger_price={format_price(change.trigger)}" if change.type is OrderType.STOP_LIMIT else ""
    form = (
        f"order_type={'SL' if trigger else 'LIMIT'}&quantity={change.quantity}&price={format_price(change.price)}"
        f"{trigger}&validity=DAY"
    )
    target = _order_path(change.order.broker_order_id)
    return HttpRequest("PUT", target, headers(session, form=True), form.encode())


def cancel(session: Session, broker_order_id: str) -> HttpRequest:
    """Cancel a live order."""
    return HttpRequest("DELETE", _order_path(broker_order_id), headers(session))


def _get(session: Session, path: str, query: list[tuple[str, str]] | None = None) -> HttpRequest:
    return HttpRequest("GET", with_query(path, query or []), headers(session))


def book(session: Session) -> HttpRequest:
    """The day's orders."""
    return _get(session, "/orders")


def order_history(session: Session, broker_order_id: str) -> HttpRequest:
    """One order's states."""
    return _get(session, f"/orders/{quote(broker_order_id, safe='')}")


def trades(session: Session) -> HttpRequest:
    """The day's fills."""
    return _get(session, "/trades")


def positions(session: Session) -> HttpRequest:
    """Net and day positions."""
    return _get(session, "/portfolio/positions")


def holdings(session: Session) -> HttpRequest:
    """Shares in the demat account."""
    return _get(session, "/portfolio/holdings")


def funds(session: Session) -> HttpRequest:
    """Margins of the equity segment."""
    return _get(session, "/user/margins/equity")


def margin(session: Session, orders: tuple[NewOrder, ...]) -> HttpRequest:
    """What a basket would take, by the broker's calculator (JSON body)."""
    rows = [
        {
            "exchange": order.instrument.exchange,
            "tradingsymbol": order.instrument.symbol,
            "transaction_type": SIDE[order.side],
            "variety": VARIETY,
            "product": PRODUCT[order.product],
            "order_type": _TYPE[order.type],
            "quantity": order.quantity,
            "price": order.price / 10_000,
            "trigger_price": order.trigger / 10_000,
        }
        for order in orders
    ]
    head = (*headers(session), ("Content-Type", "application/json"))
    return HttpRequest("POST", "/margins/basket?consider_positions=true", head, msgspec.json.encode(rows))


def _keys(instruments: tuple[InstrumentRef, ...]) -> list[tuple[str, str]]:
    return [("i", f"{one.exchange}:{one.symbol}") for one in instruments]


def quotes(session: Session, instruments: tuple[InstrumentRef, ...]) -> HttpRequest:
    """Full quotes, at most 500 instruments a call."""
    return _get(session, "/quote", _keys(instruments))


def ltp(session: Session, instruments: tuple[InstrumentRef, ...]) -> HttpRequest:
    """Last prices, at most 1000 instruments a call."""
    return _get(session, "/quote/ltp", _keys(instruments))


def _local(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, IST).strftime("%Y-%m-%d %H:%M:%S")


_INTERVAL: Final = {
    Interval.MINUTE: "minute",
    Interval.FIVE_MINUTES: "5minute",
    Interval.FIFTEEN_MINUTES: "15minute",
    Interval.HOUR: "60minute",
    Interval.DAY: "day",
}


def candles(session: Session, *, token: int, start: int, end: int, interval: Interval) -> HttpRequest:
    """Bars, both ends included; at most 60 days of minutes a call."""
    query = [("from", _local(start)), ("to", _local(end)), ("continuous", "0"), ("oi", "0")]
    return _get(session, f"/instruments/historical/{token}/{_INTERVAL[interval]}", query)


def public_instruments(exchange: str) -> HttpRequest:
    """The dump of one exchange without a session, gzip."""
    return HttpRequest("GET", f"/instruments/{quote(exchange, safe='')}", (("X-Kite-Version", "3"),))


def instruments(session: Session, exchange: str) -> HttpRequest:
    """The list of one exchange, CSV."""
    return _get(session, f"/instruments/{quote(exchange, safe='')}")
