"""Order calls of each broker as bytes: what a server reads of them is one request, the one that was meant."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote

import h11
import msgspec
import pytest
from algo_brokers.adapter_parts import AdapterParts
from algo_brokers.http import HttpAnswer, HttpRequest, NothingSentError
from algo_brokers.outcomes import Rejected, WriteOutcome
from algo_brokers.port import Broker
from algo_brokers.records import Change, NewOrder
from algo_brokers.registry import adapter_of
from algo_brokers.request_bytes import RequestWriter
from algo_brokers.session import Session, secrets_of
from algo_crds.contracts.orders import Leg, OrderType, RejectKind, Side
from every_broker import BROKERS, HELD, ORDER
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from order_samples import order_ref

HOST = "broker.example"


class Wire:
    """An account's adapter whose order calls end as bytes."""

    def __init__(self, broker: str, held: Session) -> None:
        self.requests: list[HttpRequest] = []
        self.sent: list[bytes] = []
        self._writer = RequestWriter(HOST)
        adapter = adapter_of(broker)
        parts = AdapterParts(
            transport=lambda _: self._write,
            write=self._write,
            current=lambda: held,
            now=lambda: 0,
            endpoints=adapter.simulated(f"http://{HOST}"),
        )
        self.broker: Broker = adapter.create_broker(parts)

    async def _write(self, request: HttpRequest, *, timeout_s: float) -> HttpAnswer:
        self.requests.append(request)
        self.sent.append(self._writer.bytes_of(request))
        return HttpAnswer(200, "application/json", b"{}")


def read(data: bytes) -> tuple[h11.Request, bytes]:
    """What a server reads: exactly one request, and nothing behind it."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    head = server.next_event()
    assert isinstance(head, h11.Request)
    body = b""
    while isinstance(event := server.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert server.trailing_data == (b"", False)
    return head, body


def form(body: bytes) -> dict[str, Any]:
    pairs = parse_qsl(body.decode(), strict_parsing=True, keep_blank_values=True)
    assert len({name for name, _ in pairs}) == len(pairs), "a field is said once"
    return dict(pairs)


FIELDS: dict[str, tuple[Callable[[bytes], dict[str, Any]], tuple[str, str, str, str]]] = {
    "zerodha": (form, ("quantity", "price", "trigger_price", "tag")),
    "dhan": (msgspec.json.decode, ("quantity", "price", "triggerPrice", "correlationId")),
    "fyers": (msgspec.json.decode, ("qty", "limitPrice", "stopPrice", "orderTag")),
    "angelone": (msgspec.json.decode, ("quantity", "price", "triggerprice", "ordertag")),
}
"""How a body is read, and what it calls quantity, price, trigger and tag."""
PLACE = {
    "zerodha": ("POST", "/orders/regular"),
    "dhan": ("POST", "/v2/orders"),
    "fyers": ("POST", "/api/v3/orders/sync"),
    "angelone": ("POST", "/rest/secure/angelbroking/order/v1/placeOrder"),
}
MODIFY = {
    "zerodha": ("PUT", "/orders/regular/{id}"),
    "dhan": ("PUT", "/v2/orders/{id}"),
    "fyers": ("PATCH", "/api/v3/orders/sync"),
    "angelone": ("POST", "/rest/secure/angelbroking/order/v1/modifyOrder"),
}
CANCEL = {
    "zerodha": ("DELETE", "/orders/regular/{id}"),
    "dhan": ("DELETE", "/v2/orders/{id}"),
    "fyers": ("DELETE", "/api/v3/orders/sync"),
    "angelone": ("POST", "/rest/secure/angelbroking/order/v1/cancelOrder"),
}
NAMES_THE_ORDER = {"fyers": "id", "angelone": "orderid"}
"""Where the body, not the path, says which order."""

ids = st.text(min_size=1, max_size=24)
"""Whatever a broker may call an order."""
prices = st.integers(1, 20_000_000).map(lambda ticks: ticks * 100)
tags = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=19)
tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=40)


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    """Type, quantity and prices of a sell: a stop's limit lies beyond its trigger."""
    kind = draw(st.sampled_from(OrderType))
    price = draw(prices)
    trigger = price + draw(st.integers(0, 500)) * 100 if kind is OrderType.STOP_LIMIT else 0
    return {"type": kind, "quantity": draw(st.integers(1, 10_000_000)), "price": price, "trigger": trigger}


def as_told(wire: Wire, where: tuple[str, str], order_id: str = "") -> bytes:
    """The one request's body, after all that its record says was found in its bytes."""
    (request,), (data,) = wire.requests, wire.sent
    head, body = read(data)
    assert (head.method.decode(), head.target.decode(), body) == (request.method, request.target, request.body)
    method, path = where
    parts = head.target.decode().split("/")
    assert (head.method.decode(), len(parts)) == (method, len(path.split("/"))), "an id stays within its part"
    told = "/".join([*parts[:-1], unquote(parts[-1])]) if "{id}" in path else head.target.decode()
    assert told == path.replace("{id}", order_id)
    fields = [(name.decode(), value.decode()) for name, value in head.headers]
    lengths = [value for name, value in fields if name == "content-length"]
    assert lengths == ([str(len(body))] if body or method in ("POST", "PUT") else [])
    said = [(name.lower(), value) for name, value in request.headers]
    assert [pair for pair in fields if pair[0] not in ("host", "content-length")] == said
    assert dict(fields)["host"] == HOST
    return body


def check(broker: str, body: bytes, asked: NewOrder | Change) -> dict[str, Any]:
    """Quantity and prices are what was asked, to the last digit."""
    decode, (quantity, price, trigger, _) = FIELDS[broker]
    told = decode(body)
    assert int(told[quantity]) == asked.quantity
    assert round(float(told[price]) * 10_000) == asked.price
    assert round(float(told.get(trigger, 0)) * 10_000) == asked.trigger
    return told


def no_secret(wire: Wire, held: Session) -> None:
    shown = f"{wire.requests} {' '.join(map(str, wire.requests))} {held!r} {held}"
    assert not [secret for secret in secrets_of(held) if secret and secret in shown]


@pytest.mark.parametrize("broker", BROKERS)
@given(asked=values(), tag=tags, side=st.sampled_from(Side))
def test_a_new_order_is_one_request(broker: str, asked: dict[str, Any], tag: str, side: Side) -> None:
    if side is Side.BUY and asked["trigger"]:
        asked = asked | {"trigger": asked["price"], "price": asked["trigger"]}
    wire = Wire(broker, HELD[broker])
    order = replace(ORDER[broker], side=side, tag=tag, **asked)
    asyncio.run(wire.broker.place(order=order))
    told = check(broker, as_told(wire, PLACE[broker]), order)
    assert told[FIELDS[broker][1][3]] == tag
    no_secret(wire, HELD[broker])


@pytest.mark.parametrize("broker", BROKERS)
@given(asked=values(), order_id=ids, leg=st.sampled_from(Leg))
def test_a_change_is_one_request(broker: str, asked: dict[str, Any], order_id: str, leg: Leg) -> None:
    wire = Wire(broker, HELD[broker])
    change = Change(order=order_ref(order_id, instrument=ORDER[broker].instrument, leg=leg), **asked)
    asyncio.run(wire.broker.modify(change=change))
    told = check(broker, as_told(wire, MODIFY[broker], order_id), change)
    if broker in NAMES_THE_ORDER:
        assert told[NAMES_THE_ORDER[broker]] == order_id
    no_secret(wire, HELD[broker])


@pytest.mark.parametrize("broker", BROKERS)
@given(order_id=ids, leg=st.sampled_from(Leg))
def test_a_cancel_is_one_request(broker: str, order_id: str, leg: Leg) -> None:
    wire = Wire(broker, HELD[broker])
    asyncio.run(wire.broker.cancel(order=order_ref(order_id, instrument=ORDER[broker].instrument, leg=leg)))
    body = as_told(wire, CANCEL[broker], order_id)
    if broker in NAMES_THE_ORDER:
        assert msgspec.json.decode(body)[NAMES_THE_ORDER[broker]] == order_id
    no_secret(wire, HELD[broker])


def calls(broker: str, port: Broker) -> Iterator[Awaitable[WriteOutcome]]:
    """Place, modify and cancel, each begun when it is asked for."""
    order = order_ref("17", instrument=ORDER[broker].instrument)
    yield port.place(order=ORDER[broker])
    yield port.modify(change=Change(order=order, type=OrderType.LIMIT, quantity=1, price=10_000))
    yield port.cancel(order=order)


async def all_done(broker: str, port: Broker) -> list[WriteOutcome]:
    return [await call for call in calls(broker, port)]


@pytest.mark.parametrize("broker", BROKERS)
@given(token=tokens, key=tokens)
def test_any_session_leaves_whole_and_is_never_shown(broker: str, token: str, key: str) -> None:
    held = replace(HELD[broker], access_token=token, api_key=key)
    wire = Wire(broker, held)
    asyncio.run(all_done(broker, wire.broker))
    assert len(wire.sent) == 3
    for data in wire.sent:
        head, _ = read(data)
        assert token in " ".join(value.decode() for _, value in head.headers)
    no_secret(wire, held)


@pytest.mark.parametrize("bad", ["\r\nX-Evil: 1", "\n", "\r", "\x00", "\r\n\r\nDELETE /orders HTTP/1.1\r\n\r\n"])
@pytest.mark.parametrize("broker", BROKERS)
def test_a_session_with_a_line_break_sends_nothing(broker: str, bad: str) -> None:
    broken = f"canaryfront{bad}canaryback"
    held = replace(HELD[broker], access_token=broken, api_key=broken)
    wire = Wire(broker, held)
    for outcome in asyncio.run(all_done(broker, wire.broker)):
        assert isinstance(outcome, Rejected)
        assert outcome.kind is RejectKind.BROKER_DOWN
        assert "canary" not in outcome.message
    assert len(wire.requests) == 3
    assert not wire.sent
    for request in wire.requests:
        with pytest.raises(NothingSentError) as caught:
            RequestWriter(HOST).bytes_of(request)
        assert "canary" not in str(caught.value)
