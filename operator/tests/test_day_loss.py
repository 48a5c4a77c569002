"""The tenant's limit of the day's loss: one strategy's own limit, and the sum that halts all of them."""

import asyncio
from typing import Any

import pytest
from algo_crds.contracts.runtime import Phase, RuntimeSpec, StrategyView, decode_spec
from algo_operator.status.feed import Sweep
from algo_operator.vocabulary import EVENT, TENANT, Key
from algo_operator.workqueue import Done, Priority

from .conftest import Desk
from .house import House

pytestmark = [pytest.mark.apiserver, pytest.mark.redis]
RUPEES = 10_000


@pytest.fixture
async def house(desk: Desk) -> House:
    made = House(desk)
    await made.open()
    await limited(made, 1000)
    return made


async def limited(house: House, rupees: float | None) -> None:
    risk = None if rupees is None else {"maxLossPerDay": rupees}
    await house.desk.cluster.patch(TENANT, "", house.tenant, {"spec": {"risk": risk}})


async def spec(house: House, name: str) -> RuntimeSpec:
    key = house.key(name)
    await house.desk.settle(key, passes=1)
    return decode_spec(await house.spec_of((await house.status(name))["strategyId"]))


async def lost(house: House, key: Key, rupees: int, **changes: Any) -> StrategyView:
    return await house.tell(key, phase=Phase.BOUGHT, held=10, pnl=-rupees * RUPEES, **changes)


async def drained(house: House) -> set[Key]:
    """What waits in the queue, taken out of it."""
    found: set[Key] = set()
    last, done = Key(TENANT, "", "last"), asyncio.Event()

    async def take(key: Key) -> Done:
        found.add(key)
        if key == last:
            done.set()
        return Done()

    queue = house.desk.context.queue
    queue.add(last, Priority.RESYNC)
    worker = asyncio.create_task(queue.run(take, 1))
    try:
        async with asyncio.timeout(10):
            await done.wait()
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    return found


async def two(house: House) -> tuple[Key, Key]:
    made = []
    for name in ("one", "two"):
        key = await house.strategy(name)
        await house.desk.settle(key, passes=1)
        made.append(key)
    return made[0], made[1]


@pytest.mark.parametrize(("own", "limit"), [(None, 1000), (400, 400), (5000, 1000)])
async def test_one_strategy_may_lose_no_more_than_the_tenant(house: House, own: int | None, limit: int) -> None:
    await house.strategy("one", **({} if own is None else {"limits": {"maxLossPerDay": own}}))
    assert (await spec(house, "one")).spec.max_loss_per_day == limit * RUPEES
    await limited(house, None)
    assert (await spec(house, "one")).spec.max_loss_per_day == (None if own is None else own * RUPEES)


async def test_the_sum_of_the_day_halts_all_strategies_until_the_next_day(house: House) -> None:
    one, two_ = await two(house)
    await lost(house, one, 600)
    await lost(house, two_, 399)
    assert (await spec(house, "one")).halts == ()
    await lost(house, two_, 400)
    halts = (await spec(house, "two")).halts
    assert halts == (
        "tenant: the loss of 2021-04-12 over all strategies is 1000.00 and has reached the limit of 1000.00",
    )
    assert (await spec(house, "one")).halts == halts
    events = [one for one in await house.desk.cluster.list(EVENT, house.namespace) if one["reason"] == "DayLossLimit"]
    assert sorted(one["involvedObject"]["name"] for one in events) == ["one", "two"]
    await lost(house, two_, 300)  # sold better than the last price: the day stays over
    assert (await spec(house, "one")).halts == halts
    await house.strategy("three")  # a new one begins on that day as well
    assert (await spec(house, "three")).halts == halts
    await house.tell(one, day="2021-04-13", pnl=0)
    assert (await spec(house, "one")).halts == ()
    assert (await spec(house, "two")).halts == halts


async def shown(house: House) -> dict[str, str]:
    """The conditions of the tenant about the loss: status and message."""
    await house.desk.settle(Key(TENANT, "", house.tenant), passes=1)
    tenant = await house.desk.cluster.get(TENANT, "", house.tenant)
    assert tenant is not None
    found = tenant["status"]["conditions"]
    return {one["status"]: one["message"] for one in found if one["type"] == "DayLossLimit"}


async def test_the_tenant_shows_the_loss_of_the_newest_day(house: House) -> None:
    one, _ = await two(house)
    assert list(await shown(house)) == ["False"]
    await lost(house, one, 1200)
    await spec(house, "one")
    said = await shown(house)
    assert list(said) == ["True"]
    assert said["True"].startswith("paper money: the loss of 2021-04-12")
    await drained(house)
    await house.tell(one, day="2021-04-13", pnl=0)
    await spec(house, "one")
    assert Key(TENANT, "", house.tenant) in await drained(house)
    assert list(await shown(house)) == ["False"]
    await limited(house, None)
    assert await shown(house) == {}


async def test_a_new_operator_finds_the_loss_again(house: House) -> None:
    one, two_ = await two(house)
    await lost(house, one, 700)
    await lost(house, two_, 700)
    assert (await spec(house, "one")).halts
    house.desk.context.memory.losses.clear()
    assert (await spec(house, "one")).halts


async def test_another_limit_is_compared_anew(house: House) -> None:
    one, _ = await two(house)
    await lost(house, one, 1200)
    assert (await spec(house, "one")).halts
    await limited(house, 1500)
    assert (await spec(house, "one")).halts == ()
    await limited(house, None)
    assert (await spec(house, "one")).halts == ()


async def test_paper_money_closes_no_real_position(house: House) -> None:
    account = await house.zerodha_account()
    await house.desk.settle(account, passes=2)
    one, _ = await two(house)
    await house.strategy("real", mode="Live", brokerAccountRef={"name": "zed"})
    await house.desk.settle(house.key("real"), passes=1)
    await lost(house, one, 5000)
    await house.tell(house.key("real"), pnl=-1)
    assert (await spec(house, "one")).halts
    assert (await spec(house, "real")).halts == ()


async def test_every_strategy_is_told_and_each_sweep_looks_at_the_figures(house: House) -> None:
    one, two_ = await two(house)
    sweep, context = Sweep(monotonic=lambda: 1000.0), house.desk.context

    async def woken() -> set[Key]:
        found: set[Key] = set()
        await sweep.run(context, found.add)
        return found & {one, two_}

    await lost(house, one, 10)
    await lost(house, two_, 10)
    await woken()
    await lost(house, one, 2000)
    assert await woken() == {one}
    await drained(house)
    assert (await spec(house, "one")).halts
    assert await drained(house) >= {one, two_}, "the others are looked at at once"
