"""Copies in a real Redis: they arrive, wait while it is away, and are bounded; a paper account is found again."""

import asyncio
from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from algo_brokers.outcomes import Accepted
from algo_brokers.records import InstrumentRef, NewOrder
from algo_crds.contracts import keys
from algo_crds.contracts.clock import instant
from algo_crds.contracts.orders import OrderRow, OrderType, Product, Side
from algo_gateway import publish
from algo_gateway.paper_account import PaperAccount
from algo_gateway.publish import Publisher, connect
from gateway_processes import RedisServer
from redis import Redis
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

pytestmark = pytest.mark.redis
NOW = instant(date(2021, 4, 12), time(9, 20))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.02)


async def test_copies_arrive_and_outlive_an_absence(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "_MAX_EVENTS", 3)
    publisher = Publisher(connect(redis.url, "", None), "brk_1", "src_1")
    writing = asyncio.create_task(publisher.run())
    reader: Any = Redis.from_url(redis.url)
    try:
        publisher.prices.tick(("NSE", "RELIANCE"), 28754000, 6, 100)
        await until(lambda: reader.hget(keys.last_prices("src_1"), "NSE:RELIANCE") == b"2875.40")
        publisher.now(7)
        publisher.state(feed="connected")
        publisher.event("First", "text", 7)
        await until(lambda: reader.xlen(keys.account_events("brk_1")) == 1)
        assert reader.hget(keys.account_state("brk_1"), "feed") == b"connected"
        assert reader.get(keys.clock("src_1")) == b"7"
        await publisher.save()  # returns when the publisher itself knows that all is written
        redis.stop()
        for number in range(5):
            publisher.event(f"Away{number}", "text", 8)
            publisher.state(feed=f"state {number}")
        assert await publisher.read("paper") is None, "away is not empty"
        await publisher.save(paper="kept")
        assert publisher.dropped == 2
        redis.start()
        await until(lambda: reader.xlen(keys.account_events("brk_1")) == 3)
        entries = reader.xrange(keys.account_events("brk_1"))
        assert [fields[b"code"] for _, fields in entries] == [b"Away2", b"Away3", b"Away4"], "the newest, once"
        assert reader.hget(keys.account_state("brk_1"), "feed") == b"state 4"
        assert await publisher.read("paper") == b"kept"
    finally:
        writing.cancel()


async def test_a_notice_tells_of_a_change_and_never_of_the_same_again(redis: RedisServer) -> None:
    """The gateway says its state each second; each notice costs the operator a whole look at the account."""
    publisher = Publisher(connect(redis.url, "", None), "brk_1", "src_1")
    reader: Any = Redis.from_url(redis.url)
    with reader.pubsub(ignore_subscribe_messages=True) as notices:
        notices.subscribe(keys.account_notify("brk_1"))
        notices.get_message(timeout=5)

        async def told() -> bool:
            return bool(await asyncio.to_thread(notices.get_message, timeout=0.5))

        await publisher.save(feed="connected", orders_today="1")
        assert await told()
        reader.delete(keys.account_state("brk_1"))
        await publisher.save(feed="connected", orders_today="1")
        assert reader.hget(keys.account_state("brk_1"), "feed") == b"connected", "written again: Redis may be emptied"
        assert not await told()
        await publisher.save(feed="connected", orders_today="2")
        assert await told()
        publisher.event("First", "text", 7)
        await publisher.save()
        assert await told()


class Stuck:
    """A server whose next writes wait for the test, and end as it says."""

    def __init__(self) -> None:
        self.connection_pool = ConnectionPool()
        self.under_way = asyncio.Event()
        self.ends: asyncio.Queue[Exception | None] = asyncio.Queue()
        self.added: list[str] = []
        self.written: list[str] = []

    def pipeline(self, transaction: bool) -> "Stuck":
        self.added = []
        return self

    def xadd(self, _name: str, fields: dict[str, str], **_: Any) -> None:
        self.added.append(fields["code"])

    def publish(self, *_: str) -> None:
        return None

    async def execute(self) -> None:
        self.under_way.set()
        if (error := await self.ends.get()) is not None:
            raise error
        self.written += self.added


@pytest.mark.parametrize(
    ("error", "dropped", "kept"),
    [(None, 1, ["First", "1", "2", "3"]), (RedisError("gone"), 2, ["1", "2", "3"])],
    ids=["written", "not written"],
)
async def test_what_is_being_written_is_not_counted_as_lost(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, dropped: int, kept: list[str]
) -> None:
    monkeypatch.setattr(publish, "_MAX_EVENTS", 3)
    stuck: Any = Stuck()
    publisher = Publisher(stuck, "brk_1", "src_1")
    publisher.event("First", "text", 7)
    writing = asyncio.create_task(publisher.save())
    await stuck.under_way.wait()
    for number in range(4):
        publisher.event(str(number), "text", 8)
    assert publisher.dropped == 1
    stuck.ends.put_nowait(error)
    await writing
    assert publisher.dropped == dropped
    stuck.ends.put_nowait(None)
    await publisher.save()
    assert stuck.written == kept


async def test_a_paper_account_is_found_again(redis: RedisServer) -> None:
    publisher = Publisher(connect(redis.url, "", None), "brk_1", "src_1")
    rows: list[tuple[OrderRow, bytes | None]] = []
    reader: Any = Redis.from_url(redis.url)

    def account() -> PaperAccount:
        return PaperAccount(
            now=lambda: NOW,
            orders_per_window=8,
            keep=lambda snapshot: publisher.save(paper=snapshot.decode()),
            market_row=lambda row: rows.append((row, None)),
            call_row=lambda row: rows.append((row, reader.hget(keys.account_state("brk_1"), "paper"))),
        )

    first = account()
    first.exchange.tick("NSE", "RELIANCE", price=28750000, time=NOW, volume=1, now=NOW)
    order = NewOrder(
        tag="a12345678abce001",
        instrument=InstrumentRef(exchange="NSE", symbol="RELIANCE"),
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=10,
        price=28800000,
        product=Product.INTRADAY,
    )
    assert isinstance(await first.broker.place(order=order), Accepted)
    assert rows
    assert all(kept is not None and b"a12345678abce001" in kept for _, kept in rows), "kept before anybody hears of it"
    again = account()
    kept = await publisher.read("paper")
    assert kept
    again.exchange.restore(kept, NOW)
    assert await again.broker.read_book(begun_at=NOW) == await first.broker.read_book(begun_at=NOW)
    assert [one.quantity for one in await again.broker.read_positions()] == [10]
