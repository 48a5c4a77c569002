"""The recorded feed of 30 April 2021 as it was: rows of 1970 and of a mock-trading Saturday change nothing."""

import asyncio
import gzip
from dataclasses import dataclass
from pathlib import Path

import pytest
from algo_local.demo.services import Json
from cluster_stage import House, Strategy, eventually, orders_of

DAY = "2021-04-30"
SYMBOL = "RELIANCE"
UNTIL = f"{DAY} 15:00:00"
"""The strange rows are interleaved before this time, so that the run sees all of them before its exit at 15:05."""
SATURDAY = 1_619_807_400_000
"""Midnight of 1 May 2021 in India."""


@dataclass(frozen=True)
class Recorded:
    """The file's rows by what they are, in file order."""

    header: str
    session: list[str]
    epoch: list[str]
    saturday: list[str]


def recorded(ticks: Path) -> Recorded:
    """The whole recording of the day."""
    header, *rows = gzip.decompress((ticks / DAY / f"{SYMBOL}.csv.gz").read_bytes()).decode().splitlines()
    return Recorded(
        header=header,
        session=[row for row in rows if row.startswith(DAY)],
        epoch=[row for row in rows if row.startswith("1970")],
        saturday=[row for row in rows if row.startswith("2021-05-01")],
    )


def interleaved(source: Recorded) -> list[str]:
    """The session with every strange row spread evenly over it."""
    strange = [*source.epoch, *source.saturday]
    room = sum(row < UNTIL for row in source.session)
    each = max(1, room // (len(strange) + 1))
    rows: list[str] = []
    for index, row in enumerate(source.session):
        rows.append(row)
        if strange and index % each == each - 1 and row < UNTIL:
            rows.append(strange.pop(0))
    assert not strange
    return rows


def written(folder: Path, name: str, header: str, rows: list[str]) -> Path:
    """A folder of its own, named by the date as recordings are."""
    target = folder / name / DAY
    target.mkdir(parents=True)
    (target / f"{SYMBOL}.csv").write_text("\n".join([header, *rows]) + "\n")
    return target


async def trade(house: House, folder: Path) -> Strategy:
    """One run over the folder, out by time: the stop is far away."""
    strategy = await house.strategy(ticks=folder, stop_percent=None, stop_points=200)
    await strategy.start_market()
    return strategy


async def at_the_end(strategy: Strategy) -> Json:
    """The strategy after the market's last tick, once its counts have stood still for two seconds."""
    await eventually(strategy.market, lambda seen: seen["state"] == "ended", "the end of the file", 400)
    while True:
        before = await strategy.see()
        await asyncio.sleep(2)
        after = await strategy.see()
        if (before["ticks_seen"], before["ticks_rejected"]) == (after["ticks_seen"], after["ticks_rejected"]):
            return after


@pytest.mark.data
async def test_strange_rows_change_no_order_and_are_counted_by_cause(house: House, ticks: Path, tmp_path: Path) -> None:
    source = recorded(ticks)
    assert source.epoch or source.saturday
    clean = await trade(house, written(tmp_path, "clean", source.header, source.session))
    dirty = await trade(house, written(tmp_path, "dirty", source.header, interleaved(source)))
    seen_clean, seen_dirty = await at_the_end(clean), await at_the_end(dirty)
    for strategy, seen in ((clean, seen_clean), (dirty, seen_dirty)):
        market = await strategy.market()
        assert market["barrier_timeouts"] == 0, f"the machine was too slow for a verdict: {market}"
        assert seen["orders"], f"nothing was bought: {seen['reason']}, {seen['message']}"
    told = ("leg", "side", "type", "price", "trigger", "quantity", "filled", "average_price", "status", "time")
    assert [[o[key] for key in told] for o in seen_dirty["orders"]] == [
        [o[key] for key in told] for o in seen_clean["orders"]
    ]
    assert seen_dirty["exit_reason"] == "time"
    rejected = seen_dirty["ticks_rejected"]
    assert rejected.get("epoch", 0) == len(source.epoch)
    assert rejected.get("other_day", 0) == len(source.saturday)
    usual = {cause: n for cause, n in rejected.items() if cause not in ("epoch", "other_day")}
    assert usual == seen_clean["ticks_rejected"]


@pytest.mark.data
async def test_a_daily_strategy_trades_nothing_on_the_mock_saturday(house: House, ticks: Path) -> None:
    strategy = await house.strategy(ticks=ticks / DAY, stop_percent=None, stop_points=200, repeat="Daily")
    await strategy.start_market()
    market = await eventually(strategy.market, lambda seen: seen["state"] == "ended", "the end of the file", 400)
    assert market["now"] >= SATURDAY
    orders = orders_of(await strategy.book())
    assert [order["side"] for order in orders] == ["Buy", "Sell"]
    assert all(order["time"] < SATURDAY for order in orders)
