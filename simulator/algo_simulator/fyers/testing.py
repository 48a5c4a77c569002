"""For tests of any component: an account at the simulated Fyers, logged in the documented way."""

import hashlib
import secrets
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from algo_simulator.testing import DAY, Sim

APP_ID: Final = "SIMAPP0001-100"
SECRET: Final = "simsecret99"  # noqa: S105 - of an account that lives for one test
ACCOUNT: Final[dict[str, Any]] = {
    "broker": "fyers",
    "client_id": "XS00001",
    "api_key": APP_ID,
    "api_secret": SECRET,
    "redirect_url": "http://127.0.0.1:1/callback?x=1",
    "pin": "1234",
    "totp_secret": "JBSWY3DPEHPK3PXP",
}
APP_HASH: Final = hashlib.sha256(f"{APP_ID}:{SECRET}".encode()).hexdigest()


class FyersUser:
    """A client of the Fyers port."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        self.root = sim.address("fyers")
        self.token = ""
        self.refresh_token = ""

    async def world(self, rows: dict[str, bytes] | None = None, **fields: Any) -> None:
        """Make world `w` with the account, upload recordings, and log in; `account` overrides the account's fields."""
        account = {**ACCOUNT, **fields.pop("account", {})}
        spec = {"name": "w", "date": DAY, "symbols": ["NSE:RELIANCE"], "speed": 0, "accounts": [account], **fields}
        await self.sim.call("POST", "/worlds", spec, status=201)
        for key, raw in (rows or {}).items():
            exchange, _, symbol = key.partition(":")
            await self.sim.call("PUT", f"/worlds/w/ticks/{exchange}/{symbol}", raw)
        await self.login()

    async def auth_code(self) -> str:
        """Follow the login page; the auth code of its redirect."""
        state = secrets.token_hex(4)
        query = {
            "client_id": APP_ID,
            "redirect_uri": str(ACCOUNT["redirect_url"]),
            "response_type": "code",
            "state": state,
        }
        url = f"{self.root}/api/v3/generate-authcode"
        async with self.sim.http.get(url, params=query, allow_redirects=False) as response:
            assert response.status == 302, await response.text()
            got = parse_qs(urlsplit(response.headers["Location"]).query)
        assert (got["state"], got["s"]) == ([state], ["ok"])
        return got["auth_code"][0]

    async def login(self) -> None:
        """A session in place of the one before."""
        form = {"grant_type": "authorization_code", "appIdHash": APP_HASH, "code": await self.auth_code()}
        async with self.sim.http.post(f"{self.root}/api/v3/validate-authcode", json=form) as response:
            answer = await response.json()
        assert answer["s"] == "ok", answer
        self.token, self.refresh_token = answer["access_token"], answer["refresh_token"]

    @property
    def headers(self) -> dict[str, str]:
        """What every authorised call carries."""
        return {"Authorization": f"{APP_ID}:{self.token}", "version": "3"}

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """An authorised call; returns (status, JSON)."""
        options.setdefault("headers", self.headers)
        async with self.sim.http.request(method, self.root + path, json=body, **options) as response:
            return response.status, await response.json()

    async def place(self, **fields: Any) -> str:
        """Place a limit order and return its id."""
        status, answer = await self.call("POST", "/api/v3/orders/sync", order(**fields))
        assert (status, answer["code"]) == (200, 1101), answer
        return str(answer["id"])

    async def row(self, order_id: str) -> dict[str, Any]:
        """The order's row of the book."""
        status, answer = await self.call("GET", f"/api/v3/orders?id={order_id}")
        assert status == 200, answer
        return dict(answer["orderBook"][0])


def order(**fields: Any) -> dict[str, Any]:
    """A body of `POST /orders/sync`."""
    return {
        "symbol": "NSE:RELIANCE-EQ",
        "qty": 10,
        "type": 1,
        "side": 1,
        "productType": "INTRADAY",
        "limitPrice": 1990.0,
        "stopPrice": 0,
        "validity": "DAY",
        "disclosedQty": 0,
        "offlineOrder": False,
        **fields,
    }
