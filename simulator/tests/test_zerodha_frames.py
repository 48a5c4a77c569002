"""Binary frames against the published layouts: known bytes, field by field."""

from datetime import date, time

import pytest
from algo_crds.contracts.clock import instant
from algo_market.instruments import instrument_on
from algo_market.readers import Recording, parse_recording
from algo_market.row_parsers import Trade
from algo_market.sessions import class_of, session_for
from algo_simulator.market import DayStats, Market
from algo_simulator.zerodha import frames
from algo_simulator.zerodha.frames import HEARTBEAT, frame, packet

DAY = date(2026, 3, 2)
AT = 1_772_428_507_000
QUOTE = "0001002c000b45010004633400000019000460c0001bfe0400064a8c0006159e00045b3c00046500000458e900045d7b"
FULL = (
    "000100b8000b45010004633400000019000460c0001bfe0400064a8c0006159e00045b3c00046500000458e900045d7b69a51cdb"
    "00000000000000000000000069a51cdb"
    "000000640004632f00030000000000c80004632a000400000000012c0004632500050000000001900004632000060000000001f40004631b"
    "000700000000005a0004633900020000000000b40004633e000300000000010e0004634300040000000001680004634800050000000001c2"
    "0004634d00060000"
)
INDEX_FULL = "000100200003e909002241a6002258f80022267b00222e0a00222df6000013b069a51cdb"


def _recording(symbol: str) -> Recording:
    text = f"timestamp,ltp,volume\n{DAY} 10:15:07,100.0,1\n"
    return parse_recording(text.encode(), name=symbol, day=DAY)


def _market(symbol: str, close: int, stats: DayStats) -> Market:
    instrument = instrument_on("NSE", symbol, DAY)
    session = session_for("NSE", class_of(instrument), DAY)
    assert session is not None
    market = Market(instrument, session, _recording(symbol), close, 0)
    market.stats = stats
    return market


@pytest.fixture
def reliance(monkeypatch: pytest.MonkeyPatch) -> Market:
    """The market of the published example; its book of offers is fixed to the example's."""
    bids = [(100 + 100 * n, 28_753_500 - 500 * n, 3 + n) for n in range(5)]
    asks = [(90 + 90 * n, 28_754_500 + 500 * n, 2 + n) for n in range(5)]
    monkeypatch.setattr(frames, "offers", lambda volume: (412_300, 398_750))
    monkeypatch.setattr(frames, "levels", lambda market, last: (bids, asks))
    stats = DayStats(
        open=28_550_000,
        high=28_800_000,
        low=28_490_500,
        last=28_754_000,
        last_quantity=25,
        value=28_691_200,
        shares=1,
    )
    return _market("RELIANCE", 28_607_500, stats)


ROW = Trade(AT, 28_754_000, 1_834_500)


@pytest.mark.parametrize(("mode", "expected"), [("ltp", "00010008000b450100046334"), ("quote", QUOTE), ("full", FULL)])
def test_share_packets_have_the_published_bytes(reliance: Market, mode: str, expected: str) -> None:
    assert frame([packet(mode, reliance, ROW)]).hex() == expected


def test_index_packets_have_the_published_bytes() -> None:
    stats = DayStats(open=224_001_000, high=225_100_000, low=223_807_500, last=224_503_000)
    market = _market("NIFTY", 223_999_000, stats)
    row = Trade(AT, 224_503_000, 0)
    assert frame([packet("full", market, row)]).hex() == INDEX_FULL
    assert packet("quote", market, row) == packet("full", market, row)[:28]


def test_a_dirty_row_fits_a_packet() -> None:
    market = _market("RELIANCE", 28_607_500, DayStats())
    for row in (Trade(0, 0, 0), Trade(instant(date(2026, 3, 7), time(9)), 10**15, 2**40)):
        assert len(packet("full", market, row)) == 184


def test_several_packets_in_one_frame(reliance: Market) -> None:
    one = packet("ltp", reliance, ROW)
    assert frame([one, one]) == b"\x00\x02" + (b"\x00\x08" + one) * 2
    assert HEARTBEAT == b"\x00"
