"""A server that reads bytes and says what a test tells it to, for what no HTTP library would do."""

import asyncio
from collections.abc import Callable

from algo_brokers.http import HttpRequest

PUT = HttpRequest("PUT", "/orders/17", (("A", "b"),), b"x=1")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nok"


class RawServer:
    """Writes down what comes and says what it is told to."""

    def __init__(self) -> None:
        self.came = bytearray()
        self.writers: list[asyncio.StreamWriter] = []
        self.each: list[bytearray] = []
        """What came on each connection."""
        self.more = asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        own = bytearray()
        self.writers.append(writer)
        self.each.append(own)
        self.more.set()
        while part := await reader.read(4096):
            self.came += part
            own += part
            self.more.set()
        writer.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that connections and bytes bring about."""
        async with asyncio.timeout(5):
            while not holds():
                self.more.clear()
                await self.more.wait()

    async def asked(self, times: int) -> None:
        """Wait until `PUT` has come so often."""
        await self.until(lambda: self.came.count(b"x=1") == times)
