"""A broker that is as small as can be: it takes every order, fills what it is told to, and sends the rows.

It stands in for Zerodha's REST port and market socket inside the benchmark's own process, so that the instant of a
frame's sending and of an order's first byte are read from the same clock. It has no rules and no market: what is
measured is the way to it.
"""

import asyncio
import json
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from algo_crds.contracts.clock import IST
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

_FULL = struct.Struct(">16I120x")
Order = dict[str, Any]


def token_of(number: int) -> int:
    """The feed's token of a symbol; the lowest byte names the segment of shares."""
    return (number + 1) << 8 | 1


def frame(packets: list[tuple[int, int, int, int]]) -> bytes:
    """A market frame of full-mode packets: (token, paise, second, day volume)."""
    parts = [struct.pack(">H", len(packets))]
    for token, paise, second, volume in packets:
        body = _FULL.pack(
            token, paise, 1, paise, volume, 1000, 1000, paise, paise, paise, paise, second, 0, 0, 0, second
        )
        parts += [struct.pack(">H", len(body)), body]
    return b"".join(parts)


@dataclass
class Stub:
    """The account at the broker: its orders, its sockets, and what the benchmark waits for."""

    symbols: tuple[str, ...]
    now: Callable[[], float]
    """The broker's wall clock in seconds."""
    paise: int = 200_000
    orders: dict[str, Order] = field(default_factory=dict)
    put_at: int = 0
    """When the first bytes of the newest change of an order came, by `perf_counter_ns`."""
    put_came: asyncio.Event = field(default_factory=asyncio.Event)
    socket: WSTransport | None = None
    volume: int = 0
    _servers: list[asyncio.AbstractServer] = field(default_factory=list)

    async def start(self) -> tuple[int, int]:
        """Listen; the ports of REST and of the market socket."""
        loop = asyncio.get_running_loop()
        rest = await loop.create_server(lambda: _Rest(self), "127.0.0.1", 0)
        feed = await ws_create_server(lambda _request: _Feed(self), "127.0.0.1", 0)
        self._servers = [rest, feed]
        return rest.sockets[0].getsockname()[1], feed.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Listen no more."""
        for server in self._servers:
            server.close()

    # The market

    def tick(self, changes: dict[str, int] | None = None, lag_s: int = 0) -> int:
        """Send one frame: of all symbols at the standing price, or of some at another. When it was sent (ns)."""
        assert self.socket is not None
        self.volume += 1
        second = int(self.now()) - lag_s
        prices = changes if changes is not None else dict.fromkeys(self.symbols, self.paise)
        packets = [(token_of(self.symbols.index(name)), paise, second, self.volume) for name, paise in prices.items()]
        data = frame(packets)
        sent = time.perf_counter_ns()
        self.socket.send(WSMsgType.BINARY, data)
        return sent

    # Orders

    def of(self, symbol: str, side: str) -> list[Order]:
        """The orders of a symbol and side, oldest first."""
        return [
            one for one in self.orders.values() if (one["tradingsymbol"], one["transaction_type"]) == (symbol, side)
        ]

    def call(self, method: str, path: str, form: dict[str, str]) -> object:
        """The `data` of an answer."""
        route = urlsplit(path).path
        if route == "/orders/regular" and method == "POST":
            return {"order_id": self._placed(form)}
        if method == "PUT":
            order = self.orders[route.rpartition("/")[2]]
            order |= _values(form) | {"order_type": form["order_type"], "status": "COMPLETE"}
            self._fill(order)
            return {"order_id": order["order_id"]}
        if route == "/orders":
            return list(self.orders.values())
        if route == "/portfolio/positions":
            return {"net": [self._position(symbol) for symbol in self.symbols], "day": []}
        if route == "/quote":
            return {f"NSE:{symbol}": self._quote() for symbol in self.symbols if f"NSE%3A{symbol}" in path}
        return {}

    def _placed(self, form: dict[str, str]) -> str:
        number = f"{251_100_000_000_000 + len(self.orders)}"
        stop = form["order_type"] == "SL"
        order: Order = {
            name: form[name] for name in ("exchange", "tradingsymbol", "product", "transaction_type", "tag")
        }
        order |= _values(form) | {
            "order_id": number,
            "exchange_order_id": f"1{number}",
            "order_type": form["order_type"],
            "status": "TRIGGER PENDING" if stop else "COMPLETE",
            "filled_quantity": 0,
            "average_price": 0,
            "order_timestamp": f"{datetime.fromtimestamp(self.now(), IST):%Y-%m-%d %H:%M:%S}",
        }
        self.orders[number] = order
        if stop:
            asyncio.get_running_loop().call_later(0.002, self._tell, dict(order))
        else:
            self._fill(order)
        return number

    def _fill(self, order: Order) -> None:
        order |= {"filled_quantity": order["quantity"], "average_price": self.paise / 100}
        asyncio.get_running_loop().call_later(0.002, self._tell, dict(order))

    def _tell(self, row: Order) -> None:
        if self.socket is not None:
            self.socket.send(WSMsgType.TEXT, json.dumps({"type": "order", "data": row}).encode())

    def _position(self, symbol: str) -> dict[str, object]:
        held = sum(one["filled_quantity"] for one in self.of(symbol, "BUY"))
        held -= sum(one["filled_quantity"] for one in self.of(symbol, "SELL"))
        return {"exchange": "NSE", "tradingsymbol": symbol, "product": "MIS", "quantity": held, "average_price": 0}

    def _quote(self) -> dict[str, object]:
        stamp = f"{datetime.fromtimestamp(self.now(), IST):%Y-%m-%d %H:%M:%S}"
        price = self.paise / 100
        limits = {"lower_circuit_limit": price * 0.9, "upper_circuit_limit": price * 1.1}
        return {"last_price": price, "timestamp": stamp, "volume": self.volume, "ohlc": {"close": price}, **limits}

    def listing(self) -> bytes:
        """The instrument list."""
        lines = ["instrument_token,tradingsymbol,name,tick_size,lot_size,instrument_type,segment,exchange"]
        lines += [f"{token_of(i)},{name},{name},0.05,1,EQ,NSE,NSE" for i, name in enumerate(self.symbols)]
        return "\n".join(lines).encode()


def _values(form: dict[str, str]) -> Order:
    return {
        "quantity": int(form["quantity"]),
        "price": float(form["price"]),
        "trigger_price": float(form.get("trigger_price", "0")),
    }


class _Feed(WSListener):
    """The market socket: whoever connects last is the gateway."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._stub.socket = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())


class _Rest(asyncio.Protocol):
    """HTTP/1.1 with kept connections, enough for the gateway's two clients."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # uvloop's transports are no subclasses

    def data_received(self, data: bytes) -> None:
        came = time.perf_counter_ns()
        stub = self._stub
        if not self._data and data.startswith(b"PUT "):
            stub.put_at = came
            stub.put_came.set()
        self._data += data
        while (request := self._request()) is not None:
            self._answer(*request)

    def _request(self) -> tuple[str, str, bytes] | None:
        head, separator, rest = self._data.partition(b"\r\n\r\n")
        if not separator:
            return None
        line, *fields = head.split(b"\r\n")
        sizes = [int(one.partition(b":")[2]) for one in fields if one.lower().startswith(b"content-length:")]
        size = sizes[0] if sizes else 0
        if len(rest) < size:
            return None
        self._data = rest[size:]
        method, path, _ = line.decode().split(" ")
        return method, path, rest[:size]

    def _answer(self, method: str, path: str, body: bytes) -> None:
        kind = "application/json"
        if path.startswith("/instruments/"):
            kind, text = "text/csv", self._stub.listing()
        else:
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            text = json.dumps({"status": "success", "data": self._stub.call(method, path, form)}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n\r\n"
        assert self._transport is not None
        self._transport.write(head.encode() + text)
