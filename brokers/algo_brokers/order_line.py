"""The order line: HTTP/1.1 for order calls, made for the time from a decision to the bytes on the wire.

One connection per call in flight, kept open between calls. The bytes of a request are put together here, and where a
connection is kept they are handed to the kernel before the call is first waited for; answers are read by h11. It exists
beside httpx because a general client spends more time before the first byte than the rest of the order's path together.
A kept connection that the server has closed is noticed before use; if it closes while an order is on it, the outcome
is unknown: nothing is ever sent a second time. IPv4 only: brokers refuse a registered account's call over IPv6.
"""

import asyncio
import base64
import contextlib
import socket
import ssl
import zlib
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

import h11

from algo_brokers.http import AnswerLostError, HttpAnswer, HttpRequest, NothingSentError, Transport
from algo_brokers.request_bytes import RequestWriter
from algo_brokers.transports import content_type

_CONNECT_S: Final = 5.0
_KEPT: Final = 4
_READY: Final = 2
"""Connections kept open ahead: in a falling market two stops are reached at once, and a handshake takes longer than all
else that we do."""


class CloseOrderLine(Protocol):
    """Close every kept connection."""

    async def __call__(self) -> None:
        """Calls in flight end as lost answers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """The transport, a way to open its connections ahead of the first order, and its end."""

    send: Transport
    warm: CloseOrderLine
    close: CloseOrderLine


class _Wire(asyncio.Protocol):
    """One connection: at most one request at a time."""

    def __init__(self) -> None:
        self.parser = h11.Connection(h11.CLIENT)
        self.transport: asyncio.Transport | None = None
        self.closed = False
        self._answer: asyncio.Future[HttpAnswer] | None = None
        self._asked: HttpRequest | None = None
        """The request under way, until the parser of its answer has been told of it."""
        self._head: h11.Response | None = None
        self._body = bytearray()
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.transport = transport  # type: ignore[assignment] # uvloop's transports are no subclasses
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def eof_received(self) -> None:
        """The broker will hear nothing more: what is written from now on would be dropped in silence."""
        self.closed = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._answer is not None and not self._answer.done() and self._asked is None:
            with contextlib.suppress(h11.ProtocolError, zlib.error):
                self.parser.receive_data(b"")
                self._read()
        self._fail(f"connection lost ({type(exc).__name__})" if exc else "connection closed by the broker")

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.abort()  # nothing was asked: this connection is out of step
            return
        try:
            if self._asked is not None:
                self._tell_parser(self._asked)
            self.parser.receive_data(data)
            self._read()
        except (h11.ProtocolError, zlib.error) as error:
            self.abort()
            self._fail(f"answer cannot be read ({type(error).__name__})")

    def _tell_parser(self, request: HttpRequest) -> None:
        """What an answer means depends on its request; said late, because nothing of it is needed to send."""
        self._asked = None
        fields = [("Host", "broker"), ("Content-Length", str(len(request.body)))]
        self.parser.send(h11.Request(method=request.method, target="/", headers=fields))
        if request.body:
            self.parser.send(h11.Data(data=request.body))
        self.parser.send(h11.EndOfMessage())

    def _read(self) -> None:
        while True:
            event = self.parser.next_event()
            if isinstance(event, h11.Response):
                self._head = event
            elif isinstance(event, h11.Data):
                self._body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self._finish()
                return
            elif not isinstance(event, h11.InformationalResponse):
                return

    def _finish(self) -> None:
        assert self._head is not None
        assert self._answer is not None
        fields = {name: value.decode("latin-1") for name, value in self._head.headers}
        body = bytes(self._body)
        if fields.get(b"content-encoding", "").lower() == "gzip":
            body = zlib.decompress(body, zlib.MAX_WBITS | 16)
        answer = HttpAnswer(self._head.status_code, content_type(fields.get(b"content-type", "")), body)
        if not self._answer.done():
            self._answer.set_result(answer)

    def _fail(self, reason: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(AnswerLostError(reason))

    def ask(self, request: HttpRequest, data: bytes, timeout_s: float) -> asyncio.Future[HttpAnswer]:
        """Write the whole request at once."""
        assert self.transport is not None
        self.transport.write(data)
        loop = asyncio.get_running_loop()
        self._head, self._body, self._asked = None, bytearray(), request
        self._answer = answer = loop.create_future()
        self._deadline = loop.call_later(timeout_s, self._fail, f"no answer within {timeout_s:g} s")
        return answer

    def asked_enough(self) -> None:
        """Nothing is waited for any more."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def reusable(self) -> bool:
        """Ready for the next request."""
        if self.closed or self.parser.our_state is not h11.DONE or self.parser.their_state is not h11.DONE:
            return False
        if self.parser.trailing_data != (b"", False):
            return False  # what was said unasked must not answer the next order
        self.parser.start_next_cycle()
        self._answer = None
        return True

    def abort(self) -> None:
        """Drop the connection at once."""
        self.closed = True
        if self.transport is not None:
            self.transport.abort()


async def _tunnel(host: str, port: int, proxy_host: str, proxy_port: int, credentials: str) -> socket.socket:
    """A socket to the target through an HTTP proxy's CONNECT."""
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        infos = await loop.getaddrinfo(proxy_host, proxy_port, family=socket.AF_INET, type=socket.SOCK_STREAM)
        await loop.sock_connect(sock, infos[0][4])
        lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
        if credentials:
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(credentials.encode()).decode()}")
        await loop.sock_sendall(sock, ("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = await loop.sock_recv(sock, 4096)
            if not part or len(answer) > 65_536:
                raise OSError("the egress proxy closed the connection")
            answer += part
        status = answer.split(b" ", 2)[1:2]
        if status != [b"200"]:
            raise OSError(f"the egress proxy answered {status[0].decode('latin-1') if status else 'nonsense'}")
    except BaseException:
        sock.close()
        raise
    return sock


class _Line:
    """The connections of one order line."""

    def __init__(self, base_url: str, proxy: str, tls: ssl.SSLContext | None) -> None:
        url = urlsplit(base_url)
        secure = url.scheme == "https"
        self._host = url.hostname or ""
        self._authority = url.netloc.rpartition("@")[2]
        self._writer = RequestWriter(self._authority)
        self._port = url.port or (443 if secure else 80)
        self._context = (tls or ssl.create_default_context()) if secure else None
        self._proxy = urlsplit(proxy) if proxy else None
        self._kept: list[_Wire] = []
        self._busy: set[_Wire] = set()

    async def _connect(self) -> _Wire:
        loop = asyncio.get_running_loop()
        name = self._host if self._context is not None else None
        if self._proxy is None:
            _, wire = await loop.create_connection(
                _Wire, self._host, self._port, family=socket.AF_INET, ssl=self._context, server_hostname=name
            )
            return wire
        proxy = self._proxy
        credentials = f"{proxy.username}:{proxy.password or ''}" if proxy.username else ""
        sock = await _tunnel(self._host, self._port, proxy.hostname or "", proxy.port or 3128, credentials)
        _, wire = await loop.create_connection(_Wire, sock=sock, ssl=self._context, server_hostname=name)
        return wire

    def _kept_wire(self) -> _Wire | None:
        while self._kept:
            wire = self._kept.pop()
            if not wire.closed:
                return wire
        return None

    async def _new_wire(self, request: HttpRequest, timeout_s: float) -> _Wire:
        try:
            return await asyncio.wait_for(self._connect(), min(timeout_s, _CONNECT_S))
        except (OSError, TimeoutError) as error:
            raise NothingSentError(f"{request}: could not connect ({str(error) or type(error).__name__})") from None

    def _keep(self, wire: _Wire) -> None:
        if wire.reusable() and len(self._kept) < _KEPT:
            self._kept.append(wire)
        else:
            wire.abort()

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpAnswer:
        """One request, once. With a kept connection its bytes are out before this is first waited for; it must not use
        what needs a task of its own before that (`asyncio.timeout`), because it may be begun without one."""
        data = self._writer.bytes_of(request)
        wire = self._kept_wire() or await self._new_wire(request, timeout_s)
        self._busy.add(wire)
        done = False
        try:
            answer = await wire.ask(request, data, timeout_s)
            done = True
        except AnswerLostError as error:
            raise AnswerLostError(f"{request}: {error}") from None
        finally:
            self._busy.discard(wire)
            wire.asked_enough()
            if done:
                self._keep(wire)
            else:
                wire.abort()
        return answer

    async def warm(self) -> None:
        """Have connections ready."""
        self._kept = [wire for wire in self._kept if not wire.closed]
        with contextlib.suppress(OSError, TimeoutError):
            while len(self._kept) < _READY:
                self._kept.append(await asyncio.wait_for(self._connect(), _CONNECT_S))

    async def close(self) -> None:
        """Drop all."""
        for wire in (*self._kept, *self._busy):
            wire.abort()
        self._kept.clear()


def create_order_line(base_url: str, *, proxy: str = "", tls: ssl.SSLContext | None = None) -> OrderLine:
    """An order line to one broker, directly or through the account's egress proxy (HTTP CONNECT)."""
    line = _Line(base_url, proxy, tls)
    return OrderLine(send=line.send, warm=line.warm, close=line.close)
