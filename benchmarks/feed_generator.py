"""A market of thousands of instruments in a process of its own: Zerodha's REST port and its market socket.

    python benchmarks/feed_generator.py <instruments> <ticks a second each> <shift of the wall clock, s>

Prints a JSON line with its ports, one when a client has subscribed to every instrument, and one after each run, with
the instant at which each frame went out. A number on standard input is a run of so many seconds. The day's volume of
every packet is the frame's number, so that a receiver can tell what it missed.
"""

import asyncio
import json
import sys
import time

import uvloop
from broker_stub import Stub, frame, token_of
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

FRAMES_A_SECOND = 100


def names(count: int) -> tuple[str, ...]:
    """The instruments' symbols; none is the beginning of another."""
    return tuple(f"BENCH{number:04d}" for number in range(count))


def paise_of(number: int, frame_number: int) -> int:
    """The price of an instrument in a frame: never that of the frame before."""
    return 100_000 + 5 * ((number * 31 + frame_number) % 4000)


def instruments_of(frame_number: int, count: int, ticks_a_second: int) -> range:
    """Whose packets are in a frame: the instruments take turns."""
    turns = FRAMES_A_SECOND // ticks_a_second
    turn, size = (frame_number - 1) % turns, -(-count // turns)
    return range(turn * size, min((turn + 1) * size, count))


def say(**fields: object) -> None:
    """A line for whoever started this process."""
    print(json.dumps(fields), flush=True)


class _Client(WSListener):
    """Who reads the market: the gateway, or the bare hop."""

    def __init__(self, market: "Market") -> None:
        self._market = market
        self._wanted: set[int] = set()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._market.socket = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type is WSMsgType.TEXT:
            message = json.loads(frame.get_payload_as_bytes())
            if message["a"] == "subscribe":
                self._wanted.update(message["v"])
                if len(self._wanted) == self._market.count:
                    say(subscribed=self._market.count)


class Market:
    """The instruments and the one client."""

    def __init__(self, count: int, ticks_a_second: int, shift_s: float) -> None:
        self.count = count
        self.socket: WSTransport | None = None
        self._ticks_a_second = ticks_a_second
        self._shift_s = shift_s
        self._last = 0

    def now(self) -> float:
        """The broker's wall clock, in seconds."""
        return time.time() + self._shift_s

    async def run(self, seconds: int) -> None:
        """Send the frames of so many seconds; one that is late goes out at once."""
        sent: list[int] = []
        first, begun = self._last + 1, time.perf_counter()
        for number in range(first, first + seconds * FRAMES_A_SECOND):
            await asyncio.sleep(max(0.0, begun + (number - first) / FRAMES_A_SECOND - time.perf_counter()))
            second = int(self.now())
            data = frame(
                [
                    (token_of(index), paise_of(index, number), second, number)
                    for index in instruments_of(number, self.count, self._ticks_a_second)
                ]
            )
            assert self.socket is not None
            sent.append(time.perf_counter_ns())
            self.socket.send(WSMsgType.BINARY, data)
        self._last += len(sent)
        say(first=first, sent=sent)

    async def beat(self) -> None:
        """A heartbeat a second, so that a quiet market is no dead one."""
        while True:
            await asyncio.sleep(1)
            if self.socket is not None and not self.socket.is_disconnected:
                self.socket.send(WSMsgType.BINARY, b"\0")


async def main(count: int, ticks_a_second: int, shift_s: float) -> None:
    """Serve until standard input ends."""
    market = Market(count, ticks_a_second, shift_s)
    stub = Stub(names(count), market.now)
    rest, _ = await stub.start()
    server = await ws_create_server(lambda _request: _Client(market), "127.0.0.1", 0)
    say(rest=rest, feed=server.sockets[0].getsockname()[1])
    beating = asyncio.create_task(market.beat())
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await market.run(int(line))
    beating.cancel()
    stub.stop()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
