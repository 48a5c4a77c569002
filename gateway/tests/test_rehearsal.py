"""A rehearsal builds what an exit would send, for every broker, and nothing of it leaves."""

import asyncio
import logging

import pytest
from algo_brokers.adapter_parts import AdapterParts
from algo_brokers.http import HttpAnswer, HttpRequest, NothingSentError
from algo_brokers.order_line import create_order_line
from algo_brokers.port import Broker
from algo_brokers.records import InstrumentRef
from algo_brokers.registry import ADAPTERS, adapter_of
from algo_brokers.session import Session
from algo_gateway.rehearsal import Rehearsal

SHARE = InstrumentRef(exchange="NSE", symbol="RELIANCE", token=1 << 32 | 2885, broker_symbol="RELIANCE-EQ")
NOW = 1_700_000_000_000


def adapter(name: str, requests: list[str], line_sends: list[str]) -> Broker:
    """The broker's own adapter on an order line's rehearsal."""
    line = create_order_line("http://127.0.0.1:1")

    async def dropped(request: HttpRequest, *, timeout_s: float) -> HttpAnswer:
        requests.append(request.method)
        try:
            return await line.rehearse(request, timeout_s=timeout_s)
        except NothingSentError:
            line_sends.append("nothing")
            raise

    held = Session(
        broker=name, client_id="C1", api_key="k" * 16, access_token="t" * 32, login_time=0, valid_until=1 << 50
    )
    of_name = adapter_of(name)
    return of_name.create_broker(
        AdapterParts(
            transport=lambda _base: dropped,
            write=dropped,
            current=lambda: held,
            now=lambda: NOW,
            endpoints=of_name.endpoints,
        )
    )


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_every_brokers_exit_is_built_and_dropped(name: str, caplog: pytest.LogCaptureFixture) -> None:
    requests: list[str] = []
    dropped: list[str] = []

    async def walk() -> None:
        rehearsal = Rehearsal(adapter(name, requests, dropped), now=lambda: NOW, traded=lambda: SHARE)
        for _ in range(3):
            rehearsal.walk()
        assert len(asyncio.all_tasks()) == 1, "nothing is left that waits"

    with caplog.at_level(logging.WARNING):
        asyncio.run(walk())
    assert len(requests) == len(dropped) == 3, "each walk comes to the bytes of one order"
    assert not caplog.records


def test_prices_in_a_row_are_one_rehearsal_and_without_a_runner_there_is_none() -> None:
    requests: list[str] = []
    dropped: list[str] = []
    runners: list[int] = []

    async def prices() -> None:
        broker = adapter("zerodha", requests, dropped)
        rehearsal = Rehearsal(broker, now=lambda: NOW, traded=lambda: SHARE if runners else None)
        rehearsal.walk()
        assert not requests
        runners.append(1)
        rehearsal.soon()
        rehearsal.soon()
        assert not requests, "what has arrived is handled first"
        await asyncio.sleep(0)

    asyncio.run(prices())
    assert len(requests) == 1


def test_an_adapter_that_cannot_rehearse_is_asked_once(caplog: pytest.LogCaptureFixture) -> None:
    requests: list[str] = []
    unnamed = InstrumentRef(exchange="NSE", symbol="RELIANCE", token=1, broker_symbol="RELIANCE-EQ")

    async def walk() -> None:
        rehearsal = Rehearsal(adapter("angelone", requests, []), now=lambda: NOW, traded=lambda: unnamed)
        for _ in range(3):
            rehearsal.walk()

    asyncio.run(walk())
    assert not requests
    assert len(caplog.records) == 1
