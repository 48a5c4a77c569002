"""Builders of the calls for orders, portfolio and prices, pure. Every body is JSON and names the client.

Source: DhanHQ v2 docs; where docs and the official library differ, the library's keys are sent.
"""

import re
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

import msgspec
from algo_crds.contracts.clock import IST

from algo_brokers.dhan import names
from algo_brokers.http import HttpRequest
from algo_brokers.records import Change, InstrumentRef, Interval, NewOrder
from algo_brokers.session import Session

_TAG: Final = re.compile(r"[A-Za-z0-9_-]{1,25}")
"""Documented are 30 characters and a blank; measured: 26 and more are refused, and a blank breaks the look-up."""
_STOP: Final = "STOP_LOSS"
LIST_TARGET: Final = "/api-data/api-scrip-master.csv"


def headers(session: Session) -> tuple[tuple[str, str], ...]:
    """The headers of every call; prices want the client's id too."""
    return (
        ("access-token", session.access_token),
        ("client-id", session.client_id),
        ("Accept", "application/json"),
    )


def send(session: Session, method: str, target: str, body: dict[str, object]) -> HttpRequest:
    """A call with a JSON body, to which the client's id is added."""
    whole = {**body, "dhanClientId": session.client_id}
    head = (*headers(session), ("Content-Type", "application/json"))
    return HttpRequest(method, target, head, msgspec.json.encode(whole))


def get(session: Session, target: str) -> HttpRequest:
    """A call without a body."""
    return HttpRequest("GET", target, headers(session))


def rupees(price: int) -> float:
    """A JSON number: 1/10 000 rupee has no rounding in the digits that JSON shows."""
    return price / 10_000


def check_tag(tag: str) -> str:
    """The tag.

    Raises:
        ValueError: it does not fit the broker (a fault of the caller, found before anything is sent).
    """
    if not _TAG.fullmatch(tag):
        raise ValueError(f"tag {tag!r} must be 1 to 25 ASCII letters, digits, _ and -")
    return tag


def with_token(order: NewOrder, words: names.Words) -> NewOrder:
    """The order with its instrument's token, where the caller has not read the day's list.

    Raises:
        ValueError: the list has no such instrument.
    """
    return msgspec.structs.replace(order, instrument=words.ref_of(order.instrument))


def place(session: Session, order: NewOrder) -> HttpRequest:
    """A new order.

    Raises:
        ValueError: the tag does not fit, or the instrument's token is none of this broker.
    """
    security = names.unpack(order.instrument.token)
    return send(
        session,
        "POST",
        "/v2/orders",
        {
            "correlationId": check_tag(order.tag),
            "transactionType": names.SIDE[order.side],
            "exchangeSegment": security.segment,
            "productType": names.product_word(order.product, security.segment),
            "orderType": names.TYPE[order.type],
            "validity": "DAY",
            "securityId": str(security.id),
            "quantity": order.quantity,
            "disclosedQuantity": 0,
            "price": rupees(order.price),
            "triggerPrice": _trigger(names.TYPE[order.type], order.trigger),
            "afterMarketOrder": False,
        },
    )


def _trigger(kind: str, trigger: int) -> float:
    return rupees(trigger) if kind == _STOP else 0.0


def _order_path(broker_order_id: str) -> str:
    return f"/v2/orders/{quote(broker_order_id, safe='')}"


def modify(session: Session, change: Change) -> HttpRequest:
    """Absolute values for a live order; `quantity` is its new total, the filled part included. A stop becomes an exit
    by `orderType` LIMIT."""
    kind = names.TYPE[change.type]
    return send(
        session,
        "PUT",
        _order_path(change.order.broker_order_id),
        {
            "orderId": change.order.broker_order_id,
            "orderType": kind,
            "legName": "",
            "quantity": change.quantity,
            "price": rupees(change.price),
            "disclosedQuantity": 0,
            "triggerPrice": _trigger(kind, change.trigger),
            "validity": "DAY",
        },
    )


def cancel(session: Session, broker_order_id: str) -> HttpRequest:
    """Cancel a live order; no body."""
    return HttpRequest("DELETE", _order_path(broker_order_id), headers(session))


def book(session: Session) -> HttpRequest:
    """The day's orders."""
    return get(session, "/v2/orders")


def one_order(session: Session, broker_order_id: str) -> HttpRequest:
    """One order as it is now; there is no history."""
    return get(session, _order_path(broker_order_id))


def by_tag(session: Session, tag: str) -> HttpRequest:
    """Orders with a correlation id."""
    return get(session, f"/v2/orders/external/{quote(tag, safe='')}")


def trades(session: Session) -> HttpRequest:
    """The day's fills."""
    return get(session, "/v2/trades")


def positions(session: Session) -> HttpRequest:
    """Positions of the day and carried ones."""
    return get(session, "/v2/positions")


def holdings(session: Session) -> HttpRequest:
    """Shares in the demat account."""
    return get(session, "/v2/holdings")


def funds(session: Session) -> HttpRequest:
    """What may be spent."""
    return get(session, "/v2/fundlimit")


def margin(session: Session, orders: tuple[NewOrder, ...]) -> HttpRequest:
    """What orders would take. One order has a call of its own; for several the docs' table and the official library
    name the keys differently, and the library's are sent."""
    rows = [_margin_row(order) for order in orders]
    if len(rows) == 1:
        return send(session, "POST", "/v2/margincalculator", rows[0])
    basket = {"includePosition": True, "includeOrder": True, "scripList": rows}
    return send(session, "POST", "/v2/margincalculator/multi", basket)


def _margin_row(order: NewOrder) -> dict[str, object]:
    security = names.unpack(order.instrument.token)
    return {
        "exchangeSegment": security.segment,
        "transactionType": names.SIDE[order.side],
        "quantity": order.quantity,
        "productType": names.product_word(order.product, security.segment),
        "securityId": str(security.id),
        "price": rupees(order.price),
        "triggerPrice": rupees(order.trigger),
    }


def quotes(session: Session, instruments: tuple[InstrumentRef, ...]) -> HttpRequest:
    """Full quotes, at most 1,000 instruments a call, one call a second."""
    return send(session, "POST", "/v2/marketfeed/quote", _by_segment(instruments))


def ltp(session: Session, instruments: tuple[InstrumentRef, ...]) -> HttpRequest:
    """Last prices, under the same limit."""
    return send(session, "POST", "/v2/marketfeed/ltp", _by_segment(instruments))


def _by_segment(instruments: tuple[InstrumentRef, ...]) -> dict[str, object]:
    wanted: dict[str, list[int]] = {}
    for one in instruments:
        security = names.unpack(one.token)
        wanted.setdefault(security.segment, []).append(security.id)
    return dict(wanted)


_INTERVAL: Final = {
    Interval.MINUTE: "1",
    Interval.FIVE_MINUTES: "5",
    Interval.FIFTEEN_MINUTES: "15",
    Interval.HOUR: "60",
}


def candles(session: Session, *, token: int, kind: str, start: int, end: int, interval: Interval) -> HttpRequest:
    """Bars that open from `start` to before or at `end`, at most 90 days of intraday bars; a daily call's last day is
    exclusive, so the day after is asked for, and the caller drops what lies outside."""
    security = names.unpack(token)
    body: dict[str, object] = {
        "securityId": str(security.id),
        "exchangeSegment": security.segment,
        "instrument": kind,
        "oi": False,
    }
    first, last = _local(start), _local(end)
    if interval is Interval.DAY:
        days = {"fromDate": f"{first:%Y-%m-%d}", "toDate": f"{last + timedelta(days=1):%Y-%m-%d}"}
        return send(session, "POST", "/v2/charts/historical", {**body, "expiryCode": 0, **days})
    times = {"fromDate": f"{first:%Y-%m-%d %H:%M:%S}", "toDate": f"{last + timedelta(seconds=1):%Y-%m-%d %H:%M:%S}"}
    return send(session, "POST", "/v2/charts/intraday", {**body, "interval": _INTERVAL[interval], **times})


def _local(instant: int) -> datetime:
    return datetime.fromtimestamp(instant / 1000, IST)


def instruments() -> HttpRequest:
    """The day's list of every segment, CSV, from a public host: no token goes there."""
    return HttpRequest("GET", LIST_TARGET)
