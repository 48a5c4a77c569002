"""Drives the official SDK's data socket in one scene until it has what it waits for.

Prints a line `connected` once it has subscribed, where the market should move then, and one JSON object at the end.
"""

import json
import os
import sys
import threading
import time
from typing import Any, NoReturn

import hosts

ROOT, SCENE, TOKEN = sys.argv[1], sys.argv[2], sys.argv[3]
SHARE, INDEX = "NSE:RELIANCE-EQ", "NSE:NIFTY50-INDEX"
seen: dict[str, Any] = {"controls": [], "errors": [], "ticks": []}
LAST = {SHARE: 2000.10, INDEX: 14500.30}
lock = threading.Lock()


def finish(code: int) -> NoReturn:
    print(json.dumps(seen, default=str), flush=True)
    os._exit(code)


def ready() -> None:
    # The test starts the market when it reads this.
    print("connected", flush=True)


def on_connect() -> None:
    if SCENE in ("full", "lite", "acknowledge"):
        socket.subscribe([SHARE, INDEX], "SymbolUpdate")
    if SCENE == "depth":
        socket.subscribe([SHARE], "DepthUpdate")
    if SCENE == "errors":
        # Of what was subscribed the SDK can only end the newest call's.
        socket.subscribe([INDEX], "DepthUpdate")
        socket.subscribe([SHARE, "NSE:NOPE-EQ"], "SymbolUpdate")
        time.sleep(0.5)
        socket.unsubscribe([SHARE], "SymbolUpdate")
    if SCENE == "channels":
        socket.subscribe([SHARE], "SymbolUpdate", channel=11)
        time.sleep(0.5)
        socket.subscribe([INDEX], "SymbolUpdate", channel=12)


def on_message(message: dict[str, Any]) -> None:
    with lock:
        if "code" in message:
            seen["controls"].append((message["type"], message["code"], message["message"]))
            subscriptions = [name for name, *_ in seen["controls"]].count("sub")
            if message["type"] == "unsub":
                finish(0)
            if message["type"] == "sub" and SCENE != "errors" and subscriptions == (2 if SCENE == "channels" else 1):
                ready()
            return
        seen["ticks"].append(message)
    newest = {tick["symbol"]: tick.get("ltp") for tick in seen["ticks"]}
    if SCENE == "depth":
        done = len(seen["ticks"]) >= 3
    elif SCENE == "channels":
        done = newest.get(INDEX) == LAST[INDEX]
    else:
        done = newest == LAST
    if done:
        finish(0)


def on_error(message: Any) -> None:
    seen["errors"].append(message)
    if SCENE in ("refused", "malformed"):
        finish(0)


hosts.use(ROOT)
threading.Timer(25, lambda: finish(3)).start()
socket = hosts.data_socket(
    ROOT,
    access_token=f"{hosts.APP_ID}:{TOKEN}",
    log_path="",
    litemode=SCENE == "lite",
    reconnect=False,
    on_connect=on_connect,
    on_message=on_message,
    on_error=on_error,
)
socket.connect()
