"""Points the official SDK at the simulator: its hosts, and nothing else, are changed. Drivers import this first.

At import the SDK asks a public service for this machine's address; no name but loopback is resolved here.
"""

import os
import socket
import sys
from typing import Any

ROOT = sys.argv[1]
SOCKETS = ROOT.replace("http", "ws", 1)
SCRIP_MASTER = f"{ROOT}/files/OpenAPI_File/files/OpenAPIScripMaster.json"
_resolve = socket.getaddrinfo


def _loopback_only(host: Any, *rest: Any, **more: Any) -> Any:
    if host not in ("127.0.0.1", "localhost"):
        raise socket.gaierror(f"{host} is not resolved in a test")
    return _resolve(host, *rest, **more)


socket.getaddrinfo = _loopback_only
report = os.fdopen(os.dup(1), "w", buffering=1)
"""Where a driver reports: the SDK itself may print on standard output."""
sys.stdout = sys.stderr

from SmartApi import SmartConnect
from SmartApi.smartWebSocketOrderUpdate import SmartWebSocketOrderUpdate
from SmartApi.smartWebSocketV2 import SmartWebSocketV2

SmartConnect._rootUrl = ROOT
SmartConnect._login_url = f"{ROOT}/auth/publisher-login"
SmartWebSocketV2.ROOT_URI = f"{SOCKETS}/market-socket/smart-stream"
SmartWebSocketOrderUpdate.WEBSOCKET_URI = f"{SOCKETS}/order-socket/smart-order-update"
