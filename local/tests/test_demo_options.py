"""What a demo is asked to do: the recorded file it finds, where its symbol trades, what it refuses before it begins."""

from pathlib import Path

import pytest
from algo_local.demo.options import DemoInputError, exchange_of, find_recording

DAY = "2021-04-12"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    day = tmp_path / DAY
    day.mkdir()
    for name in ("RELIANCE.csv.gz", "TCS.csv", "mine.csv", "notes.txt"):
        (day / name).write_text("timestamp,ltp,volume\n")
    return day


def test_a_folder_is_searched_for_the_symbol(folder: Path) -> None:
    found = find_recording(folder, "TCS")
    assert (found.path.name, found.day) == ("TCS.csv", DAY)
    with pytest.raises(DemoInputError, match="no file for SBIN; it has: RELIANCE, TCS, mine"):
        find_recording(folder, "SBIN")


def test_a_file_of_another_symbol_is_refused(folder: Path) -> None:
    with pytest.raises(DemoInputError, match="the prices of TCS, not of RELIANCE; say --symbol TCS"):
        find_recording(folder / "TCS.csv", "RELIANCE")
    assert find_recording(folder / "mine.csv", "RELIANCE").day == DAY, "a name of one's own says nothing"


@pytest.mark.parametrize("day", ["2021-13-45", "20210412", "monday"])
def test_the_folder_must_be_a_date(tmp_path: Path, day: str) -> None:
    (tmp_path / day).mkdir()
    path = tmp_path / day / "RELIANCE.csv"
    path.write_text("timestamp,ltp,volume\n")
    with pytest.raises(DemoInputError, match="named by the session's date"):
        find_recording(path, "RELIANCE")
    with pytest.raises(DemoInputError, match="no such file or folder"):
        find_recording(path / "gone", "RELIANCE")


def test_a_symbol_is_traded_where_it_is_listed_on_the_day() -> None:
    assert exchange_of("RELIANCE", DAY) == "NSE"
    assert exchange_of("NIFTY25AUGFUT", "2025-08-01") == "NFO"
    with pytest.raises(DemoInputError, match="NIFTY25AUGFUT does not trade on 2025-09-01"):
        exchange_of("NIFTY25AUGFUT", "2025-09-01")
    with pytest.raises(DemoInputError, match="try RELIANCE"):
        exchange_of("RELIANC", DAY)
    with pytest.raises(DemoInputError, match="is an index"):
        exchange_of("NIFTY", "2025-08-01")
