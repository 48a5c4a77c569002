"""The order line against a raw server: when bytes leave, and what an answer that comes too late does."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from algo_brokers.http import AnswerLostError
from algo_brokers.order_line import OrderLine, create_order_line
from raw_server import OK, PUT, RawServer


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    one = RawServer()
    listening = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = listening.sockets[0].getsockname()[1]
    yield one
    listening.close()
    for writer in one.writers:
        writer.close()


@pytest.fixture
async def line(server: RawServer) -> AsyncIterator[OrderLine]:
    one = create_order_line(f"http://127.0.0.1:{server.port}")
    yield one
    await one.close()


async def test_with_a_kept_connection_the_bytes_leave_before_the_first_wait(server: RawServer, line: OrderLine) -> None:
    await line.warm()
    work = line.send(PUT, timeout_s=5)
    work.send(None)  # begun by a callback, which is no task
    await server.until(lambda: server.came.endswith(b"\r\n\r\nx=1"))
    assert server.came.startswith(b"PUT /orders/17 HTTP/1.1\r\nHost: 127.0.0.1:")
    work.close()


async def test_an_answer_in_pieces_and_the_connection_again(server: RawServer, line: OrderLine) -> None:
    for count in range(1, 4):
        asked = asyncio.create_task(line.send(PUT, timeout_s=5))
        await server.asked(count)
        for at in range(0, len(OK), 7):
            server.writers[0].write(OK[at : at + 7])
            await asyncio.sleep(0)
        answer = await asked
        assert (answer.status, answer.content_type, answer.body) == (200, "text/plain", b"ok")
    assert len(server.writers) == 1


async def test_a_late_answer_is_nobodys(server: RawServer, line: OrderLine) -> None:
    with pytest.raises(AnswerLostError, match="no answer within"):
        await line.send(PUT, timeout_s=0.02)
    await server.asked(1)
    server.writers[0].write(OK)
    asked = asyncio.create_task(line.send(PUT, timeout_s=5))
    await server.asked(2)
    assert len(server.writers) == 2, "a connection that owes an answer is not used again"
    server.writers[1].write(OK.replace(b"ok", b"no"))
    assert (await asked).body == b"no"


async def test_a_second_answer_ends_the_connection(server: RawServer, line: OrderLine) -> None:
    asked = asyncio.create_task(line.send(PUT, timeout_s=5))
    await server.asked(1)
    server.writers[0].write(OK + OK)
    assert (await asked).body == b"ok"
    asked = asyncio.create_task(line.send(PUT, timeout_s=5))
    await server.asked(2)
    assert len(server.writers) == 2, "what was said unasked must not answer the next order"
    server.writers[1].write(OK)
    await asked


async def test_a_cut_answer_is_lost(server: RawServer, line: OrderLine) -> None:
    asked = asyncio.create_task(line.send(PUT, timeout_s=5))
    await server.asked(1)
    server.writers[0].write(OK[:-1])
    server.writers[0].close()
    with pytest.raises(AnswerLostError):
        await asked
    assert server.came.count(b"PUT ") == 1


async def test_an_answer_without_a_length_ends_with_the_connection(server: RawServer, line: OrderLine) -> None:
    asked = asyncio.create_task(line.send(PUT, timeout_s=5))
    await server.asked(1)
    server.writers[0].write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it")
    server.writers[0].close()
    assert (await asked).body == b"all of it"


async def test_a_cancelled_call_does_not_keep_its_connection(server: RawServer, line: OrderLine) -> None:
    asked = asyncio.create_task(line.send(PUT, timeout_s=5))
    await server.asked(1)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    asked = asyncio.create_task(line.send(PUT, timeout_s=5))
    await server.asked(2)
    server.writers[-1].write(OK)
    await asked
    assert len(server.writers) == 2


async def test_two_orders_at_once_find_open_connections(server: RawServer, line: OrderLine) -> None:
    await line.warm()
    await line.warm()  # as often as one likes
    await server.until(lambda: len(server.writers) == 2)
    both = [asyncio.create_task(line.send(PUT, timeout_s=5)) for _ in range(2)]
    await server.asked(2)
    assert len(server.writers) == 2
    for writer in server.writers:
        writer.write(OK)
    assert [answer.body for answer in await asyncio.gather(*both)] == [b"ok", b"ok"]


async def test_a_connection_that_the_server_closes_while_idle_is_replaced(server: RawServer, line: OrderLine) -> None:
    await line.warm()
    await server.until(lambda: len(server.writers) == 2)
    for writer in server.writers:
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.01)
    await line.warm()
    asked = asyncio.create_task(line.send(PUT, timeout_s=5))
    await server.asked(1)
    assert len(server.writers) == 4
    for writer in server.writers[2:]:
        writer.write(OK)
    assert (await asked).body == b"ok"
