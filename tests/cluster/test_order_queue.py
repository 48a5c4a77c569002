"""The order queue as a trader sees it: what the broker refused, taken off or tried again on a word; nothing twice."""

from algo_local.demo.services import Json, call
from cluster_stage import House, Strategy, assert_flat, bought, eventually


async def entries_of(strategy: Strategy) -> dict[str, Json]:
    """The entries of the queue by tag."""
    told = await call(strategy.trader.client, "GET", f"/strategies/{strategy.id}/order-queue")
    return {entry["tag"]: entry for entry in told["items"]}


async def refuse_sells(strategy: Strategy, orders: int) -> None:
    """Have the broker refuse so many new sell orders (-1: all of them)."""
    faults = {"reject": orders, "reject_side": "Sell", "reject_in_answer": True}
    await call(strategy.control, "PATCH", f"/worlds/{strategy.world['name']}/faults", json=faults)


async def test_an_exit_that_the_broker_refuses_waits_in_the_queue_and_goes_on_a_word(house: House) -> None:
    strategy = await house.strategy(speed=60)
    await refuse_sells(strategy, -1)
    await strategy.start_market()
    await strategy.phase("Bought")
    await strategy.start_market(speed=1)

    async def look() -> dict[str, Json]:
        return await entries_of(strategy)

    found = await eventually(look, lambda entries: len(entries) > 1, "the refused stop and exit in the queue")
    assert {entry["cause"] for entry in found.values()} == {"Margin"}
    assert all(entry["message"] for entry in found.values())
    refused_first, *_, refused_last = found
    path = f"/strategies/{strategy.id}/order-queue"
    await call(strategy.trader.client, "POST", f"{path}/{refused_first}/discard")
    await eventually(look, lambda entries: refused_first not in entries, "the end of the entry")

    await refuse_sells(strategy, 0)
    await call(strategy.trader.client, "POST", f"{path}/{refused_last}/retry")
    await assert_flat(strategy)
    assert (await strategy.final())["exit_reason"] == "unsafe"
    assert bought(await strategy.book()) == 10
    assert not await entries_of(strategy), "they die with their run"
