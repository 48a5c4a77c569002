"""Reading recordings: every layout, every day of the data folder, and bad input that names its row."""

import contextlib
import gzip
from datetime import date, time
from itertools import pairwise
from pathlib import Path

import pytest
from algo_crds.contracts.clock import instant
from algo_crds.contracts.constants import EngineConstants
from algo_crds.contracts.money import parse_price
from algo_market.instruments import instrument_on
from algo_market.previous_close import first_price, previous_close_in
from algo_market.readers import BadRecordingError, Recording, cleaned, parse_recording, read_recording, unpack
from algo_market.row_parsers import BadRowError, Trade, parse_quantity, parse_rupees
from algo_market.sessions import class_of, session_for
from hypothesis import given
from hypothesis import strategies as st

DAY = date(2021, 4, 12)
TICKS = "timestamp,ltp,volume\n2021-04-12 09:15:08,1958.05,138633\n2021-04-12 09:15:09,1957.0,144681\n"


def _clean(recording: Recording, exchange: str, symbol: str) -> list[Trade]:
    session = session_for(exchange, class_of(instrument_on(exchange, symbol, recording.day)), recording.day)
    assert session is not None
    return cleaned(recording, opens=session.open, closes=session.last_match)


def test_ticks_with_day_total() -> None:
    recording = parse_recording(TICKS.encode(), name="x")
    assert recording.day == DAY
    assert [tuple(row) for row in recording.rows()] == [
        (instant(DAY, time(9, 15, 8)), 19_580_500, 138_633),
        (instant(DAY, time(9, 15, 9)), 19_570_000, 144_681),
    ]


def test_ticks_with_traded_quantity_sum_it_and_read_the_twelve_hour_clock() -> None:
    header = "date,price,qty,trnvr,cum_trnvr"
    text = f"{header}\n2025-08-01 12:00:01 PM,1390.2,74,1.0,1.0\n2025-08-01 03:29:59 PM,1387.3,6,0.0,1.0\n"
    rows = list(parse_recording(text.encode(), name="x").rows())
    day = date(2025, 8, 1)
    assert [tuple(row) for row in rows] == [
        (instant(day, time(12, 0, 1)), 13_902_000, 74),
        (instant(day, time(15, 29, 59)), 13_873_000, 80),
    ]


@pytest.mark.parametrize(
    ("header", "row", "offsets", "prices"),
    [
        ("ts,open,high,low,close,volume", "2025-08-01T09:15:00+05:30,10,12,9,11,8", (0, 20, 40, 59), (10, 9, 12, 11)),
        ("ts,open,high,low,close,volume", "2025-08-01T09:15:00+05:30,11,12,9,10,8", (0, 20, 40, 59), (11, 12, 9, 10)),
        (
            "ts,open,high,low,close,volume,oi",
            "2025-08-01T09:15:00+05:30,10,12,9,10,8,5",
            (0, 20, 40, 59),
            (10, 12, 9, 10),
        ),
        (
            "symbol,timestamp,open,high,low,close,volume",
            "NSE:NIFTY50-INDEX,2025-08-01 09:15:00,10,12,9,11,8",
            (0, 1, 3, 4),
            (10, 9, 12, 11),
        ),
    ],
)
def test_a_bar_becomes_four_trades(header: str, row: str, offsets: tuple[int, ...], prices: tuple[int, ...]) -> None:
    rows = list(parse_recording(f"{header}\n{row}\n".encode(), name="x").rows())
    start = instant(date(2025, 8, 1), time(9, 15))
    traded = [row for before, row in pairwise([Trade(0, 0, 0), *rows]) if row.volume > before.volume]
    assert [row.time - start for row in traded] == [offset * 1000 for offset in offsets]
    assert [row.price for row in traded] == [price * 10_000 for price in prices]
    assert [row.volume for row in traded] == [2, 4, 6, 8]


def test_between_the_trades_of_a_bar_its_price_is_repeated_before_the_feed_would_count_as_stale() -> None:
    bars = "2025-08-01T09:15:00+05:30,10,12,9,11,8\n2025-08-01T09:16:00+05:30,11,12,9,10,8\n"
    rows = list(parse_recording(f"ts,open,high,low,close,volume\n{bars}".encode(), name="x").rows())
    assert max(after.time - before.time for before, after in pairwise(rows)) < EngineConstants().freshness_ms
    for before, after in pairwise(rows):
        assert after.volume > before.volume or after.price == before.price


def test_gzip_and_plain_give_the_same() -> None:
    plain = parse_recording(TICKS.encode(), name="x")
    assert list(parse_recording(gzip.compress(TICKS.encode()), name="x").rows()) == list(plain.rows())


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2021-04-12 09:15:08,nan,1", "price"),
        ("2021-04-12 09:15:08,-5,1", "price"),
        ("2021-04-12 09:15:08,1e400,1", "price"),
        ("2021-04-12 25:15:08,5,1", "time"),
        ("2021-13-12 09:15:08,5,1", "does not match"),
        ("2021-04-12 09:15:08,5,-1", "quantity"),
        ("2021-04-12 09:15:08,5", "unpack"),
        ("nonsense", "unpack"),
    ],
)
def test_a_bad_row_is_named(row: str, reason: str) -> None:
    with pytest.raises(BadRowError, match=f"feed, line 4: .*{reason}") as caught:
        parse_recording(f"{TICKS}{row}\n".encode(), name="feed")
    assert caught.value.line == 4


def test_a_bar_that_contradicts_itself_is_refused() -> None:
    text = "ts,open,high,low,close,volume\n2025-08-01T09:15:00+05:30,10,9,8,9,1\n"
    with pytest.raises(BadRowError, match="low <= open"):
        parse_recording(text.encode(), name="x")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "unknown header"),
        (b"a,b\n1,2\n", "unknown header 'a,b'"),
        (b"timestamp,ltp,volume\n", "no row"),
        (b"\xff\xfe\x00", "not a text file"),
        (gzip.compress(TICKS.encode())[:-4], "cut off"),
        (b"\x1f\x8bnonsense", "broken"),
    ],
)
def test_what_is_no_recording_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(BadRecordingError, match=reason):
        parse_recording(raw, name="x")


def test_a_gzip_bomb_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(BadRecordingError, match="larger than 1000 bytes"):
        unpack(gzip.compress(bytes(1_000_000)), limit=1000)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_end_in_another_error(raw: bytes) -> None:
    for head in (b"", b"timestamp,ltp,volume\n", b"ts,open,high,low,close,volume\n", b"\x1f\x8b"):
        with contextlib.suppress(BadRecordingError, BadRowError):
            parse_recording(head + raw, name="x")


@given(st.integers(0, 10**11))
def test_prices_round_trip(units: int) -> None:
    assert parse_rupees(f"{units // 10_000}.{units % 10_000:04}") == units
    assert parse_rupees(str(units)) == parse_price(units)


@given(st.integers(0, 10**15))
def test_quantities_round_trip(number: int) -> None:
    assert parse_quantity(str(number)) == parse_quantity(f"{number}.0") == number


def test_cleaned_sorts_by_second_keeps_arrival_order_and_drops_repeats() -> None:
    stamp = "2021-04-12 09:16:0"
    rows = f"{stamp}2,3,1\n{stamp}1,2,1\n{stamp}2,1,1\n{stamp}2,3,1\n{stamp}1,0,1\n1970-01-01 05:30:00,9,1\n"
    recording = parse_recording(f"timestamp,ltp,volume\n{rows}".encode(), name="x", day=DAY)
    assert [row[1] // 10_000 for row in _clean(recording, "NSE", "RELIANCE")] == [2, 3, 1]


@pytest.mark.data
def test_every_recording_of_the_data_folder_reads_and_trades_on_its_tick(data_dir: Path) -> None:
    files = [f for kind in ("ticks", "bars_5s", "bars_1m") for f in sorted((data_dir / kind).rglob("*.csv*"))]
    assert len(files) > 90
    for file in files:
        symbol = file.name.split(".")[0]
        recording = read_recording(file)
        assert recording.day.isoformat() == file.parent.name
        exchange = "NFO" if symbol.startswith("NIFTY25") else "NSE"
        rows = _clean(recording, exchange, symbol)
        assert rows, file
        instrument = instrument_on(exchange, symbol, recording.day)
        if instrument.kind != "INDEX":
            assert all(price % instrument.tick_size == 0 for _, price, _ in rows), file


@pytest.mark.data
def test_dirty_days_have_the_counted_rows(data_dir: Path) -> None:
    recording = read_recording(data_dir / "ticks" / "2021-04-30", "RELIANCE")
    rows = list(recording.rows())
    assert len(rows) == 25_240
    assert sum(row.time == 0 for row in rows) == 1_354
    start = instant(recording.day, time(9, 15))
    assert sum(not start <= row.time < instant(recording.day, time(15, 30)) for row in rows) == 3_729


@pytest.mark.data
def test_previous_close_is_the_last_bar_of_the_day_before(data_dir: Path) -> None:
    recording = read_recording(data_dir / "ticks" / "2021-04-12", "RELIANCE")
    last = (data_dir / "bars_1m/2021-04-09/RELIANCE.csv").read_text().splitlines()[-1]
    assert previous_close_in(data_dir, "RELIANCE", recording) == parse_price(last.split(",")[4])
    assert previous_close_in(data_dir, "RELIANCE", read_recording(data_dir / "ticks/2021-05-14", "RELIANCE")) is None


def test_first_price_stands_in() -> None:
    assert first_price([]) == 0
    assert first_price(list(parse_recording(TICKS.encode(), name="x").rows())) == 19_580_500
