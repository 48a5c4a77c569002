"""Symbols that are followed though nobody trades them: read from a file, looked up each day, tried again."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from algo_brokers.errors import BrokerUnavailable
from algo_brokers.records import BrokerInstrument
from algo_gateway import watched
from algo_gateway.settings import SettingsError
from algo_gateway.symbols import Symbols
from algo_gateway.watched import follow, read_watched

MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)


class Lists:
    """A broker with a list of the day, where tokens change."""

    def __init__(self) -> None:
        self.day = 1
        self.away = False

    async def read_instruments(self, *, exchange: str) -> tuple[BrokerInstrument, ...]:
        if self.away:
            raise BrokerUnavailable("away")
        names = ("TCS", "INFY")
        return tuple(
            BrokerInstrument(
                exchange=exchange, symbol=name, token=self.day * 10 + n, name=name, tick_size=500, lot=1, kind="EQ"
            )
            for n, name in enumerate(names)
        )


def test_a_file_of_symbols(tmp_path: Path) -> None:
    file = tmp_path / "watched"
    file.write_text("NSE:TCS\n\n NSE:INFY \nNFO:NIFTY25AUGFUT\n")
    assert read_watched(file) == [("NSE", "TCS"), ("NSE", "INFY"), ("NFO", "NIFTY25AUGFUT")]
    for bad in ("TCS", ":TCS", "NSE:"):
        file.write_text(bad)
        with pytest.raises(SettingsError, match="must be EXCHANGE:SYMBOL"):
            read_watched(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_watched(tmp_path)
    assert read_watched(tmp_path / "absent") == []


async def test_symbols_are_looked_up_each_day_and_again_after_trouble(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(watched, "_LOOK_S", 0.001)
    monkeypatch.setattr(watched, "_RETRY_S", 0.001)
    broker, days, asked = Lists(), [None, MONDAY], list[list[int]]()
    symbols = Symbols(broker)  # type: ignore[arg-type] # only its lists are read

    def today() -> Any:
        return days.pop(0) if len(days) > 1 else days[0]

    file = tmp_path / "symbols"
    file.write_text("NSE:TCS\nNSE:INFY\nNSE:GONE\n")
    following = asyncio.create_task(follow(file, symbols, today=today, subscribe=asked.append))

    async def until(count: int) -> None:
        async with asyncio.timeout(10):
            while len(asked) < count:  # noqa: ASYNC110 - the task under test changes it
                await asyncio.sleep(0.002)

    await until(1)
    assert asked == [[10, 11]]
    assert "the broker does not list 1 of them, such as NSE:GONE" in caplog.text
    broker.day, broker.away = 2, True
    days[:] = [TUESDAY]
    async with asyncio.timeout(10):
        while "trying again" not in caplog.text:  # noqa: ASYNC110 - the task under test changes it
            await asyncio.sleep(0.002)
    broker.away = False
    await until(2)
    assert {20, 21} <= set(asked[1])
    assert symbols.by_key["NSE", "TCS"].token == 20
    file.write_text("TCS")
    days[:] = [WEDNESDAY]
    async with asyncio.timeout(10):
        while "none today, 'TCS' in the file" not in caplog.text:  # noqa: ASYNC110 - the task under test changes it
            await asyncio.sleep(0.002)
    file.write_text("NSE:INFY")
    days[:] = [MONDAY]
    await until(3)
    assert not following.done(), "a bad line ends nothing"
    following.cancel()


async def test_without_a_list_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(watched, "_LOOK_S", 0.001)
    looked, asked = asyncio.Event(), list[list[int]]()

    calls: list[None] = []

    def today() -> date:
        calls.append(None)
        if len(calls) > 2:
            looked.set()
        return MONDAY

    symbols = Symbols(Lists())  # type: ignore[arg-type] # only its lists are read
    following = asyncio.create_task(follow(tmp_path / "absent", symbols, today=today, subscribe=asked.append))
    await asyncio.wait_for(looked.wait(), 10)
    assert asked == []
    assert not following.done()
    following.cancel()
