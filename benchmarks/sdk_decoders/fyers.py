"""The handler of socket messages of `FyersDataSocket` in the official `fyers-apiv3`.

It keeps the topics' values and hands each tick to a callback, which does nothing while the time is taken. What a
subscription would have told it, the name of each topic, comes as the second argument (JSON).
"""

import json
import sys

from fyers_apiv3.FyersWebsocket.data_ws import FyersDataSocket
from rounds import serve

seen: list[dict[str, object]] = []
socket = FyersDataSocket(access_token="APP-100:token", log_path="", on_message=lambda _message: None)
socket.symbol_token = json.loads(sys.argv[2])
handle = socket._FyersDataSocket__response_msg


def prices(frame: bytes) -> list[tuple[int, int]]:
    silent, socket.OnMessage = socket.OnMessage, seen.append
    seen.clear()
    handle(frame)
    socket.OnMessage = silent
    return [(int(tick["symbol"]), round(tick["ltp"] * 10_000)) for tick in seen]


serve(handle, prices)
