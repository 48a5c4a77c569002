"""For tests: a client of the simulated Dhan that speaks plain HTTP and WebSocket."""

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import aiohttp

from algo_simulator.testing import Sim, ticks
from algo_simulator.totp import code_at

CLIENT: Final = "1000000003"
PIN: Final = "123456"
TOTP_SECRET: Final = "JBSWY3DPEHPK3PXP"  # noqa: S105 - of an account that lives for one test
ACCOUNT: Final[dict[str, Any]] = {
    "broker": "dhan",
    "client_id": CLIENT,
    "api_key": "dhanapp001",
    "api_secret": "dhansecret99",
    "redirect_url": "http://127.0.0.1:1/callback?x=1",
    "pin": PIN,
    "totp_secret": TOTP_SECRET,
}
APP: Final = {"app_id": "dhanapp001", "app_secret": "dhansecret99"}
RELIANCE: Final = "2885"
FLAT: Final = ticks([("09:15:00", "2000"), ("09:15:01", "2000")])
"""RELIANCE trades at 2000 twice."""


class DhanClient:
    """One account's client; `token` after a login."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        self.root = sim.address("dhan")
        self.api = f"{self.root}/v2"
        self.auth = f"{self.root}/auth"
        self.token = ""

    async def world(
        self, rows: dict[str, bytes] | None = None, *, account: dict[str, Any] | None = None, **fields: Any
    ) -> None:
        """Make world `w` with a Dhan account, upload recordings and log in."""
        await self.sim.world(rows, accounts=[], **fields)
        await self.sim.call("POST", "/worlds/w/accounts", {**ACCOUNT, **(account or {})}, status=201)
        await self.consent_login()

    async def standing_market(self, **fields: Any) -> None:
        """A world that has traded at 2000 and stands still there."""
        settings = {"start_time": "09:14:59", "previous_closes": {"NSE:RELIANCE": "2000"}, "speed": 20, **fields}
        await self.world({"NSE:RELIANCE": FLAT}, **settings)
        await self.sim.call("POST", "/worlds/w/start")
        await self.sim.until(lambda view: view["now"] >= 1_618_199_101_000)
        await self.sim.call("POST", "/worlds/w/pause")

    async def consent_login(self) -> dict[str, Any]:
        """Follow the consent flow and keep the access token."""
        url = f"{self.auth}/app/generate-consent?client_id={CLIENT}"
        async with self.sim.http.post(url, headers=APP) as response:
            consent = (await response.json())["consentAppId"]
        page = f"{self.auth}/login/consentApp-login?consentAppId={consent}"
        async with self.sim.http.get(page, allow_redirects=False) as response:
            query = parse_qs(urlsplit(response.headers["Location"]).query)
        url = f"{self.auth}/app/consumeApp-consent?tokenId={query['tokenId'][0]}"
        async with self.sim.http.get(url, headers=APP) as response:
            answer: dict[str, Any] = await response.json()
        self.token = answer["accessToken"]
        return answer

    async def code_login(self, pin: str = PIN, code: str = "") -> dict[str, Any]:
        """Log in by PIN and one-time code of the world's clock."""
        view = await self.sim.call("GET", "/worlds/w")
        code = code or code_at(TOTP_SECRET, view["now"])
        url = f"{self.auth}/app/generateAccessToken?dhanClientId={CLIENT}&pin={pin}&totp={code}"
        async with self.sim.http.post(url) as response:
            assert response.status == 200
            answer: dict[str, Any] = await response.json()
        self.token = answer.get("accessToken", self.token)
        return answer

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """An authorised call; (status, JSON). `path` follows `/v2`."""
        sent = {"access-token": self.token, "client-id": CLIENT, **headers}
        if body is not None and isinstance(body, dict):
            body = {"dhanClientId": CLIENT, **body}
        async with self.sim.http.request(method, self.api + path, json=body, headers=sent) as response:
            return response.status, await response.json()

    async def place(self, **changes: Any) -> str:
        """Place an order (a limit buy of ten RELIANCE at 1990, changed) and return its id."""
        status, answer = await self.call("POST", "/orders", order(**changes))
        assert status == 200, answer
        assert answer["orderStatus"] == "TRANSIT"
        return str(answer["orderId"])

    async def row(self, order_id: str) -> dict[str, Any]:
        """The book's row of an order."""
        status, answer = await self.call("GET", f"/orders/{order_id}")
        assert status == 200, answer
        found: dict[str, Any] = answer[0]
        return found

    async def market_socket(self, token: str = "", **query: str) -> aiohttp.ClientWebSocketResponse:
        """Connect to the live feed."""
        asked = {"version": "2", "token": token or self.token, "clientId": CLIENT, "authType": "2", **query}
        return await self.sim.http.ws_connect(f"{self.root}/market-socket", params=asked)

    async def order_socket(self, token: str = "") -> aiohttp.ClientWebSocketResponse:
        """Connect to the order updates and log in."""
        socket = await self.sim.http.ws_connect(f"{self.root}/order-socket")
        login = {"MsgCode": 42, "ClientId": CLIENT, "Token": token or self.token}
        await socket.send_json({"LoginReq": login, "UserType": "SELF"})
        return socket


def order(**changes: Any) -> dict[str, Any]:
    """A place body: a limit buy of ten RELIANCE at 1990, changed."""
    return {
        "transactionType": "BUY",
        "exchangeSegment": "NSE_EQ",
        "productType": "INTRADAY",
        "orderType": "LIMIT",
        "validity": "DAY",
        "securityId": RELIANCE,
        "quantity": 10,
        "disclosedQuantity": 0,
        "price": 1990.0,
        "triggerPrice": 0.0,
        "afterMarketOrder": False,
        **changes,
    }
