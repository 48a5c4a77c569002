"""Fyers' symbols, tokens and files: as published, and as its real file of instruments has them."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest
from algo_market.instruments import instrument_on, instruments_on
from algo_simulator.fyers.instruments import FILES, index_map, master_csv, master_json
from algo_simulator.fyers.names import fyers_symbol, fyers_token, topics_of

DAY = date(2025, 8, 1)


@pytest.mark.parametrize(
    ("exchange", "symbol", "name", "token", "topics"),
    [
        ("NSE", "SBIN", "NSE:SBIN-EQ", "10100000003045", ("sf|nse_cm|3045", "dp|nse_cm|3045")),
        ("NSE", "NIFTY", "NSE:NIFTY50-INDEX", "101000000026000", ("if|nse_cm|Nifty 50",)),
        ("NSE", "BANKNIFTY", "NSE:NIFTYBANK-INDEX", "101000000026009", ("if|nse_cm|Nifty Bank",)),
        ("NFO", "NIFTY25AUGFUT", "NSE:NIFTY25AUGFUT", "101125082864103", ("sf|nse_fo|64103", "dp|nse_fo|64103")),
        (
            "NFO",
            "NIFTY2580724500CE",
            "NSE:NIFTY2580724500CE",
            "101125080744261",
            ("sf|nse_fo|44261", "dp|nse_fo|44261"),
        ),
    ],
)
def test_names(exchange: str, symbol: str, name: str, token: str, topics: tuple[str, ...]) -> None:
    """Pitfall: an index goes by the exchange's name on the socket, not by its ticker."""
    instrument = instrument_on(exchange, symbol, DAY)
    assert (fyers_symbol(instrument), fyers_token(instrument), topics_of(instrument)) == (name, token, topics)


def test_every_instrument_is_in_one_file_and_both_forms_agree() -> None:
    listed: list[str] = []
    for name in FILES:
        rows = list(csv.reader(master_csv(name, DAY).splitlines()))
        twin = json.loads(master_json(name, DAY, {"NSE:SBIN": 8_000_000}))
        assert [row[9] for row in rows] == list(twin)
        assert all(len(row) == 21 for row in rows)
        for row in rows:
            found = twin[row[9]]
            assert (row[0], int(row[3]), float(row[4])) == (found["fyToken"], found["minLotSize"], found["tickSize"])
            assert row[0].endswith(row[12])
        listed += list(twin)
    assert sorted(listed) == sorted(fyers_symbol(found) for found in instruments_on(DAY))
    assert index_map(DAY) == {"NSE:NIFTY50-INDEX": "Nifty 50", "NSE:NIFTYBANK-INDEX": "Nifty Bank"}


@pytest.mark.data
def test_the_rows_are_those_of_the_real_file(data_dir: Path) -> None:
    """All but the name for people, the day, and the reserved columns; the real ticks are those of 2024."""
    real = {
        row[9]: row for row in csv.reader((data_dir / "scrip_master" / "fyers_NSE_CM.csv").read_text().splitlines())
    }
    ours = {row[9]: row for row in csv.reader(master_csv("NSE_CM", date(2021, 4, 12)).splitlines())}
    shared = sorted(set(real) & set(ours))
    assert {"NSE:RELIANCE-EQ", "NSE:SBIN-EQ", "NSE:NIFTY50-INDEX"} <= set(shared)
    for symbol in shared:
        for column in (0, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17):
            assert ours[symbol][column] == real[symbol][column], (symbol, column)
