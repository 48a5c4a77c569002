"""The stream, the resource's status and the API say what the exchange's book says, and say it only to their owner."""

import asyncio
import contextlib
from decimal import Decimal

import httpx
from algo_local.demo.services import StreamEvent, follow, register
from cluster_stage import House, System, net_position, orders_of


async def test_stream_status_and_book_agree(house: House) -> None:
    strategy = await house.strategy()
    events: list[StreamEvent] = []

    async def listen() -> None:
        async for event in follow(strategy.trader, strategy.id, "0-0"):
            events.append(event)

    listener = asyncio.create_task(listen())
    await strategy.start_market()
    seen = await strategy.final()
    await asyncio.sleep(2)
    listener.cancel()
    book = await strategy.book()
    assert net_position(book) == 0
    by_tag = {order["tag"]: order for order in orders_of(book)}
    shown = {order["tag"]: order for order in seen["orders"]}
    assert set(by_tag) == set(shown)
    for tag, order in by_tag.items():
        assert (shown[tag]["filled"], shown[tag]["status"]) == (order["filled"], order["status"])
        assert Decimal(shown[tag]["average_price"] or 0) == Decimal(order["average_price"])
    last = {event.data["order"]["tag"]: event.data["order"] for event in events if event.kind == "order"}
    assert {tag: (o["filled"], o["status"]) for tag, o in last.items()} == {
        tag: (o["filled"], o["status"]) for tag, o in by_tag.items()
    }
    status = (await strategy.resource_now())["status"]
    assert status["phase"] == seen["phase"] == "Sold"
    assert {order["tag"]: order["status"] for order in status["orders"]} == {
        tag: order["status"] for tag, order in by_tag.items()
    }


async def test_another_user_sees_nothing_of_it(house: House, system: System) -> None:
    strategy = await house.strategy()
    other = await register(system.endpoints.api)
    async with contextlib.aclosing(other.client):
        paths = [
            f"/strategies/{strategy.id}",
            f"/strategies/{strategy.id}/stream",
            f"/broker-accounts/{strategy.account['id']}",
        ]
        for path in paths:
            assert (await other.client.get(path)).status_code == httpx.codes.NOT_FOUND
        for action in ("start", "stop"):
            answer = await other.client.post(f"/strategies/{strategy.id}/{action}")
            assert answer.status_code == httpx.codes.NOT_FOUND
        assert (await other.client.get("/strategies")).json()["items"] == []
