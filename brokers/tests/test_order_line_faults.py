"""What a broker, a proxy or a network may do to an order under way: one outcome, and the order never leaves twice."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest
from algo_brokers import order_line
from algo_brokers.http import AnswerLostError, HttpAnswer, NothingSentError
from algo_brokers.order_line import OrderLine, create_order_line
from msgspec.structs import replace
from raw_server import OK, PUT, RawServer

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BIG = b"order" * 400_000
GZIP = gzip.compress(b"ok" * 50)


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


async def ask(server: RawServer, line: OrderLine, says: bytes, *, closes: bool = False) -> HttpAnswer:
    """One order, to which the server says this, and hangs up."""
    asked = asyncio.create_task(line.send(PUT, timeout_s=5))
    before = server.came.count(b"x=1")
    await server.asked(before + 1)
    server.writers[-1].write(says)
    if closes:
        server.writers[-1].close()
    return await asked


def head(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", *lines, "", "")).encode() + body


GOOD: dict[str, tuple[bytes, bytes]] = {
    "100 before it": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
    "several 1xx before it": (
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Go\r\n\r\n" + OK,
        b"ok",
    ),
    "in chunks": (CHUNKED + b"2\r\nor\r\n3;x=y\r\nder\r\n0\r\n\r\n", b"order"),
    "in chunks with a trailer": (CHUNKED + b"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n", b"ok"),
    "larger than any buffer": (head(f"Content-Length: {len(BIG)}", body=BIG), BIG),
    "larger than any buffer, in chunks": (CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BIG), BIG), BIG),
    "packed": (head("Content-Encoding: gzip", f"Content-Length: {len(GZIP)}", body=GZIP), b"ok" * 50),
    "empty": (head("Content-Length: 0"), b""),
    "without a body by its status": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
}


@pytest.mark.parametrize("form", GOOD)
async def test_an_answer_of_any_form_is_read_and_its_connection_kept(
    server: RawServer, line: OrderLine, form: str
) -> None:
    says, body = GOOD[form]
    for _ in range(2):
        assert (await ask(server, line, says)).body == body
    assert len(server.writers) == 1


LAST: dict[str, tuple[bytes, bytes]] = {
    "says so": (head("Connection: close", "Content-Length: 2", body=b"ok"), b"ok"),
    "of an older protocol": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    "without a length": (head("Connection: close", body=b"all of it"), b"all of it"),
    "packed without a length": (head("Connection: close", "Content-Encoding: gzip", body=GZIP), b"ok" * 50),
}


@pytest.mark.parametrize("form", LAST)
async def test_an_answer_that_ends_its_connection_is_read_and_the_next_order_gets_another(
    server: RawServer, line: OrderLine, form: str
) -> None:
    says, body = LAST[form]
    assert (await ask(server, line, says, closes=True)).body == body
    assert (await ask(server, line, OK)).body == b"ok"
    assert [came.count(b"PUT ") for came in server.each] == [1, 1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_never_followed(server: RawServer, line: OrderLine, status: int) -> None:
    where = f"http://127.0.0.1:{server.port}/elsewhere"
    says = f"HTTP/1.1 {status} Moved\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()
    assert (await ask(server, line, says)).status == status
    assert (await ask(server, line, OK)).status == 200
    assert b"elsewhere" not in server.came
    assert server.came.count(b"PUT ") == 2


@pytest.mark.parametrize("status", [401, 408, 425, 429, 500, 502, 503, 504])
async def test_a_failure_is_an_answer_and_never_tried_again(server: RawServer, line: OrderLine, status: int) -> None:
    says = f"HTTP/1.1 {status} No\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n".encode()
    assert (await ask(server, line, says)).status == status
    assert server.came.count(b"PUT ") == 1


LOST: dict[str, bytes] = {
    "nothing": b"",
    "no HTTP": b"\x16\x03\x01\x02\x00hello\r\n\r\n",
    "a second protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "1xx only": b"HTTP/1.1 100 Continue\r\n\r\n",
    "a head without an end": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000,
    "two lengths": head("Content-Length: 2", "Content-Length: 3", body=b"okk"),
    "a length that is no number": head("Content-Length: two", body=b"ok"),
    "less than its length": head("Content-Length: 3", body=b"ok"),
    "a chunk without an end": CHUNKED + b"5\r\norde",
    "chunks without the last": CHUNKED + b"2\r\nok\r\n",
    "a chunk's length that is no number": CHUNKED + b"xyz\r\nok\r\n0\r\n\r\n",
    "packed, and it is not": head("Content-Encoding: gzip", "Content-Length: 2", body=b"ok"),
    "packed, and cut": head("Connection: close", "Content-Encoding: gzip", body=GZIP[:-9]),
}


@pytest.mark.parametrize("form", LOST)
async def test_what_is_no_whole_answer_is_a_lost_answer_at_once(server: RawServer, line: OrderLine, form: str) -> None:
    asking = ask(server, line, LOST[form], closes=True)
    with pytest.raises(AnswerLostError) as caught:
        await asking
    assert "no answer within" not in str(caught.value), "it was known before the time-out"
    assert server.came.count(b"PUT ") == 1
    assert (await ask(server, line, OK)).body == b"ok"


@pytest.mark.parametrize("cut", range(len(OK)))
async def test_a_connection_that_dies_at_any_byte_of_the_answer_is_a_lost_answer(
    server: RawServer, line: OrderLine, cut: int
) -> None:
    await line.warm()
    asked = asyncio.create_task(line.send(PUT, timeout_s=5))
    await server.asked(1)
    writer = next(one for one, came in zip(server.writers, server.each, strict=True) if came)
    writer.write(OK[:cut])
    await writer.drain()
    writer.transport.abort() if cut % 2 else writer.close()
    with pytest.raises(AnswerLostError):
        await asked
    assert server.came.count(b"PUT ") == 1


async def test_an_order_never_waits_behind_an_answer_that_is_outstanding(server: RawServer, line: OrderLine) -> None:
    first = asyncio.create_task(line.send(PUT, timeout_s=5))
    await server.asked(1)
    second = asyncio.create_task(line.send(PUT, timeout_s=5))
    await server.asked(2)
    assert [came.count(b"PUT ") for came in server.each] == [1, 1], "each on a connection of its own"
    server.writers[1].write(OK.replace(b"ok", b"b2"))
    assert (await second).body == b"b2"
    server.writers[0].write(OK.replace(b"ok", b"b1"))
    assert (await first).body == b"b1"


async def test_an_order_never_goes_out_on_a_connection_that_is_half_closed(
    server: RawServer, line: OrderLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the broker's end of a connection and the moment at which the event loop says so, an order written there
    would be dropped in silence, and its outcome unknown."""
    assert (await ask(server, line, OK)).body == b"ok"
    ended, begun = order_line._Wire.eof_received, list[asyncio.Task[HttpAnswer]]()

    def hook(wire: order_line._Wire) -> None:
        ended(wire)
        if not begun:
            begun.append(asyncio.get_running_loop().create_task(line.send(PUT, timeout_s=5)))

    monkeypatch.setattr(order_line._Wire, "eof_received", hook)
    server.writers[0].write_eof()
    await server.asked(2)
    server.writers[1].write(OK)
    assert (await begun[0]).body == b"ok"
    assert [came.count(b"PUT ") for came in server.each] == [1, 1]


async def test_whom_nobody_listens_to_nothing_is_sent() -> None:
    taken = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    taken.close()
    await taken.wait_closed()
    line = create_order_line(f"http://127.0.0.1:{port}")
    with pytest.raises(NothingSentError, match="could not connect"):
        await line.send(PUT, timeout_s=5)


@pytest.mark.parametrize("bad", ["\r\nX: y", "\n", "\r", "\x00", "\r\n\r\nPUT /orders/18 HTTP/1.1"])
@pytest.mark.parametrize("where", ["token", "target", "method"])
async def test_what_could_begin_a_second_request_is_refused_before_any_byte(
    server: RawServer, line: OrderLine, where: str, bad: str
) -> None:
    await line.warm()
    changes: dict[str, Any] = {
        "token": {"headers": (("Authorization", f"token secret{bad}"),)},
        "target": {"target": f"/orders/17{bad}"},
        "method": {"method": f"PUT{bad}"},
    }
    with pytest.raises(NothingSentError) as caught:
        await line.send(replace(PUT, **changes[where]), timeout_s=5)
    assert "secret" not in str(caught.value)
    assert (await ask(server, line, OK)).body == b"ok", "the line goes on"
    assert server.came.count(b" HTTP/1.1") == 1
