"""Writes over real sockets: once, and unknown where the answer was not seen."""

import asyncio
import dataclasses

import pytest
from aiohttp import web
from algo_brokers import calls
from algo_brokers.adapter_parts import AdapterParts
from algo_brokers.errors import BrokerUnavailable
from algo_brokers.http import FORM
from algo_brokers.order_line import OrderLine, create_order_line
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_brokers.port import Broker
from algo_brokers.records import Change
from algo_brokers.registry import adapter_of
from algo_crds.contracts.orders import OrderType, RejectKind
from connect_proxy import connect_proxy
from order_samples import order_ref
from zerodha_stand import CANARY, HELD, ORDER, Stand, ok


async def test_place_modify_cancel_over_one_kept_connection(stand: Stand) -> None:
    ports = []

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"token canarykey41:{CANARY}"
        if request.method != "DELETE":
            assert request.content_type == FORM
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return ok({"order_id": "17"})

    stand.handler = handle
    accepted = Accepted(broker_order_id="17")
    await stand.line.warm()
    assert await stand.broker.place(order=ORDER) == accepted
    change = Change(order=order_ref("17"), type=OrderType.LIMIT, quantity=10, price=1)
    assert await stand.broker.modify(change=change) == accepted
    assert await stand.broker.cancel(order=order_ref("17")) == accepted
    assert stand.seen == ["POST /orders/regular", "PUT /orders/regular/17", "DELETE /orders/regular/17"]
    assert len(set(ports)) == 1


async def test_a_lost_answer_is_unknown_and_nothing_is_sent_twice(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return ok({})

    stand.handler = handle
    outcome = await stand.broker.place(order=ORDER)
    assert isinstance(outcome, Unknown)
    assert stand.seen == ["POST /orders/regular"]


async def test_a_time_out_is_unknown(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "TIMEOUT_S", 0.05)
    gate = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        await gate.wait()
        return ok({"order_id": "17"})

    stand.handler = handle
    outcome = await stand.broker.place(order=ORDER)
    gate.set()
    assert isinstance(outcome, Unknown)
    assert "no answer within" in outcome.reason
    assert stand.seen == ["POST /orders/regular"]


async def test_a_connection_that_the_server_closed_is_not_used_again(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        answer = ok({"order_id": "17"})
        answer.force_close()
        return answer

    stand.handler = handle
    for _ in range(3):
        assert isinstance(await stand.broker.place(order=ORDER), Accepted)


async def test_nonsense_on_the_wire_is_unknown() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-hello\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    line = create_order_line(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    broker = _broker(line)
    assert isinstance(await broker.place(order=ORDER), Unknown)
    await line.close()
    server.close()


def _broker(line: OrderLine) -> Broker:
    adapter = adapter_of("zerodha")
    parts = AdapterParts(
        transport=lambda _base: line.send,
        write=line.send,
        current=lambda: HELD,
        now=lambda: 0,
        endpoints=adapter.endpoints,
    )
    return adapter.create_broker(parts)


async def test_no_connection_is_a_certain_refusal() -> None:
    probe = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = probe.sockets[0].getsockname()[1]
    probe.close()
    await probe.wait_closed()
    line = create_order_line(f"http://127.0.0.1:{port}")
    outcome = await _broker(line).place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert outcome.kind is RejectKind.BROKER_DOWN
    with pytest.raises(BrokerUnavailable):
        await _broker(line).read_book(begun_at=0)


async def test_orders_leave_through_the_egress_proxy_and_reads_do_not(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return ok({"order_id": "17"} if request.method != "GET" else [])

    stand.handler = handle
    target = stand.parts.endpoints.rest.removeprefix("http://")
    async with connect_proxy("u:p") as proxy:
        line = create_order_line(f"http://{target}", proxy=proxy.url)
        broker = adapter_of("zerodha").create_broker(dataclasses.replace(stand.parts, write=line.send))
        assert isinstance(await broker.place(order=ORDER), Accepted)
        assert isinstance(await broker.cancel(order=order_ref("17")), Accepted)
        assert await broker.read_book(begun_at=0) == ()
        await line.close()
        assert set(proxy.targets) == {target}
        through = bytes(proxy.sent)
        assert through.count(b"POST /orders/regular") == through.count(b"DELETE /orders/regular/") == 1
        assert b"GET " not in through
        assert len(stand.seen) == 3
        refused = create_order_line(f"http://{target}", proxy=proxy.url.replace("u:p@", ""))
        outcome = await _broker(refused).place(order=ORDER)
        assert isinstance(outcome, Rejected)
        assert "407" in outcome.message
        assert (proxy.refused, len(stand.seen)) == (1, 3)
