"""For tests: an account of this broker and a client that logs in with PIN and one-time code and calls the API."""

import time
from typing import Any, Final

from algo_simulator.testing import Sim
from algo_simulator.totp import code_at

SECRET: Final = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # noqa: S105 - of an account that lives for one test
PIN: Final = "4321"
KEY: Final = "angelkey01"
CLIENT: Final = "S000123"
ACCOUNT: Final = {
    "broker": "angelone",
    "client_id": CLIENT,
    "api_key": KEY,
    "api_secret": "",
    "redirect_url": "http://127.0.0.1:1/callback?x=1",
    "pin": PIN,
    "totp_secret": SECRET,
}
SECURE: Final = "/rest/secure/angelbroking/"
LOGIN: Final = "/rest/auth/angelbroking/user/v1/loginByPassword"
RENEW: Final = "/rest/auth/angelbroking/jwt/v1/generateTokens"
ORDER: Final = {
    "variety": "NORMAL",
    "tradingsymbol": "RELIANCE-EQ",
    "symboltoken": "2885",
    "transactiontype": "BUY",
    "exchange": "NSE",
    "ordertype": "LIMIT",
    "producttype": "INTRADAY",
    "duration": "DAY",
    "price": "1990.00",
    "quantity": "10",
}


class Angel:
    """One client of the front end."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        self.root = sim.address("angelone")
        self.jwt = self.refresh = self.feed = ""

    def headers(self) -> dict[str, str]:
        """The fixed headers, with the token once there is one."""
        fixed = {
            "X-PrivateKey": KEY,
            "X-UserType": "USER",
            "X-SourceID": "WEB",
            "X-ClientLocalIP": "127.0.0.1",
            "X-ClientPublicIP": "127.0.0.1",
            "X-MACAddress": "00:00:00:00:00:01",
            "Accept": "application/json",
        }
        return {**fixed, "Authorization": f"Bearer {self.jwt}"} if self.jwt else fixed

    def socket_headers(self) -> dict[str, str]:
        """The headers of both sockets' handshakes."""
        return {
            "Authorization": self.jwt,
            "x-api-key": KEY,
            "x-client-code": CLIENT,
            "x-feed-token": self.feed,
        }

    async def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """A call; returns status and the answer, as JSON where it is."""
        url = self.root + (path if path.startswith("/") else SECURE + path)
        sent = {**self.headers(), **(headers or {})}
        async with self.sim.http.request(
            method, url, json=body, headers={name: value for name, value in sent.items() if value}
        ) as response:
            if response.content_type == "application/json":
                return response.status, await response.json()
            return response.status, await response.text()

    async def get(self, path: str) -> Any:
        """The `data` of a successful read."""
        return _data(await self.send("GET", path))

    async def post(self, path: str, body: Any) -> Any:
        """The `data` of a successful call."""
        return _data(await self.send("POST", path, body))

    async def refused(self, path: str, body: Any) -> tuple[str, str]:
        """Code and message of a call that the application refuses."""
        status, answer = await self.send("POST", path, body)
        assert (status, answer["status"], answer["data"]) == (200, False, None), answer
        return answer["errorcode"], answer["message"]

    async def log_in(self) -> None:
        """Log in and keep the tokens."""
        code = code_at(SECRET, int(time.time() * 1000))
        data = await self.post(LOGIN, {"clientcode": CLIENT, "password": PIN, "totp": code})
        self.jwt, self.refresh, self.feed = data["jwtToken"], data["refreshToken"], data["feedToken"]

    async def place(self, **fields: Any) -> str:
        """Place an order and return its id."""
        data = await self.post("order/v1/placeOrder", {**ORDER, **fields})
        return str(data["orderid"])

    async def row(self, order_id: str) -> dict[str, Any]:
        """The order's row."""
        return dict(await self.get(f"order/v1/details/{order_id}"))


def _data(answer: tuple[int, Any]) -> Any:
    status, body = answer
    assert status == 200, answer
    assert body["status"] is True, answer
    assert (body["message"], body["errorcode"]) == ("SUCCESS", ""), answer
    return body["data"]
