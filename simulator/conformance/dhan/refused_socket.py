"""Drives one of the SDK's sockets with a token that is refused, until it has noticed. Prints one JSON object."""

import json
import os
import sys
import threading

from dhanhq import DhanContext, MarketFeed
from hosts import order_updates, report

KIND, CLIENT, TOKEN = sys.argv[2], sys.argv[3], sys.argv[4]
context = DhanContext(CLIENT, TOKEN)
seen: dict[str, object] = {"closed": 0, "messages": [], "updates": 0}


def finish() -> None:
    print(json.dumps(seen, default=str), file=report)
    os._exit(0)


def on_close(_: MarketFeed) -> None:
    seen["closed"] = 1


threading.Timer(20, finish).start()
if KIND == "market":
    feed = MarketFeed(
        context,
        [(1, "2885", 15)],
        "v2",
        on_message=lambda _, packet: seen["messages"].append(packet),
        on_close=on_close,
        on_error=lambda _, error: (seen.update(error=type(error).__name__), finish()),
    )
    feed.run()
else:
    updates = order_updates(context, lambda _: seen.update(updates=1))
    updates.connect_to_dhan_websocket_sync()
    seen["ended"] = True
    finish()
