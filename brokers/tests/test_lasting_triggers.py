"""Lasting trigger orders through the port: as the record says, from the registered address, nothing sent in vain."""

import dataclasses

import pytest
from aiohttp import web
from algo_brokers.http import HttpAnswer, HttpRequest
from algo_brokers.outcomes import Rejected
from algo_brokers.port import Triggers
from algo_brokers.records import NewTrigger, TriggerLeg
from algo_brokers.registry import adapter_of
from algo_crds.contracts.orders import Product, RejectKind, Side
from every_broker import BROKERS, ORDER, stand_of

LOW = TriggerLeg(trigger=90_0000, price=89_0000, quantity=10)
HIGH = TriggerLeg(trigger=120_0000, price=119_0000, quantity=10)


def wanted(broker: str, *legs: TriggerLeg, product: Product = Product.DELIVERY) -> NewTrigger:
    """A sale of the broker's own sample share."""
    instrument = ORDER[broker].instrument
    return NewTrigger(instrument=instrument, side=Side.SELL, product=product, legs=legs, last_price=100_0000)


def of(triggers: Triggers | None) -> Triggers:
    assert triggers is not None
    return triggers


@pytest.mark.parametrize("broker", BROKERS)
async def test_the_port_has_them_where_the_record_says_so(broker: str) -> None:
    facts = adapter_of(broker).facts
    async with stand_of(broker) as stand:
        assert (stand.broker.triggers is not None) is (facts.triggers is not None)
        assert "triggers" in facts.sources


@pytest.mark.parametrize("broker", BROKERS)
async def test_what_the_record_lacks_is_refused_and_nothing_is_sent(broker: str) -> None:
    facts = adapter_of(broker).facts.triggers
    assert facts is not None
    async with stand_of(broker) as stand:
        triggers = of(stand.broker.triggers)
        for product in set(Product) - set(facts.products):
            refused = await triggers.place(trigger=wanted(broker, LOW, product=product))
            assert isinstance(refused, Rejected)
            assert refused.kind is RejectKind.PRODUCT
        for legs in ((), (LOW, LOW, HIGH)):
            assert isinstance(await triggers.place(trigger=wanted(broker, *legs)), Rejected)
        assert stand.seen == []


@pytest.mark.parametrize("broker", BROKERS)
async def test_they_leave_from_the_registered_address(broker: str) -> None:
    """Writes by the line of order calls; the list that a change reads first may come from anywhere."""
    sent: list[str] = []

    async def line(request: HttpRequest, *, timeout_s: float) -> HttpAnswer:
        assert timeout_s > 0
        sent.append(request.method)
        return HttpAnswer(500, "text/plain", b"")

    async with stand_of(broker) as stand:

        async def reads(request: web.Request) -> web.StreamResponse:
            assert request.method in ("GET", "POST")
            return web.json_response({}, status=500)

        stand.handler = reads
        parts = dataclasses.replace(stand.parts, write=line)
        triggers = of(adapter_of(broker).create_broker(parts).triggers)
        for legs in ((LOW,), (LOW, HIGH)):
            await triggers.place(trigger=wanted(broker, *legs))
        await triggers.modify(trigger_id="17", trigger=wanted(broker, LOW))
        await triggers.cancel(trigger_id="17", instrument=ORDER[broker].instrument)
        assert len(sent) >= 3
        assert stand.seen == [] or broker in ("dhan", "fyers"), "only these two read before a change"
