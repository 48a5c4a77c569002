"""Each pitfall of Zerodha's fact sheet by its number, and what keeps us out of it."""

import json
from datetime import date, datetime, time
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.errors import AddressRefused, BadAnswer, RequestRefused, SessionRefused
from algo_brokers.order_states import is_unknown
from algo_brokers.outcomes import Rejected, Unknown
from algo_brokers.registry import adapter_of
from algo_brokers.zerodha import feed, margins, requests, responses, session
from algo_brokers.zerodha.capability import FACTS
from algo_crds.contracts.clock import IST
from algo_crds.contracts.orders import OrderStatus, Product, RejectKind
from order_samples import new_order
from zerodha_stand import HELD, ORDER, Ear, Stand, ok

HEAD = "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,"
HEAD += "segment,exchange\n"
TAG = "a12345678abce001"


def refused(status: int, error_type: str, message: str) -> Any:
    async def handle(_: web.Request) -> web.StreamResponse:
        body = {"status": "error", "error_type": error_type, "message": message, "data": None}
        return web.json_response(body, status=status)

    return handle


def row(**changes: Any) -> dict[str, Any]:
    values = {
        "order_id": "1",
        "status": "OPEN",
        "exchange": "NSE",
        "tradingsymbol": "RELIANCE",
        "product": "MIS",
        "transaction_type": "SELL",
        "order_type": "SL",
        "quantity": 10,
        "price": 100,
        "trigger_price": 101,
        "tag": TAG,
    }
    return values | changes


async def test_pitfall_01_a_403_for_the_address_ends_no_session(stand: Stand) -> None:
    stand.handler = refused(403, "PermissionException", "No IPs configured for this app. Add allowed IPs.")
    outcome = await stand.broker.place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, outcome.session_over) == (RejectKind.ADDRESS, False)
    with pytest.raises(AddressRefused):
        await stand.broker.read_book(begun_at=0)
    assert stand.over == [], "nobody is asked to log in again"
    stand.handler = refused(403, "TokenException", "Token is invalid or has expired.")
    with pytest.raises(SessionRefused):
        await stand.broker.read_book(begun_at=0)
    assert stand.over == [1]


async def test_pitfall_02_a_write_that_timed_out_is_unknown_and_sent_once(stand: Stand) -> None:
    message = "Order request timed out. Please check the order book and confirm before placing again."
    stand.handler = refused(400, "OrderException", message)
    assert await stand.broker.place(order=ORDER) == Unknown(reason=message)
    assert stand.seen == ["POST /orders/regular"]

    async def book(_: web.Request) -> web.StreamResponse:
        return ok([row(), row(order_id="2", tag="another")])

    stand.handler = book
    assert [one.broker_order_id for one in await stand.broker.read_by_tag(tag=TAG, begun_at=1)] == ["1"]


def test_pitfall_03_every_row_says_all_so_that_a_missed_one_does_no_harm() -> None:
    """Rows are merged by the engine, whose fills never fall and whose ends stay; a row needs no row before it."""
    told = json.dumps([row(status="COMPLETE", filled_quantity=10, average_price=100), row(filled_quantity=4)])
    done, late = responses.order_rows(told.encode(), read_at=1)
    assert (done.filled, done.status) == (10, OrderStatus.FILLED)
    assert (late.filled, late.broker_order_id) == (4, done.broker_order_id)


async def test_pitfall_04_a_link_lives_by_its_heartbeats_not_by_its_prices(stand: Stand) -> None:
    ear = Ear()
    await stand.broker.open_feed(listener=ear)
    await stand.until(1)
    await stand.sockets[0].send_bytes(b"\0")
    assert await ear.until(1) == [1], "a heartbeat is a frame without a price"
    assert feed.SILENCE_S >= 5


def test_pitfall_05_unknown_statuses_and_keys_are_tolerated() -> None:
    (known,) = responses.order_rows(json.dumps([row(brand_new=1, meta={"x": [1]})]).encode(), read_at=1)
    (unknown,) = responses.order_rows(json.dumps([row(status="GONE FISHING")]).encode(), read_at=1)
    assert known.status is OrderStatus.TRIGGERED
    assert is_unknown(unknown)
    body = {"status": "error", "error_type": "NeverSeenException", "message": "what"}
    outcome = responses.write_outcome(responses.HttpAnswer(400, "application/json", json.dumps(body).encode()))
    assert isinstance(outcome, Rejected | Unknown)


async def test_pitfall_06_tokens_are_of_the_list_of_the_day(stand: Stand) -> None:
    """Lists are read anew; what is public carries the day's tokens and asks nobody for a session."""
    lines = iter(["1,1,NIFTY26NOVFUT,NIFTY,0,2026-11-24,0,0.1,75,FUT,NFO-FUT,NFO\n"])

    async def handle(request: web.Request) -> web.StreamResponse:
        assert "Authorization" not in request.headers
        return web.Response(text=HEAD + next(lines), content_type="text/csv")

    stand.handler = handle
    adapter = adapter_of("zerodha")
    listing = adapter.read_public_list(stand.parts.transport, stand.parts.endpoints, lambda: 0)
    (found,) = await listing(exchange="NFO")
    assert (found.token, found.expiry) == (1, date(2026, 11, 24))

    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>", content_type="text/html")

    stand.handler = page
    with pytest.raises(BadAnswer, match="text/html"):
        await listing(exchange="NFO")
    stand.handler = refused(400, "InputException", "bad exchange")
    with pytest.raises(RequestRefused):
        await listing(exchange="NFO")


def test_pitfall_07_an_exit_has_the_product_of_its_entry() -> None:
    for product, word in ((Product.INTRADAY, "MIS"), (Product.DELIVERY, "CNC")):
        sent = requests.place(HELD, new_order(product=product)).body.decode()
        assert f"product={word}" in sent
    assert {stop.product for stop in FACTS.stops} == set(Product)


def test_pitfall_08_a_lack_of_margin_is_known_by_its_text_whatever_its_type() -> None:
    for error_type in ("MarginException", "GeneralException", "OrderException", "InputException"):
        body = {"status": "error", "error_type": error_type, "message": "Insufficient funds. Required margin is 1."}
        outcome = responses.write_outcome(responses.HttpAnswer(400, "application/json", json.dumps(body).encode()))
        assert isinstance(outcome, Rejected)
        assert outcome.kind is RejectKind.MARGIN


async def test_pitfall_09_an_empty_book_of_the_next_morning_is_an_empty_book(stand: Stand) -> None:
    """Not an error and not a proof: the runner keeps its own journal of what it has sent."""

    async def handle(_: web.Request) -> web.StreamResponse:
        return ok([])

    stand.handler = handle
    assert await stand.broker.read_book(begun_at=0) == ()


def test_pitfall_10_every_call_names_the_regular_variety() -> None:
    """After-market orders are never placed, so that none has to be cancelled under another name."""
    assert requests.cancel(HELD, "1").target == "/orders/regular/1"
    assert "amo" not in requests.place(HELD, ORDER).body.decode().lower()


async def test_pitfall_11_a_logout_elsewhere_is_noticed_at_the_next_call(stand: Stand) -> None:
    stand.handler = refused(403, "TokenException", "Token is invalid or has expired.")
    outcome = await stand.broker.place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, outcome.session_over, stand.over) == (RejectKind.SESSION, True, [1])
    login = datetime.combine(date(2026, 3, 2), time(8), IST)
    end = datetime.combine(date(2026, 3, 3), time(6), IST)
    assert session.valid_until(int(login.timestamp() * 1000)) == int(end.timestamp() * 1000), "at the latest"


def test_pitfall_12_a_closed_market_is_no_matter_of_the_product() -> None:
    message = "MIS (intraday) are blocked as the markets are not open for trading today. Try placing an AMO order."
    body = {"status": "error", "error_type": "InputException", "message": message}
    outcome = responses.write_outcome(responses.HttpAnswer(400, "application/json", json.dumps(body).encode()))
    assert isinstance(outcome, Rejected)
    assert outcome.kind is RejectKind.CLOSED


def test_pitfall_13_the_freeze_quantity_is_told_by_the_refusal_alone() -> None:
    body = {"status": "error", "error_type": "InputException", "message": "quantity exceeds the freeze limit of 1800"}
    outcome = responses.write_outcome(responses.HttpAnswer(400, "application/json", json.dumps(body).encode()))
    assert isinstance(outcome, Rejected)
    assert outcome.kind is RejectKind.QUANTITY
    assert "iceberg" not in requests.place(HELD, ORDER).body.decode()


async def test_what_a_basket_would_take(stand: Stand) -> None:
    sent: list[Any] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        sent.extend(await request.json())
        return ok({"initial": {"total": 9.0}, "final": {"total": 1234.5}})

    stand.handler = handle
    assert (await stand.broker.read_margin(orders=(ORDER, ORDER))).required == 12_345_000
    assert stand.seen == ["POST /margins/basket"]
    assert [one["tradingsymbol"] for one in sent] == ["RELIANCE", "RELIANCE"]
    for bad in (b"{}", b'{"final":{"total":"x"}}', b'{"final":{"total":1e300}}', b"\xff"):
        with pytest.raises(BadAnswer, match="no total"):
            margins.margin(bad)
