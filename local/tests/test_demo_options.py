"""What a demo is asked to do: the recorded file it finds, where its symbol trades, what it refuses before it begins."""

import gzip
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from algo_local.cli import app
from algo_local.demo.options import DemoOptions, check_options, instrument_of
from algo_local.demo.recordings import DemoInputError, check_recording, find_recording
from typer.testing import CliRunner

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
    assert instrument_of("RELIANCE", DAY).exchange == "NSE"
    assert instrument_of("NIFTY25AUGFUT", "2025-08-01").exchange == "NFO"
    with pytest.raises(DemoInputError, match="NIFTY25AUGFUT does not trade on 2025-09-01"):
        instrument_of("NIFTY25AUGFUT", "2025-09-01")
    with pytest.raises(DemoInputError, match="try RELIANCE"):
        instrument_of("RELIANC", DAY)
    with pytest.raises(DemoInputError, match="is an index"):
        instrument_of("NIFTY", "2025-08-01")


GOOD = DemoOptions(
    symbol="RELIANCE", quantity=10, buy_time="09:20:00", sell_time="15:05:00", stop_percent=Decimal(1), speed=0.0
)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--stop-percent", "0"], "--stop-percent 0: it must be a number above 0"),
        (["--stop-percent", "-1"], "above 0"),
        (["--stop-percent", "NaN"], "above 0"),
        (["--stop-percent", "100"], "below 100"),
        (["--stop-points", "Infinity"], "above 0"),
        (["--stop-percent", "1", "--stop-price", "900"], "give one of --stop-percent, --stop-points, --stop-price"),
        (["--target-percent", "0"], "--target-percent 0: it must be a number above 0"),
        (["--buy-time", "15:05:00"], "--buy-time 15:05:00 must be before --sell-time 15:05:00"),
        (["--buy-time", "9.20"], "--buy-time 9.20: it is a time of the exchange, HH:MM:SS"),
        (["--sell-time", "25:00:00"], "--sell-time 25:00:00: it is a time of the exchange"),
        (["--speed", "inf"], "less than 1000000"),
        (["--symbol", "NIFTY"], "is an index"),
        (["--symbol", "NIFTY25AUGFUT"], "--quantity 10: NIFTY25AUGFUT trades in multiples of 75"),
        (["--ticks", "/no/such[red]file"], "--ticks /no/such[red]file: no such file or folder"),
    ],
)
@pytest.mark.parametrize("json", [[], ["--json"]])
def test_a_wrong_argument_is_named_before_a_cluster_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str, json: list[str]
) -> None:
    monkeypatch.setenv("ALGO_STATE_DIR", str(tmp_path))
    result = CliRunner().invoke(app, ["demo", *arguments, *json])
    assert result.exit_code == 1
    assert words in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_without_a_cluster_it_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALGO_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 1
    assert "start it with: make up" in result.stderr


def test_usual_arguments_are_good() -> None:
    check_options(GOOD)
    check_options(replace(GOOD, symbol="NIFTY25AUGFUT", quantity=150, target_percent=Decimal("0.5")))


BARS = "symbol,timestamp,open,high,low,close,volume\n{name},2021-04-12 09:15:00,10,12,9,11,8\n"
TICKS = "timestamp,ltp,volume\n"


@pytest.mark.parametrize("named", ["NSE:TCS-EQ", "TCS"])
def test_the_rows_of_a_file_name_its_symbol(tmp_path: Path, named: str) -> None:
    (tmp_path / DAY).mkdir()
    path = tmp_path / DAY / "mine.csv.gz"
    path.write_bytes(gzip.compress(BARS.format(name=named).encode()))
    check_options(replace(GOOD, ticks=path, symbol="TCS"))
    with pytest.raises(DemoInputError, match=r"mine\.csv\.gz are of TCS, not of RELIANCE; say --symbol TCS"):
        check_options(replace(GOOD, ticks=path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "unknown header"),
        (b"date,open\n", "unknown header"),
        (TICKS.encode(), "no row after the header"),
        (f"{TICKS}2021-04-12 09:15:00,x,1\n".encode(), "line 2: not a price"),
        (b"\xff\xfe\x00", "not a text file"),
        (b"\x1f\x8bbroken", "the gzip file is broken"),
        (gzip.compress(TICKS.encode())[:-9], "the gzip file is cut off"),
        (f"{TICKS}2021-04-13 09:15:00,10,1\n".encode(), "has no row of 2021-04-12"),
    ],
)
def test_a_file_that_is_no_recording_of_the_day_is_refused(folder: Path, content: bytes, words: str) -> None:
    (folder / "TCS.csv").write_bytes(content)
    with pytest.raises(DemoInputError, match=words):
        check_recording(find_recording(folder, "TCS"), "TCS")


def test_a_file_that_went_meanwhile_cannot_be_read(folder: Path) -> None:
    found = find_recording(folder, "TCS")
    found.path.unlink()
    with pytest.raises(DemoInputError, match=r"TCS\.csv cannot be read: No such file"):
        check_recording(found, "TCS")


def test_a_folder_of_days_asks_for_one(folder: Path) -> None:
    with pytest.raises(DemoInputError, match=f"it has the days {DAY}: name one of them"):
        find_recording(folder.parent, "TCS")
