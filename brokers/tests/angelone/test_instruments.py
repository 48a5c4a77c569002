"""The day's list: made-up lines, and a real excerpt where recorded data is at hand."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from algo_brokers.angelone import instruments
from algo_brokers.angelone.names import pack
from algo_brokers.errors import BadAnswer
from algo_brokers.records import BrokerInstrument
from angelone_samples import line, option, raw
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 3, 2)
EXCERPT = "scrip_master/angel_OpenAPIScripMaster.json"


def parse(*lines: dict[str, Any], exchange: str = "NSE", today: date = TODAY) -> tuple[BrokerInstrument, ...]:
    return instruments.parse(raw(list(lines)), exchange, today=today)


def test_a_share() -> None:
    assert parse(line(), option()) == (
        BrokerInstrument(
            exchange="NSE",
            symbol="RELIANCE",
            token=pack(1, 2885),
            name="RELIANCE",
            tick_size=1000,
            lot=1,
            kind="EQ",
            broker_symbol="RELIANCE-EQ",
            freeze=50000,
            closing_auction=False,
        ),
    )


def test_an_option() -> None:
    assert parse(option(), exchange="NFO") == (
        BrokerInstrument(
            exchange="NFO",
            symbol="NIFTY26MAR25000CE",
            token=pack(2, 48212),
            name="NIFTY",
            tick_size=500,
            lot=75,
            kind="CE",
            broker_symbol="NIFTY26MAR2625000CE",
            freeze=1800,
            expiry=date(2026, 3, 26),
            strike=250000000,
            underlying="NIFTY",
        ),
    )


def test_a_weekly_option_and_a_future() -> None:
    weekly = option(token="5", symbol="NIFTY05MAR2625000PE", expiry="05MAR2026")
    future = option(token="6", symbol="NIFTY26MAR26FUT", instrumenttype="FUTIDX", strike="-1.000000")
    found = parse(option(), weekly, future, exchange="NFO")
    assert [(one.symbol, one.kind) for one in found[1:]] == [("NIFTY2630525000PE", "PE"), ("NIFTY26MARFUT", "FUT")]
    assert found[2].strike == 0


def test_series_and_index() -> None:
    index = line(
        token="99926000",
        symbol="Nifty 50",
        name="NIFTY",
        instrumenttype="AMXIDX",
        strike="0.000000",
        tick_size="0.000000",
    )
    found = parse(line(symbol="CENTRALBK-BE", name="CENTRALBK"), index)
    assert [(one.symbol, one.kind) for one in found] == [("CENTRALBK-BE", "EQ"), ("NIFTY 50", "INDEX")]


def test_a_currency_option_has_its_own_scale() -> None:
    currency = option(
        symbol="USDINR26MAR2685.5CE",
        name="USDINR",
        instrumenttype="OPTCUR",
        exch_seg="CDS",
        strike="855000000.000000",
        tick_size="0.250000",
    )
    (one,) = parse(currency, exchange="CDS")
    assert (one.strike, one.tick_size) == (855000, 25)


def test_kinds_without_a_name_of_ours_are_left_out() -> None:
    odd = [line(instrumenttype="AUCSO"), option(symbol="ODD", exch_seg="NSE"), line()]
    assert [one.symbol for one in parse(*odd)] == ["RELIANCE"]
    with pytest.raises(BadAnswer, match="no line of MCX"):
        parse(line(exch_seg="MCX"), exchange="MCX")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"token": "x"}, "token 'x'"),
        ({"token": "0"}, "token '0'"),
        ({"token": "4294967296"}, "token"),
        ({"tick_size": "x"}, "no number"),
        ({"tick_size": "0.001"}, "finer"),
        ({"lotsize": "1.5"}, "not whole"),
    ],
)
def test_a_line_that_cannot_be_read_refuses_the_list(changes: dict[str, str], message: str) -> None:
    with pytest.raises(BadAnswer, match=message):
        parse(line(**changes))


def test_a_contract_needs_an_expiry_and_an_exchange_a_number() -> None:
    with pytest.raises(BadAnswer, match="expiry ''"):
        parse(option(expiry=""), exchange="NFO")
    with pytest.raises(BadAnswer, match="has no number"):
        parse(option(exch_seg="NYSE"), exchange="NYSE")


def test_a_broken_line_of_another_exchange_is_no_matter() -> None:
    broken: dict[str, Any] = {"exch_seg": "MCX", "token": None}
    assert len(parse(line(), broken, {"exch_seg": None})) == 1
    with pytest.raises(BadAnswer, match="instrument list of MCX"):
        parse(line(), broken, exchange="MCX")


def test_no_list_and_no_line() -> None:
    with pytest.raises(BadAnswer, match="no line of BSE"):
        parse(line(), exchange="BSE")
    with pytest.raises(BadAnswer, match="instrument list"):
        instruments.parse(b"<html>", "NSE", today=TODAY)


def test_a_list_of_an_earlier_day() -> None:
    assert parse(option(), exchange="NFO", today=date(2026, 3, 26))
    with pytest.raises(BadAnswer, match="earlier day"):
        parse(option(), exchange="NFO", today=date(2026, 3, 27))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_an_error(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        instruments.parse(data, "NSE", today=TODAY)


@pytest.mark.data
def test_the_real_excerpt() -> None:
    root = Path(__file__).parents[3]
    data = Path(os.environ.get("ALGO_DATA_DIR") or root.parent / "shared" / "data")
    found = {one.symbol: one for one in instruments.parse((data / EXCERPT).read_bytes(), "NSE", today=TODAY)}
    assert len(found) == 46
    assert found["NIFTY 50"].kind == "INDEX"
    assert found["NIFTY BANK"].token == pack(1, 99926009)
    fact = found["FACT"]
    assert (fact.tick_size, fact.lot, fact.freeze, fact.broker_symbol) == (500, 1, 125531, "FACT-EQ")
    assert found["POWERMECH"].tick_size == 1000
    assert (found["VEEKAYEM-SM"].lot, found["94SFL28-YL"].tick_size) == (500, 100)
