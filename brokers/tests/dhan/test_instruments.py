"""The day's list, on recorded rows and on rows of the documented forms."""

import os
from datetime import date
from pathlib import Path

import pytest
from algo_brokers.dhan import instruments
from algo_brokers.dhan.names import pack
from algo_brokers.errors import BadAnswer
from algo_brokers.records import BrokerInstrument
from dhan_samples import CURRENCY, FUTURE, HEADER, MONTHLY, SHARE, WEEKLY
from hypothesis import given
from hypothesis import strategies as st


def listing(*lines: str, exchange: str = "NSE") -> tuple[BrokerInstrument, ...]:
    return instruments.parse("\n".join((HEADER, *lines)).encode(), exchange=exchange).instruments


def recorded() -> bytes:
    root = os.environ.get("ALGO_DATA_DIR") or Path(__file__).parents[4] / "shared" / "data"
    return (Path(root) / "scrip_master" / "dhan_api-scrip-master.csv").read_bytes()


@pytest.mark.data
def test_the_recorded_excerpt() -> None:
    nse = {one.symbol: one for one in instruments.parse(recorded(), exchange="NSE").instruments}
    assert set(nse) == {"RELIANCE", "TCS", "TTML", "NIFTY 50", "INDIA VIX"}
    assert nse["RELIANCE"] == BrokerInstrument(
        exchange="NSE",
        symbol="RELIANCE",
        token=pack("NSE_EQ", 2885),
        name="Reliance Industries",
        tick_size=1000,
        lot=1,
        kind="EQ",
        broker_symbol="RELIANCE",
    )
    assert (nse["TCS"].tick_size, nse["TTML"].tick_size) == (500, 100)
    assert (nse["NIFTY 50"].token, nse["NIFTY 50"].kind, nse["NIFTY 50"].lot) == (13, "INDEX", 0)
    bse = instruments.parse(recorded(), exchange="BSE")
    assert len(bse.instruments) == 18
    assert {one.symbol: one.lot for one in bse.instruments}["QUADPRO"] == 12_000
    assert bse.kinds[pack("BSE_EQ", 204505)] == "EQUITY"
    assert {"KALYANI$", "SKP$", "RKEC"} <= {one.symbol for one in bse.instruments}


def test_derivatives() -> None:
    told = instruments.parse("\n".join((HEADER, SHARE, WEEKLY, MONTHLY, FUTURE, CURRENCY)).encode(), exchange="NFO")
    weekly, monthly, future = told.instruments
    assert weekly == BrokerInstrument(
        exchange="NFO",
        symbol="NIFTY26D0126000CE",
        token=pack("NSE_FNO", 49081),
        name="NIFTY 01 DEC 26000 CALL",
        tick_size=500,
        lot=75,
        kind="CE",
        broker_symbol="NIFTY-Dec2026-26000-CE",
        expiry=date(2026, 12, 1),
        strike=260000000,
        underlying="NIFTY",
    )
    assert (monthly.symbol, monthly.kind, monthly.strike) == ("NIFTY26DEC26050.5PE", "PE", 260505000)
    assert (future.symbol, future.kind, future.underlying, future.strike) == (
        "BAJAJ-AUTO26DECFUT",
        "FUT",
        "BAJAJ-AUTO",
        0,
    )
    assert told.kinds == {weekly.token: "OPTIDX", monthly.token: "OPTIDX", future.token: "FUTSTK"}
    (currency,) = listing(CURRENCY, exchange="CDS")
    assert (currency.symbol, currency.tick_size) == ("USDINR26DECFUT", 25)


def test_an_underlying_without_a_spelling_of_the_usual_form() -> None:
    (one,) = listing(FUTURE.replace("BAJAJ-AUTO-Dec2026-FUT", "BAJAJAUTO"), exchange="NFO")
    assert one.underlying == "BAJAJ-AUTO"


def test_series_and_groups() -> None:
    barred = SHARE.replace("RELIANCE,1.0", "CENTRALBK,1.0").replace(",EQ,", ",BE,")
    assert listing(barred)[0].symbol == "CENTRALBK-BE"
    assert listing(barred.replace("CENTRALBK,", "CENTRALBK-BE,"))[0].symbol == "CENTRALBK-BE"
    assert listing(barred.replace("NSE,E", "BSE,E"), exchange="BSE")[0].symbol == "CENTRALBK"


def test_lines_of_other_exchanges_and_kinds_are_passed_over() -> None:
    other = ("XYZ,E,1,EQUITY,0,A,1,A,,,,5,NA,ES,EQ,A", "NSE,E,2,WARRANT,0,B,x,B,,,,y,NA,ES,EQ,B", "NSE,?,,,,,,,,,,,,,,")
    assert listing(*other, SHARE, "BSE,I,51,INDEX,0,SENSEX,1,Sensex,,,,,,,,") == listing(SHARE)


@pytest.mark.parametrize(
    "bad",
    [
        SHARE.replace("2885", ""),
        SHARE.replace("2885", "-1"),
        SHARE.replace("10.0000", "0.1000"),  # no longer paise: no share has so small a tick
        SHARE.replace("10.0000", "0.0000"),
        SHARE.replace("10.0000", "10.0050"),
        SHARE.replace("10.0000", "x"),
        SHARE.replace(",1.0,", ",1.5,"),
        SHARE.replace(",1.0,", ",0,"),
        SHARE.replace(",1.0,", ",inf,"),
        SHARE + ",more",
        SHARE.replace(",NA,ES,", ",NA,"),
        SHARE.replace("RELIANCE,1.0", '"RELIANCE"x,1.0'),
    ],
)
def test_a_bad_line_refuses_the_list(bad: str) -> None:
    with pytest.raises(BadAnswer):
        listing(SHARE, bad)


@pytest.mark.parametrize(
    "bad",
    [
        WEEKLY.replace(",CE,", ",XX,"),
        WEEKLY.replace("2026-12-01 14:30:00", "0001-01-01"),
        WEEKLY.replace("2026-12-01 14:30:00", "01-DEC-2026"),
        WEEKLY.replace("26000.00000", ""),
    ],
)
def test_a_bad_contract_refuses_the_list(bad: str) -> None:
    with pytest.raises(BadAnswer):
        listing(bad, exchange="NFO")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(BadAnswer, match="lacks SEM_TICK_SIZE"):
        instruments.parse(HEADER.replace("SEM_TICK_SIZE", "TICK").encode(), exchange="NSE")
    for bad in (b"", b"<html>", b"\xff"):
        with pytest.raises(BadAnswer):
            instruments.parse(bad, exchange="NSE")


@given(st.binary(max_size=200), st.integers(0, 400))
def test_arbitrary_and_truncated_lists(tail: bytes, cut: int) -> None:
    text = "\n".join((HEADER, SHARE)).encode()[:cut] + tail
    try:
        told = instruments.parse(text, exchange="NSE").instruments
    except BadAnswer:
        return
    assert all(one.tick_size >= 100 and one.lot >= 1 for one in told if one.kind == "EQ")
