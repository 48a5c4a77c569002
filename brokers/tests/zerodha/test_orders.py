"""Writes over real sockets: once, and unknown where the answer was not seen."""

import asyncio

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


async def test_orders_leave_through_the_egress_proxy(stand: Stand) -> None:
    asked = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head)
        if "Basic dTpw" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            await writer.drain()
            writer.close()
            return
        host, _, port = head.split()[1].partition(":")
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(4096):
                sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))

    async def handle(request: web.Request) -> web.StreamResponse:
        return ok({"order_id": "17"})

    stand.handler = handle
    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    target = str(stand.line.send.__self__._authority)  # type: ignore[attr-defined]
    line = create_order_line(f"http://{target}", proxy=f"http://u:p@127.0.0.1:{port}")
    assert isinstance(await _broker(line).place(order=ORDER), Accepted)
    assert asked[0].startswith(f"CONNECT {target} HTTP/1.1")
    await line.close()
    refused = create_order_line(f"http://{target}", proxy=f"http://127.0.0.1:{port}")
    outcome = await _broker(refused).place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert "407" in outcome.message
    server.close()
