"""Where lists are read: simulated brokers where there are any, the real ones otherwise, never both together, because a
simulated market has the instruments of its own day.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx
from algo_brokers.adapter_parts import TransportTo
from algo_brokers.http import HttpAnswer, HttpRequest, Transport
from algo_brokers.port import ReadInstruments
from algo_brokers.registry import ADAPTERS, adapter_of
from algo_brokers.transports import create_http_transport

_GOOD: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The brokers whose lists are read."""

    brokers: tuple[str, ...]
    simulated: bool
    open: Callable[[], Mapping[str, ReadInstruments]]
    """Readers for one load, by broker. A file that holds several exchanges is fetched once for all of them."""


def create_sources(
    http: httpx.AsyncClient, simulators: Mapping[str, str], now: Callable[[], int], *, only: tuple[str, ...] = ()
) -> Sources:
    """The lists of this installation.

    Args:
        simulators: base address by broker; empty where there is no simulator.
        now: wall clock in ms.
        only: names of brokers; empty for all that there are.
    """
    simulated = bool(simulators)
    brokers = tuple(sorted(name for name in (simulators or ADAPTERS) if not only or name in only))

    def reach(base_url: str) -> Transport:
        return create_http_transport(http, base_url=base_url)

    def readers() -> dict[str, ReadInstruments]:
        kept = _keeping(reach)
        return {broker: _reader(broker, kept) for broker in brokers}

    def _reader(broker: str, transport: TransportTo) -> ReadInstruments:
        adapter = adapter_of(broker)
        if not simulated:
            return adapter.read_public_list(transport, adapter.endpoints, now)
        # The day of a simulated market is its own: no list of it is of an earlier day.
        return adapter.read_public_list(transport, adapter.simulated(simulators[broker]), lambda: 0)

    return Sources(brokers=brokers, simulated=simulated, open=readers)


def _keeping(reach: TransportTo) -> TransportTo:
    """Transports that fetch each file once."""
    answers: dict[tuple[str, str], HttpAnswer] = {}

    def to(base_url: str) -> Transport:
        send = reach(base_url)

        async def kept(request: HttpRequest, *, timeout_s: float) -> HttpAnswer:
            key = (base_url, request.target)
            if key not in answers:
                answer = await send(request, timeout_s=timeout_s)
                if answer.status != _GOOD:
                    return answer
                answers[key] = answer
            return answers[key]

        return kept

    return to
