"""NSE's freeze quantities: the recorded file, and files that must be refused."""

from pathlib import Path

import pytest
from algo_market.freeze_quantities import FreezeFileError, parse_freeze_quantities
from hypothesis import given
from hypothesis import strategies as st

HEADER = b"S.No.,SYMBOL    ,VOL_FRZ_QTY    \n"


@pytest.mark.data
def test_the_recorded_file(data_dir: Path) -> None:
    found = parse_freeze_quantities((data_dir / "scrip_master" / "nse_qtyfreeze.csv").read_bytes())
    assert len(found) == 213
    assert (found["BANKNIFTY"], found["NIFTY"], found["ZYDUSLIFE"]) == (600, 1_800, 27_000)


def test_blank_lines_and_repeats_of_the_same_are_passed_over() -> None:
    assert parse_freeze_quantities(HEADER + b"1 ,NIFTY ,1800 \n\n , , \n2,NIFTY,1800\n") == {"NIFTY": 1800}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "lack SYMBOL, VOL_FRZ_QTY"),
        (b"S.No.,SYMBOL\n1,NIFTY\n", "lack VOL_FRZ_QTY"),
        (HEADER + b"1,NIFTY\n", "line 2 has 2 columns"),
        (HEADER + b"1,NIFTY,-5\n", "line 2: 'NIFTY'"),
        (HEADER + b"1,NIFTY,0\n", "line 2: 'NIFTY'"),
        (HEADER + b"1,,5\n", "line 2: ''"),
        (HEADER + b"1,NIFTY,1800\n2,NIFTY,900\n", "line 3: NIFTY has two freeze quantities"),
        (HEADER + b'1,"NIFTY,1800\n', "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_file_that_is_not_what_it_was_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(FreezeFileError, match=why):
        parse_freeze_quantities(text)


@given(st.binary())
def test_arbitrary_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        found = parse_freeze_quantities(HEADER + text)
    except FreezeFileError:
        return
    assert all(symbol and quantity > 0 for symbol, quantity in found.items())
