"""Points the official SDK at the simulator: its hosts, and nothing else, are changed. Drivers import this first."""

import os
import sys
from typing import Any

# The SDK opens the login page in a browser; the drivers follow its address themselves.
os.environ["BROWSER"] = "true"
ROOT = sys.argv[1]

from dhanhq import DhanContext, DhanLogin, MarketFeed, OrderUpdate, Security
from dhanhq.dhan_http import DhanHTTP

SOCKETS = ROOT.replace("http", "ws", 1)
DhanHTTP.API_BASE_URL = f"{ROOT}/v2"
DhanLogin.API_BASE_URL = f"{ROOT}/v2"
DhanLogin.AUTH_BASE_URL = f"{ROOT}/auth"
MarketFeed.market_feed_wss = f"{SOCKETS}/market-socket"
Security.COMPACT_CSV_URL = f"{ROOT}/files/api-data/api-scrip-master.csv"
Security.DETAILED_CSV_URL = f"{ROOT}/files/api-data/api-scrip-master-detailed.csv"

report = os.fdopen(os.dup(1), "w", buffering=1)
"""Where a driver reports: the SDK itself prints on standard output."""
sys.stdout = sys.stderr


def order_updates(context: DhanContext, on_update: Any) -> OrderUpdate:
    """The SDK's order socket; its host is an attribute of each instance."""
    updates = OrderUpdate(context)
    updates.order_feed_wss = f"{SOCKETS}/order-socket"
    updates.on_update = on_update
    return updates
