"""A real HTTP proxy that knows CONNECT only, as order calls use one: what went through it is written down."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class ConnectProxy:
    """Where it is, and what it was asked."""

    port: int = 0
    credentials: str = ""
    """`user:password` that it wants; empty: none."""
    targets: list[str] = field(default_factory=list)
    """`host:port` of each tunnel."""
    refused: int = 0
    sent: bytearray = field(default_factory=bytearray)
    """All that clients said inside tunnels."""

    @property
    def url(self) -> str:
        """As an account's `spec.egress.proxyUrl`, with the credentials."""
        user = f"{self.credentials}@" if self.credentials else ""
        return f"http://{user}127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n")[0].split(" ")
        wanted = base64.b64encode(self.credentials.encode()).decode()
        if method != "CONNECT" or (self.credentials and f"Proxy-Authorization: Basic {wanted}\r\n" not in head):
            self.refused += 1
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            await writer.drain()
            writer.close()
            return
        self.targets.append(target)
        host, _, port = target.partition(":")
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(self._pump(reader, up_writer, self.sent), self._pump(up_reader, writer, bytearray()))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, seen: bytearray) -> None:
        while data := await source.read(4096):
            seen += data
            sink.write(data)
        sink.close()


@asynccontextmanager
async def connect_proxy(credentials: str = "") -> AsyncIterator[ConnectProxy]:
    """A proxy on a free port."""
    proxy = ConnectProxy(credentials=credentials)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    yield proxy
    server.close()
