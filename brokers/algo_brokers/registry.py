"""Every broker that an account may be at, by name. The one place that knows them all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from algo_crds.contracts.wire import Capability

from algo_brokers import angelone, dhan, fyers, zerodha
from algo_brokers.adapter_parts import AdapterParts, CreatePublicList, TransportTo
from algo_brokers.endpoints import Endpoints
from algo_brokers.facts import BrokerFacts
from algo_brokers.login import Login
from algo_brokers.port import Broker


class UnknownBrokerError(LookupError):
    """No adapter of that name."""


class Simulated(Protocol):
    """The endpoints of a simulated broker at a base address."""

    def __call__(self, base: str, *, browser: str = "") -> Endpoints: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """What a broker's package offers."""

    capability: Capability
    facts: BrokerFacts
    endpoints: Endpoints
    simulated: Simulated
    create_broker: Callable[[AdapterParts], Broker]
    create_login: Callable[[TransportTo, Endpoints], Login]
    read_public_list: CreatePublicList


ADAPTERS: Final[dict[str, Adapter]] = {
    name: Adapter(
        capability=package.CAPABILITY,
        facts=package.FACTS,
        endpoints=package.ENDPOINTS,
        simulated=package.simulated,
        create_broker=package.create_broker,
        create_login=package.create_login,
        read_public_list=package.create_public_list,
    )
    for name, package in (("angelone", angelone), ("dhan", dhan), ("fyers", fyers), ("zerodha", zerodha))
}
"""Adapters that speak to a broker over a network; the paper account is the gateway's own."""


def adapter_of(broker: str) -> Adapter:
    """The adapter of a broker.

    Raises:
        UnknownBrokerError: there is none of that name.
    """
    try:
        return ADAPTERS[broker]
    except KeyError:
        known = ", ".join(sorted(ADAPTERS))
        raise UnknownBrokerError(f"broker {broker!r} has no adapter; the platform knows {known} and paper") from None
