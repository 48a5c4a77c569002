"""Logins at the brokers that the platform speaks to, real and simulated."""

import time
from dataclasses import dataclass
from typing import Final

import httpx
from algo_brokers.port import Broker
from algo_brokers.session import Session
from algo_brokers.transports import create_http_transport
from algo_brokers.zerodha.adapter import Endpoints, create_zerodha_broker
from algo_crds.resources.broker_account import Broker as BrokerName
from algo_crds.resources.broker_account import Environment

from algo_api.broker_accounts.contract import BrokerLogins
from algo_api.errors import TradingRuleError

_REAL: Final = Endpoints()


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorAddress:
    """Where the simulated broker is: for this process, and for a browser."""

    rest: str
    login: str


def create_broker_logins(http: httpx.AsyncClient, simulator: SimulatorAddress | None) -> BrokerLogins:
    """Logins over HTTP; without a simulator its environment is refused."""
    real = _zerodha(http, _REAL)
    simulated = _zerodha(http, Endpoints(rest=simulator.rest, login=simulator.login)) if simulator else None

    def adapter(broker: str, environment: str) -> Broker:
        if broker != BrokerName.ZERODHA:
            raise TradingRuleError(f"accounts of broker {broker} have no login here yet")
        if environment != Environment.SIMULATOR:
            return real
        if simulated is None:
            raise TradingRuleError("this installation has no simulator")
        return simulated

    def login_url(broker: str, environment: str, *, api_key: str, state: str) -> str:
        return adapter(broker, environment).login_url(api_key=api_key, state=state)

    async def exchange_token(
        broker: str, environment: str, *, api_key: str, api_secret: str, request_token: str
    ) -> Session:
        return await adapter(broker, environment).exchange_token(
            api_key=api_key, api_secret=api_secret, request_token=request_token, now=_now_ms()
        )

    return BrokerLogins(login_url=login_url, exchange_token=exchange_token)


def _zerodha(http: httpx.AsyncClient, endpoints: Endpoints) -> Broker:
    transport = create_http_transport(http, base_url=endpoints.rest)
    return create_zerodha_broker(
        read=transport, write=transport, current=lambda: None, now=_now_ms, endpoints=endpoints
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
