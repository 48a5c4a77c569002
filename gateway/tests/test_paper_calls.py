"""A paper account's call begins where it was decided, outside a task, and still keeps the account before its answer."""

import asyncio
from datetime import date, time

from algo_brokers.outcomes import Accepted, WriteOutcome
from algo_brokers.records import InstrumentRef, NewOrder
from algo_crds.contracts.clock import instant
from algo_crds.contracts.orders import OrderRow, OrderType, Product, Side
from algo_gateway.eager import begin
from algo_gateway.paper_account import PaperAccount

NOW = instant(date(2021, 4, 12), time(9, 20))
ORDER = NewOrder(
    tag="a12345678abce001",
    instrument=InstrumentRef(exchange="NSE", symbol="RELIANCE"),
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=10,
    price=20_000_000,
    product=Product.INTRADAY,
)


async def test_a_call_that_begins_outside_a_task_is_kept_and_answered() -> None:
    kept: list[bytes] = []
    rows: list[OrderRow] = []
    outcomes: list[WriteOutcome] = []

    async def keep(snapshot: bytes) -> None:
        async with asyncio.timeout(None):  # in a task, as the writer to Redis is
            await asyncio.sleep(0)
            kept.append(snapshot)

    account = PaperAccount(
        now=lambda: NOW, orders_per_window=8, keep=keep, market_row=rows.append, call_row=rows.append
    )
    account.exchange.tick("NSE", "RELIANCE", price=20_100_000, time=NOW, volume=1, now=NOW)

    async def call() -> None:
        outcomes.append(await account.broker.place(order=ORDER))
        assert kept, "the account is kept before its answer"

    task = begin(call())
    assert task is not None
    await task
    assert [type(outcome) for outcome in outcomes] == [Accepted]
    assert rows
