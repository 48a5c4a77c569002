"""Drives the official SDK's order socket until a fill has been told. Prints one JSON object."""

import json
import os
import sys
import threading
import time
from typing import Any, NoReturn

import hosts

ROOT, SCENE, TOKEN = sys.argv[1], sys.argv[2], sys.argv[3]
seen: dict[str, Any] = {"orders": [], "trades": [], "positions": [], "general": [], "errors": []}


def finish(code: int) -> NoReturn:
    print(json.dumps(seen, default=str), flush=True)
    os._exit(code)


def on_connect() -> None:
    socket.subscribe("OnOrders,OnTrades,OnPositions,OnGeneral")


def on_general(message: dict[str, Any]) -> None:
    seen["general"].append(message)
    print("connected", flush=True)


def on_positions(message: dict[str, Any]) -> None:
    seen["positions"].append(message)
    time.sleep(0.3)
    finish(0)


def on_error(message: object) -> None:
    seen["errors"].append(str(message))
    if SCENE == "orders_refused":
        finish(0)


hosts.use(ROOT)
threading.Timer(25, lambda: finish(3)).start()
socket = hosts.order_socket(
    ROOT,
    access_token=f"{hosts.APP_ID}:{TOKEN}",
    log_path=".",
    reconnect=False,
    on_connect=on_connect,
    on_orders=lambda message: seen["orders"].append(message),
    on_trades=lambda message: seen["trades"].append(message),
    on_positions=on_positions,
    on_general=on_general,
    on_error=on_error,
)
socket.connect()
