"""An Angel One session with canaries for secrets, and the adapter at a stand-in server."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.login import Credentials
from algo_brokers.registry import adapter_of
from angelone_samples import RELIANCE, held
from broker_stand import Ear, Stand, open_stand
from order_samples import new_order

CANARIES = {
    "api_key": "canarykey41",
    "access_token": "canary.token42.x",
    "feed_token": "canaryfeed43",
    "refresh_token": "canaryrefresh44",
}
PIN = "canarypin45"
TOTP_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
HELD = held(**CANARIES)
KEYS = Credentials(client_id="S000123", api_key=CANARIES["api_key"], pin=PIN, totp_secret=TOTP_SECRET)
ORDER = new_order(instrument=RELIANCE)

__all__ = ["CANARIES", "HELD", "KEYS", "ORDER", "PIN", "TOTP_SECRET", "Ear", "Stand", "ok", "refused", "stand"]


def ok(data: Any) -> web.Response:
    return web.json_response({"status": True, "message": "SUCCESS", "errorcode": "", "data": data})


def refused(code: str, message: str, *, status: int = 200) -> web.Response:
    body = {"success": False, "message": message, "errorCode": code, "data": ""}
    return web.json_response(body, status=status)


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with open_stand(adapter_of("angelone"), HELD) as opened:
        yield opened
