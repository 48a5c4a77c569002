"""A Zerodha session with canaries for secrets, and the adapter at a stand-in server."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.registry import adapter_of
from algo_brokers.session import Session
from broker_stand import Ear, Stand, open_stand
from order_samples import new_order

CANARY = "canarytoken42"
SECRET = "canarysecret43"
HELD = Session(
    broker="zerodha", client_id="SM0001", api_key="canarykey41", access_token=CANARY, login_time=0, valid_until=1
)
ORDER = new_order()

__all__ = ["CANARY", "HELD", "ORDER", "SECRET", "Ear", "Stand", "ok", "stand"]


def ok(data: Any) -> web.Response:
    return web.json_response({"status": "success", "data": data})


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with open_stand(adapter_of("zerodha"), HELD) as opened:
        yield opened
