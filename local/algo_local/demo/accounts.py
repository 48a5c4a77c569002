"""A simulated account at each broker, and how a trader links and logs in to it, each broker in its own way."""

import secrets
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import httpx

from algo_local.demo.endpoints import Endpoints, Kubectl, run
from algo_local.demo.services import Json, ServiceError, Trader, call

_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SOURCE: Final = "demo-market"
_CLIENT_IDS: Final = {
    "zerodha": lambda number: f"SM{number:06d}",
    "dhan": lambda number: f"1{number:09d}",
    "fyers": lambda number: f"XS{number:06d}",
    "angelone": lambda number: f"S{number:06d}",
}
_GIVEN: Final = {
    "zerodha": ("api_key", "api_secret"),
    "dhan": ("api_key", "api_secret"),
    "fyers": ("api_key", "api_secret"),
    "angelone": ("api_key", "pin", "totp_secret"),
}
"""What the trader gives of the account; Angel One logs in by PIN and one-time code, the others by their page."""


def new_account(broker: str) -> Json:
    """What the simulated broker knows of the trader."""
    number = secrets.randbelow(10**6)
    key = f"SIM{number:07d}-100" if broker == "fyers" else f"sim{secrets.token_hex(6)}"
    return {
        "broker": broker,
        "client_id": _CLIENT_IDS[broker](number),
        "api_key": key,
        "api_secret": secrets.token_hex(16),
        "pin": f"{secrets.randbelow(10**4):04d}",
        "totp_secret": "".join(secrets.choice(_BASE32) for _ in range(32)),
    }


async def link_account(
    trader: Trader, account: Json, endpoints: Endpoints, control: httpx.AsyncClient, world: str
) -> Json:
    """Link an account, open it at the simulated broker, and follow its login to the end, as a browser would."""
    broker = account["broker"]
    body = {"broker": broker, "client_id": account["client_id"], "environment": "Simulator"}
    body |= {field: account[field] for field in _GIVEN[broker]}
    created = await call(trader.client, "POST", "/broker-accounts", json=body)
    path = f"/broker-accounts/{created['id']}"
    at_broker = account | {"redirect_url": created["redirect_url"]}
    await call(control, "POST", f"/worlds/{world}/accounts", json=at_broker)
    login = await call(trader.client, "POST", f"{path}/login")
    if login["login_url"] is None:
        return created
    page = urlsplit(login["login_url"])
    async with httpx.AsyncClient(trust_env=False) as browser:
        url = f"{endpoints.brokers[broker]}{page.path}?{page.query}"
        response = await browser.get(url, follow_redirects=False)
    if response.status_code not in (302, 303, 307):
        raise ServiceError(f"the broker's login page answered {response.status_code} instead of a redirect")
    back = dict(parse_qsl(urlsplit(response.headers["location"]).query))
    await call(trader.client, "GET", f"{path}/callback", params=back)
    return created


async def link_paper(kubectl: Kubectl, trader: Trader, world: str) -> Json:
    """A paper account that trades against a world: its market is a MarketDataSource of the trader's namespace."""
    namespace = f"algo-{trader.tenant_id.replace('_', '-')}"
    await call(trader.client, "GET", "/broker-accounts")
    source = f"""apiVersion: algo.trading/v1alpha1
kind: MarketDataSource
metadata:
  name: {_SOURCE}
  namespace: {namespace}
  annotations:
    algo.trading/user: {trader.user_id}
spec:
  replay:
    world: {world}
"""
    await run(kubectl, "apply", "-f", "-", stdin=source)
    body = {"broker": "paper", "market_data_source": _SOURCE, "environment": "Simulator"}
    return await call(trader.client, "POST", "/broker-accounts", json=body)
