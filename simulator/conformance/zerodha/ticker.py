"""Drives the official SDK's socket client in one mode until it has what it waits for. Prints one JSON object."""

import json
import os
import sys
import threading
from typing import Any, NoReturn

from kiteconnect import KiteTicker

ROOT, TOKEN, MODE, TOKENS = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
seen: dict[str, Any] = {"ticks": [], "orders": [], "connects": 0}


def finish(code: int) -> NoReturn:
    print(json.dumps(seen, default=str), flush=True)
    os._exit(code)


def on_connect(ws: KiteTicker, _: object) -> None:
    seen["connects"] += 1
    if MODE != "orders":
        ws.subscribe(TOKENS)
        ws.set_mode(MODE, TOKENS)
    # The test starts the market when it reads this.
    print("connected", flush=True)


def on_ticks(_: KiteTicker, ticks: list[dict[str, Any]]) -> None:
    seen["ticks"] += ticks
    if MODE != "orders" and len({t["instrument_token"] for t in seen["ticks"]}) == len(TOKENS):
        finish(0)


def on_order_update(_: KiteTicker, data: dict[str, Any]) -> None:
    seen["orders"].append(data)
    if data["status"] == "COMPLETE":
        finish(0)


def on_close(_: KiteTicker, code: int, reason: str) -> None:
    seen["closed"] = [code, str(reason)]
    if MODE == "refused":
        finish(0)


ticker = KiteTicker("simkey0001", TOKEN, root=ROOT)
ticker.on_connect = on_connect
ticker.on_ticks = on_ticks
ticker.on_order_update = on_order_update
ticker.on_close = on_close
threading.Timer(25, lambda: finish(3)).start()
ticker.connect()
