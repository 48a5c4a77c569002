"""Builders of every request but the login's and the lasting trigger orders', pure.

JSON bodies; in order calls every number travels as text (docs, Orders). Only limit orders of the day leave: market and
IOC orders are forbidden to algo users since April 2026.
"""

from typing import Any, Final
from urllib.parse import quote as escaped

import msgspec
from algo_crds.contracts.money import format_price
from algo_crds.contracts.orders import OrderType, Side

from algo_brokers.angelone import names
from algo_brokers.http import HttpRequest
from algo_brokers.records import Change, InstrumentRef, NewOrder, OrderRef
from algo_brokers.session import Session

SECURE: Final = "/rest/secure/angelbroking"
MASTER_PATH: Final = "/OpenAPI_File/files/OpenAPIScripMaster.json"
MAX_TAG: Final = 19
"""The server refuses 20 (AB4008: "length should be less than 20 characters")."""
_UNKNOWN_ADDRESS: Final = "127.0.0.1"
_MAC: Final = "02:00:00:00:00:01"
"""Any is taken; one from the range for local use names no device."""


def headers(*, api_key: str, token: str = "", address: str = "") -> tuple[tuple[str, str], ...]:
    """The headers of every call. `address`: the registered outgoing address, where it is known.

    The token goes out with one `Bearer`, whatever it came with: a doubled one is answered `AG8001`.
    """
    base = (
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("X-UserType", "USER"),
        ("X-SourceID", "WEB"),
        ("X-ClientLocalIP", _UNKNOWN_ADDRESS),
        ("X-ClientPublicIP", address or _UNKNOWN_ADDRESS),
        ("X-MACAddress", _MAC),
        ("X-PrivateKey", api_key),
    )
    return (*base, ("Authorization", f"Bearer {bare(token)}")) if token else base


def bare(token: str) -> str:
    """A token without the word `Bearer`, however often it stands there."""
    words = token.split()
    while words and words[0].lower() == "bearer":
        del words[0]
    return " ".join(words)


def _headers(session: Session, address: str = "") -> tuple[tuple[str, str], ...]:
    return headers(api_key=session.api_key, token=session.access_token, address=address)


def post(session: Session, path: str, body: Any, *, address: str = "") -> HttpRequest:
    """A call with a JSON body."""
    return HttpRequest("POST", SECURE + path, _headers(session, address), msgspec.json.encode(body))


def get(session: Session, path: str) -> HttpRequest:
    """A call without parameters."""
    return HttpRequest("GET", SECURE + path, _headers(session))


def exchange_token(instrument: InstrumentRef) -> str:
    """The exchange token as text.

    Raises:
        ValueError: the instrument carries no token of this broker, or one of another exchange.
    """
    kind, token = names.unpack(instrument.token)
    if names.EXCHANGE_TYPES.get(instrument.exchange) != kind or not token:
        raise ValueError(f"{instrument.exchange}:{instrument.symbol} has no Angel One token of that exchange")
    return str(token)


def _spelling(instrument: InstrumentRef) -> dict[str, str]:
    return {
        "tradingsymbol": instrument.broker_symbol,
        "symboltoken": exchange_token(instrument),
        "exchange": instrument.exchange,
    }


def _prices(kind: OrderType, price: int, trigger: int) -> dict[str, str]:
    prices = {"ordertype": names.TYPE[kind], "price": format_price(price)}
    return prices | {"triggerprice": format_price(trigger)} if kind is OrderType.STOP_LIMIT else prices


def place(session: Session, order: NewOrder, *, address: str = "") -> HttpRequest:
    """A new order.

    Raises:
        ValueError: tag, token or the prices of a stop cannot be right (a fault of the caller, found before anything is
            sent).
    """
    if not (order.tag.isascii() and order.tag.isalnum() and len(order.tag) <= MAX_TAG):
        raise ValueError(f"tag {order.tag!r} must be 1 to {MAX_TAG} ASCII letters and digits")
    stop = order.type is OrderType.STOP_LIMIT
    if stop and (order.trigger - order.price) * (1 if order.side is Side.SELL else -1) < 0:
        raise ValueError(f"a {order.side} stop's limit lies beyond its trigger, not before it")
    body = {
        "variety": "STOPLOSS" if stop else "NORMAL",
        **_spelling(order.instrument),
        "transactiontype": names.SIDE[order.side],
        **_prices(order.type, order.price, order.trigger),
        "producttype": names.product(order.instrument.exchange, order.product),
        "duration": "DAY",
        "quantity": str(order.quantity),
        "ordertag": order.tag,
    }
    return post(session, "/order/v1/placeOrder", body, address=address)


def modify(session: Session, change: Change, instrument: InstrumentRef, *, address: str = "") -> HttpRequest:
    """The complete new state of a live order of `instrument`; `quantity` is the total (UNVERIFIED).

    Raises:
        ValueError: the instrument has no token.
    """
    order = change.order
    body = {
        "variety": names.variety(order.leg),
        "orderid": order.broker_order_id,
        **_prices(change.type, change.price, change.trigger),
        "producttype": names.product(instrument.exchange, order.product),
        "duration": "DAY",
        "quantity": str(change.quantity),
        **_spelling(instrument),
    }
    return post(session, "/order/v1/modifyOrder", body, address=address)


def cancel(session: Session, order: OrderRef, *, address: str = "") -> HttpRequest:
    """Cancel a live order; the variety must be the one it was placed with."""
    body = {"variety": names.variety(order.leg), "orderid": order.broker_order_id}
    return post(session, "/order/v1/cancelOrder", body, address=address)


def book(session: Session) -> HttpRequest:
    """The day's orders."""
    return get(session, "/order/v1/getOrderBook")


def details(session: Session, unique_order_id: str) -> HttpRequest:
    """One order as it is now, by the longer of its two ids."""
    return get(session, f"/order/v1/details/{escaped(unique_order_id, safe='')}")


def trades(session: Session) -> HttpRequest:
    """The day's fills."""
    return get(session, "/order/v1/getTradeBook")


def positions(session: Session) -> HttpRequest:
    """Net positions."""
    return get(session, "/order/v1/getPosition")


def holdings(session: Session) -> HttpRequest:
    """Shares in the demat account."""
    return get(session, "/portfolio/v1/getHolding")


def funds(session: Session) -> HttpRequest:
    """Limits of the account."""
    return get(session, "/user/v1/getRMS")


def profile(session: Session) -> HttpRequest:
    """Whose session it is."""
    return get(session, "/user/v1/getProfile")


def margin(session: Session, orders: tuple[NewOrder, ...]) -> HttpRequest:
    """What a basket would take. Unlike in order calls, quantity and price are JSON numbers. Raises `ValueError`."""
    rows = [
        {
            "exchange": order.instrument.exchange,
            "qty": order.quantity,
            # A number exactly as written: a float would round.
            "price": msgspec.Raw(format_price(order.price).encode()),
            "productType": names.product(order.instrument.exchange, order.product),
            "token": exchange_token(order.instrument),
            "tradeType": names.SIDE[order.side],
            "orderType": names.TYPE[order.type],
        }
        for order in orders
    ]
    return post(session, "/margin/v1/batch", {"positions": rows})


def quotes(session: Session, instruments: tuple[InstrumentRef, ...]) -> HttpRequest:
    """Full quotes by token, at most 50 a call. Raises `ValueError`."""
    tokens: dict[str, list[str]] = {}
    for one in instruments:
        tokens.setdefault(one.exchange, []).append(exchange_token(one))
    return post(session, "/market/v1/quote/", {"mode": "FULL", "exchangeTokens": tokens})


def last_price(session: Session, instrument: InstrumentRef) -> HttpRequest:
    """The last price of one instrument: a call with a wider limit than the quote's. Raises `ValueError`."""
    return post(session, "/order/v1/getLtpData", _spelling(instrument))


def candles(session: Session, instrument: InstrumentRef, *, interval: str, first: str, last: str) -> HttpRequest:
    """Bars between two minutes of exchange time (`2026-03-02 09:15`), both included. Raises `ValueError`."""
    body = {
        "exchange": instrument.exchange,
        "symboltoken": exchange_token(instrument),
        "interval": interval,
        "fromdate": first,
        "todate": last,
    }
    return post(session, "/historical/v1/getCandleData", body)


def scrip_master() -> HttpRequest:
    """The list of all exchanges: a public file, no headers."""
    return HttpRequest("GET", MASTER_PATH)
