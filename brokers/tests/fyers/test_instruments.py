"""The symbol masters: a real excerpt, both forms, and lines that cannot be read."""

import csv
import io
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from algo_brokers.errors import BadAnswer, RequestRefused
from algo_brokers.fyers import instruments, topics
from algo_brokers.fyers.names import broker_symbol_of
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
REAL = Path(os.environ.get("ALGO_DATA_DIR", ROOT.parent / "shared" / "data")) / "scrip_master" / "fyers_NSE_CM.csv"

FUTURE = (
    "101126122456789,NIFTY 24 Dec 26 FUT,11,65,0.1,,0915-1530|1815-1915:,2026-11-23,1798108200,"
    "NSE:NIFTY26DECFUT,10,11,56789,NIFTY,26000,-1.0,XX,101000000026000,None,0,0.0"
)
OPTION = (
    "101126122456790,NIFTY 24 Dec 26 26000 CE,14,65,0.05,,0915-1530|1815-1915:,2026-11-23,1798108200,"
    "NSE:NIFTY26DEC26000CE,10,11,56790,NIFTY,26000,26000.0,CE,101000000026000"
)
SHARE: dict[str, Any] = {
    "fyToken": "10100000003045",
    "isin": "INE062A01020",
    "symDetails": "STATE BANK OF INDIA",
    "exchange": 10,
    "segment": 10,
    "underSym": "SBIN",
    "optType": "XX",
    "minLotSize": 1,
    "tickSize": 0.05,
    "expiryDate": "",
    "strikePrice": -1.0,
    "qtyFreeze": "100000",
}


@pytest.mark.data
def test_the_real_list() -> None:
    text = REAL.read_bytes()
    listing = instruments.parse_csv(text)
    lines = list(csv.reader(io.StringIO(text.decode())))
    assert len(listing) == len(lines) == 44
    assert [one.token for one in listing] == [int(line[0]) for line in lines]
    for one, line in zip(listing, lines, strict=True):
        assert one.broker_symbol == line[9]
        assert one.tick_size == round(float(line[4]) * 10_000)
        assert one.lot == int(line[3])
        if one.kind == "EQ":
            assert topics.price_topic(one.token) == f"sf|nse_cm|{line[12]}"
    by_symbol = {one.symbol: one for one in listing}
    reliance = by_symbol["RELIANCE"]
    assert (reliance.exchange, reliance.token, reliance.tick_size, reliance.lot) == ("NSE", 10100000002885, 500, 1)
    assert (reliance.isin, reliance.kind, reliance.expiry, reliance.strike) == ("INE002A01018", "EQ", None, 0)
    assert by_symbol["ARE&M"].broker_symbol == "NSE:ARE&M-EQ"
    assert by_symbol["SHYAMCENT-BE"].kind == "EQ"
    assert {one.symbol for one in listing if one.kind == "INDEX"} == {
        "NIFTY 50",
        "NIFTY BANK",
        "INDIA VIX",
        "NIFTY FIN SERVICE",
    }
    assert broker_symbol_of(reliance.ref) == "NSE:RELIANCE-EQ"


def test_derivatives() -> None:
    future, option = instruments.parse_csv(f"{FUTURE}\n\n{OPTION}\n".encode())
    assert (future.exchange, future.symbol, future.kind, future.strike) == ("NFO", "NIFTY26DECFUT", "FUT", 0)
    assert (future.lot, future.tick_size, future.expiry) == (65, 1000, date(2026, 12, 24))
    assert future.underlying == "NIFTY"
    assert (option.symbol, option.kind, option.strike) == ("NIFTY26DEC26000CE", "CE", 26000_0000)
    assert topics.price_topic(option.token) == "sf|nse_fo|56790"


def test_json_has_the_freeze_quantity() -> None:
    index = {**SHARE, "fyToken": "101000000026000", "minLotSize": 0, "isin": None, "qtyFreeze": ""}
    text = json.dumps({"NSE:SBIN-EQ": SHARE, "NSE:NIFTY50-INDEX": index}).encode()
    share, nifty = instruments.parse_json(text)
    assert (share.symbol, share.token, share.freeze, share.tick_size) == ("SBIN", 10100000003045, 100000, 500)
    assert (nifty.symbol, nifty.kind, nifty.freeze, nifty.isin) == ("NIFTY 50", "INDEX", 0, "")
    banded = {**SHARE, "lowerPrice": 538.2, "upperPrice": 657.8}
    (one,) = instruments.parse_json(json.dumps({"NSE:SBIN-EQ": banded}).encode())
    assert (one.band_low, one.band_high) == (538_2000, 657_8000)
    assert (share.band_low, share.band_high) == (0, 0)
    (dated,) = instruments.parse_json(json.dumps({"NSE:X26DECFUT": {**SHARE, "expiryDate": 1798108200}}).encode())
    assert dated.expiry == date(2026, 12, 24)


@pytest.mark.parametrize(
    "changes",
    [
        {"fyToken": "x"},
        {"fyToken": None},
        {"tickSize": None},
        {"tickSize": "NaN"},
        {"minLotSize": 1.5},
        {"expiryDate": "9" * 30},
        {"expiryDate": 1e300},
        {"segment": "x"},
    ],
)
def test_one_entry_that_cannot_be_read_refuses_the_list(changes: dict[str, Any]) -> None:
    text = json.dumps({"NSE:SBIN-EQ": SHARE, "NSE:X-EQ": {**SHARE, **changes}}).encode()
    with pytest.raises(BadAnswer):
        instruments.parse_json(text)


@pytest.mark.parametrize(
    "line",
    [
        FUTURE.rsplit(",", 4)[0],
        FUTURE.replace("101126122456789", "x"),
        FUTURE.replace(",0.1,", ",0.123456,"),
        FUTURE.replace(",65,", ",many,"),
        FUTURE.replace(",1798108200,", f",{'9' * 30},"),
        '"never closed',
        "\xff",
    ],
)
def test_one_line_that_cannot_be_read_refuses_the_list(line: str) -> None:
    with pytest.raises(BadAnswer):
        instruments.parse_csv(f"{OPTION}\n{line}\n".encode("latin-1"))


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        instruments.parse_json(data + b"x")
    with pytest.raises(BadAnswer):
        instruments.parse_csv(data + b"\nx")


def test_where_the_lists_are() -> None:
    assert instruments.csv_request("NSE").target == "/sym_details/NSE_CM.csv"
    assert instruments.json_request("NFO").target == "/sym_details/NSE_FO_sym_master.json"
    assert instruments.csv_request("MCX").headers == ()
    with pytest.raises(RequestRefused, match="NYSE"):
        instruments.csv_request("NYSE")
