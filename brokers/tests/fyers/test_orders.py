"""Writes over real sockets: once, unknown where the answer was not seen, and no secret in any text."""

import asyncio
import logging
from typing import Any

import pytest
from aiohttp import web
from algo_brokers import calls
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_brokers.records import Change
from algo_crds.contracts.orders import OrderType, RejectKind
from fyers_stand import APP, HELD, KEY, ORDER, TOKEN, Ear, Stand, ok
from order_samples import order_ref

PLACED = {"code": 1101, "message": "Order submitted successfully.", "id": "26112300000105"}
CHANGE = Change(order=order_ref("26112300000105"), type=OrderType.LIMIT, quantity=10, price=1)


async def test_place_modify_cancel_over_one_kept_connection(stand: Stand) -> None:
    ports, bodies = set(), []

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"{APP}:{TOKEN}"
        assert request.content_type == "application/json"
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        bodies.append(await request.json())
        codes = {"POST": 1101, "PATCH": 1102, "DELETE": 1103}
        return ok(code=codes[request.method], id="26112300000105")

    stand.handler = handle
    accepted = Accepted(broker_order_id="26112300000105")
    await stand.line.warm()
    assert await stand.broker.place(order=ORDER) == accepted
    assert await stand.broker.modify(change=CHANGE) == accepted
    assert await stand.broker.cancel(order=order_ref("26112300000105")) == accepted
    assert stand.seen == ["POST /api/v3/orders/sync", "PATCH /api/v3/orders/sync", "DELETE /api/v3/orders/sync"]
    assert [body.get("id") for body in bodies] == [None, "26112300000105", "26112300000105"]
    assert len(ports) == 1


async def test_a_lost_answer_is_unknown_and_nothing_is_sent_twice(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return ok()

    stand.handler = handle
    assert isinstance(await stand.broker.place(order=ORDER), Unknown)
    assert stand.seen == ["POST /api/v3/orders/sync"]


async def test_a_time_out_is_unknown(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "TIMEOUT_S", 0.05)
    gate = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        await gate.wait()
        return ok(**PLACED)

    stand.handler = handle
    outcome = await stand.broker.place(order=ORDER)
    gate.set()
    assert isinstance(outcome, Unknown)
    assert stand.seen == ["POST /api/v3/orders/sync"]


async def test_without_a_session_nothing_is_sent(stand: Stand) -> None:
    stand.session = None
    outcome = await stand.broker.place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert outcome.kind is RejectKind.SESSION
    assert stand.seen == []


@pytest.mark.parametrize("code", [-8, -15, -16, -17])
async def test_a_dead_session_is_told(stand: Stand, code: int) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response({"s": "error", "code": code, "message": "over"}, status=401)

    stand.handler = handle
    outcome = await stand.broker.place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert outcome.session_over
    assert stand.over == [1]


async def test_no_secret_is_in_any_text(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    """The broker echoes all it was told, in every answer and on every call of the adapter."""
    caplog.set_level(logging.DEBUG)
    echo = f"bad {APP}:{TOKEN} {KEY}"
    status = [400]

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response({"s": "error", "code": -99, "message": echo}, status=status[0])

    stand.handler = handle
    broker = stand.broker
    texts: list[str] = [repr(HELD), str(HELD), repr(ORDER), repr(broker)]

    async def note(what: Any) -> None:
        try:
            texts.append(repr(await what))
        except Exception as error:
            texts.append(f"{error!r} {error} {error.__context__ if not error.__suppress_context__ else ''}")

    for status[0] in (400, 401, 403, 429, 500):
        await note(broker.place(order=ORDER))
        await note(broker.modify(change=CHANGE))
        await note(broker.cancel(order=order_ref("1")))
        await note(broker.read_book(begun_at=0))
        await note(broker.read_by_tag(tag="abc", begun_at=0))
        await note(broker.read_order(broker_order_id="1", begun_at=0))
        await note(broker.read_funds())
        await note(broker.read_margin(orders=(ORDER,)))
        await note(broker.read_ltp(instruments=(ORDER.instrument,)))
        await note(broker.read_quotes(instruments=(ORDER.instrument,)))
        await note(broker.read_instruments(exchange="NSE"))
        assert broker.triggers is not None
        await note(broker.triggers.read())
    stand.session = HELD
    opening = asyncio.create_task(broker.open_feed(listener=Ear()))
    await asyncio.sleep(0)
    opening.cancel()
    everything = "\n".join([*texts, caplog.text])
    assert "bad " in everything
    for secret in (TOKEN, APP, KEY, TOKEN.split(".")[1]):
        assert secret not in everything
