"""A gateway process that is killed in the middle of an order, or just so, between a real simulator and a runner.

The runner's side is a script that reconciles as an engine does: with the book first. The market stands still until it
is back, the account's book shows each tag once, and what was bought is sold once.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderRow, OrderStatus, RejectKind, Side
from gateway_processes import GatewayProcess, RedisServer
from lockstep_stage import CLIENT, Script, Simulator, connect, down, log_in, make_world, run_world, up

ANSWERS = wire.Accepted | wire.Rejected | wire.NotSent | wire.Unknown
READ = 900


@dataclass
class Returning(Script):
    """The runner after the kill: reads the book, tries its entry's tag again, protects what was bought."""

    price: int = 0
    book: tuple[OrderRow, ...] | None = None
    answer: Any = None

    async def on(self, message: wire.ToRunner) -> None:
        if isinstance(message, wire.Welcome):
            self.welcome = message
            await self.say(wire.ReadBook(req=READ))
        elif isinstance(message, wire.Book) and self.book is None:
            if message.req == READ and not message.unavailable:
                self.book, self.entered = message.rows, True
                await self.order(Leg.ENTRY, up(self.price, 20))
        elif self.armed.is_set() or not isinstance(message, ANSWERS):
            await super().on(message)
        else:
            self.answer = message
            self.waiting.discard(message.req)
            bought = [row for row in self.book or () if row.side is Side.BUY and row.status is OrderStatus.FILLED]
            protected = any(row.side is Side.SELL for row in self.book or ())
            if bought and not self.held:
                self.held = bought[0].filled
                if not protected:  # the stop may have left before the kill: the book knows
                    trigger = down(bought[0].average_price, 4)
                    await self.order(Leg.STOP, down(trigger, 100), trigger)
            await self.say(wire.Armed())
            self.armed.set()


async def orders_of(http: aiohttp.ClientSession, simulator: Simulator, name: str) -> list[dict[str, Any]]:
    async with http.get(f"{simulator.control}/worlds/{name}/book", headers=simulator.headers) as answer:
        assert answer.status == 200
        book = await answer.json()
    (account,) = book["accounts"].values()
    found: list[dict[str, Any]] = account["orders"]
    return found


async def reached(path: Path) -> None:
    async with asyncio.timeout(30):
        while not path.exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
            await asyncio.sleep(0.02)


def process(tmp_path: Path, simulator: Simulator, redis: RedisServer, name: str) -> GatewayProcess:
    return GatewayProcess(tmp_path, simulator, BROKER="zerodha", CLIENT_ID=f"{CLIENT}{name}", REDIS_URL=redis.url)


@pytest.mark.redis
@pytest.mark.parametrize("point", ["before_send", "after_send", "after_accept", "after_row"])
async def test_killed_in_the_middle_of_an_entry(
    tmp_path: Path, simulator: Simulator, redis: RedisServer, point: str
) -> None:
    name = point.replace("_", "")
    gateway = process(tmp_path, simulator, redis, name)
    async with aiohttp.ClientSession() as http:
        await make_world(http, simulator, name, f"{CLIENT}{name}")
        (tmp_path / "session.json").write_bytes(await log_in(http, simulator, name))
        (gateway.crash / f"gateway.{point}").touch()
        try:
            gateway.start()
            await gateway.tell_halts(http)
            first = Script(await connect(http, gateway.port), limit_steps=6_000)
            running = asyncio.create_task(run_world(http, simulator, name, first))
            await reached(gateway.crash / f"gateway.{point}.reached")
            gateway.kill()
            await running
            gateway.start()
            await gateway.tell_halts(http)
            again = Returning(await connect(http, gateway.port), limit_steps=6_000, price=first.prices[-1][2])
            await again.run()
        finally:
            gateway.kill()
        async with http.get(f"{simulator.control}/worlds/{name}", headers=simulator.headers) as answer:
            world = await answer.json()
        orders = await orders_of(http, simulator, name)
    sent_before = point != "before_send"
    assert again.book is not None
    assert sum(row.side is Side.BUY for row in again.book) == int(sent_before)
    if sent_before:
        assert isinstance(again.answer, wire.Rejected)
        assert again.answer.kind is RejectKind.DUPLICATE_TAG
    else:
        assert isinstance(again.answer, wire.Accepted)
    assert again.refused == []
    assert again.done, "what was bought was sold by its stop"
    assert again.welcome.last_send >= first.entered_at, "nobody knows what was sent last"
    assert again.welcome.now - first.now <= 1_000, "the market stood still meanwhile"
    assert world["barrier_timeouts"] == 0
    tags = [order["tag"] for order in orders]
    assert len(tags) == len(set(tags)) == 2, orders


@pytest.mark.redis
async def test_a_restart_under_a_connected_runner(
    tmp_path: Path, simulator: Simulator, redis: RedisServer, record_property: Callable[[str, object], None]
) -> None:
    name = "restart"
    gateway = process(tmp_path, simulator, redis, name)
    async with aiohttp.ClientSession() as http:
        await make_world(http, simulator, name, f"{CLIENT}{name}")
        (tmp_path / "session.json").write_bytes(await log_in(http, simulator, name))
        try:
            gateway.start()
            await gateway.tell_halts(http)
            first = Script(await connect(http, gateway.port), limit_steps=40, entered=True)
            await run_world(http, simulator, name, first)
            gateway.kill()
            begun = time.monotonic()
            gateway.start()
            again = Script(await connect(http, gateway.port), limit_steps=40, entered=True)
            await again.run()
            record_property("seconds_until_40_beats_after_the_return", round(time.monotonic() - begun, 2))
        finally:
            gateway.kill()
        async with http.get(f"{simulator.control}/worlds/{name}", headers=simulator.headers) as answer:
            world = await answer.json()
    assert again.welcome.epoch == first.welcome.epoch, "the same runner, no new epoch"
    assert again.welcome.broker.halted, "until the operator tells it again"
    assert again.welcome.now - first.now <= 1_000, "the market stood still meanwhile"
    assert again.prices[0][0] - first.now <= 2_000, "no second of prices is lost"
    assert world["barrier_timeouts"] == 0
