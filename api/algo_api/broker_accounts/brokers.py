"""The ways into the brokers that the platform speaks to, real and simulated."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from algo_brokers.http import Transport
from algo_brokers.login import Login
from algo_brokers.paper.adapter import LOGIN as PAPER_LOGIN
from algo_brokers.registry import ADAPTERS, UnknownBrokerError, adapter_of
from algo_brokers.transports import create_http_transport
from algo_crds.resources.broker_account import Environment

from algo_api.broker_accounts.contract import LoginOf
from algo_api.errors import TradingRuleError


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorAddress:
    """Where a simulated broker is: for this process, and for a browser."""

    base: str
    browser: str


def session_renewals(http: httpx.AsyncClient) -> dict[str, str]:
    """How long a session lives and how to get the next one, by broker, as each broker's login tells it."""

    def transport(base_url: str) -> Transport:
        return create_http_transport(http, base_url=base_url)

    logins = [PAPER_LOGIN, *(adapter.create_login(transport, adapter.endpoints) for adapter in ADAPTERS.values())]
    return {login.broker: login.lives for login in logins}


def create_logins(http: httpx.AsyncClient, simulators: Mapping[str, SimulatorAddress]) -> LoginOf:
    """Logins over HTTP by broker and environment; a broker without a simulator has no simulated environment."""

    def transport(base_url: str) -> Transport:
        return create_http_transport(http, base_url=base_url)

    def login_of(broker: str, environment: str) -> Login:
        try:
            adapter = adapter_of(broker)
        except UnknownBrokerError as error:
            raise TradingRuleError(f"accounts of broker {broker} have no login here") from error
        if environment != Environment.SIMULATOR:
            return adapter.create_login(transport, adapter.endpoints)
        simulator = simulators.get(broker)
        if simulator is None:
            raise TradingRuleError(f"this installation has no simulator of {broker}")
        return adapter.create_login(transport, adapter.simulated(simulator.base, browser=simulator.browser))

    return login_of
