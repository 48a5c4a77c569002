"""Builders of the requests for orders and the account, pure. Bodies are JSON, also with PATCH and DELETE.

Paths are those of the one host that serves both the trading API and market data. Source: docs v3.
"""

from typing import Final
from urllib.parse import quote

import msgspec
from algo_crds.contracts.money import format_price
from algo_crds.contracts.orders import OrderType, Product, Side

from algo_brokers.fyers.names import broker_symbol_of, is_derivative
from algo_brokers.http import HttpRequest
from algo_brokers.records import Change, InstrumentRef, NewOrder
from algo_brokers.session import Session

API: Final = "/api/v3"
SIDE: Final = {Side.BUY: 1, Side.SELL: -1}
_TYPE: Final = {OrderType.LIMIT: 1, OrderType.STOP_LIMIT: 4}
_MAX_TAG: Final = 30
NO_PRICE: Final = msgspec.Raw(b"0")


def headers(session: Session) -> tuple[tuple[str, str], ...]:
    """The headers of every call: app id and token, without "Bearer"."""
    return (
        ("Authorization", f"{session.api_key}:{session.access_token}"),
        ("Content-Type", "application/json"),
        ("version", "3"),
    )


def rupees(price: int) -> msgspec.Raw:
    """A price as the exact JSON number."""
    return msgspec.Raw(format_price(price).encode())


def product_name(product: Product, instrument: InstrumentRef) -> str:
    """Delivery is CNC for shares and MARGIN for derivatives."""
    if product is Product.INTRADAY:
        return "INTRADAY"
    return "MARGIN" if is_derivative(instrument.exchange) else "CNC"


def check_tag(tag: str) -> str:
    """The tag, if Fyers takes it: 1 to 30 letters and digits.

    Raises:
        ValueError: it does not (a fault of the caller, found before anything is sent).
    """
    if not (tag.isascii() and tag.isalnum() and len(tag) <= _MAX_TAG) or tag.lower() == "untagged":
        raise ValueError(f"tag {tag!r} must be 1 to {_MAX_TAG} ASCII letters and digits")
    return tag


def write(session: Session, method: str, path: str, body: object) -> HttpRequest:
    """A call with a JSON body."""
    return HttpRequest(method, f"{API}{path}", headers(session), msgspec.json.encode(body))


def read(session: Session, path: str) -> HttpRequest:
    """A read of the trading API."""
    return HttpRequest("GET", f"{API}{path}", headers(session))


def place(session: Session, order: NewOrder) -> HttpRequest:
    """A new order. Raises `ValueError` for a tag or an instrument that Fyers cannot be told."""
    stop = order.type is OrderType.STOP_LIMIT
    body = {
        "symbol": broker_symbol_of(order.instrument),
        "qty": order.quantity,
        "type": _TYPE[order.type],
        "side": SIDE[order.side],
        "productType": product_name(order.product, order.instrument),
        "limitPrice": rupees(order.price),
        "stopPrice": rupees(order.trigger) if stop else NO_PRICE,
        "validity": "DAY",
        "disclosedQty": 0,
        "offlineOrder": False,
        "orderTag": check_tag(order.tag),
    }
    return write(session, "POST", "/orders/sync", body)


def modify(session: Session, change: Change) -> HttpRequest:
    """Absolute values for a live order; a stop becomes an exit by `type` 1 with a stop price of 0."""
    stop = change.type is OrderType.STOP_LIMIT
    body = {
        "id": change.order.broker_order_id,
        "type": _TYPE[change.type],
        "qty": change.quantity,
        "limitPrice": rupees(change.price),
        "stopPrice": rupees(change.trigger) if stop else NO_PRICE,
    }
    return write(session, "PATCH", "/orders/sync", body)


def cancel(session: Session, broker_order_id: str) -> HttpRequest:
    """Cancel a live order."""
    return write(session, "DELETE", "/orders/sync", {"id": broker_order_id})


def book(session: Session) -> HttpRequest:
    """The day's orders; yesterday's are not in it, not even those that a lasting trigger sent."""
    return read(session, "/orders")


def one_order(session: Session, broker_order_id: str) -> HttpRequest:
    """One order."""
    return read(session, f"/orders?id={quote(broker_order_id, safe='')}")


def by_tag(session: Session, tag: str) -> HttpRequest:
    """Orders with a tag that we set."""
    return read(session, f"/orders?order_tag={quote(f'1:{tag}', safe='')}")


def trades(session: Session) -> HttpRequest:
    """The day's fills."""
    return read(session, "/tradebook")


def positions(session: Session) -> HttpRequest:
    """Net positions, closed ones too."""
    return read(session, "/positions")


def holdings(session: Session) -> HttpRequest:
    """Shares in the demat account."""
    return read(session, "/holdings")


def funds(session: Session) -> HttpRequest:
    """What the account has, a line each."""
    return read(session, "/funds")


def profile(session: Session) -> HttpRequest:
    """Whose session it is."""
    return read(session, "/profile")


def margin(session: Session, orders: tuple[NewOrder, ...]) -> HttpRequest:
    """What a basket would take, by the broker's calculator."""
    rows = [
        {
            "symbol": broker_symbol_of(order.instrument),
            "qty": order.quantity,
            "side": SIDE[order.side],
            "type": _TYPE[order.type],
            "productType": product_name(order.product, order.instrument),
            "limitPrice": rupees(order.price),
            "stopLoss": NO_PRICE,
            "stopPrice": rupees(order.trigger) if order.type is OrderType.STOP_LIMIT else NO_PRICE,
            "takeProfit": NO_PRICE,
        }
        for order in orders
    ]
    return write(session, "POST", "/multiorder/margin", {"data": rows})
