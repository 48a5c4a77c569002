"""Angel One's binary packets against vectors that were checked with the official SDK."""

import hashlib

from algo_simulator.angelone.frames import DEPTH, LTP, MODES, QUOTE, SNAP_QUOTE, Tick, packet
from hypothesis import given
from hypothesis import strategies as st

TIME = 1_772_428_507_123
VECTOR_LTP = "0101323838350000000000000000000000000000000000000000000510000000000000f3b7f8ac9c0100003463040000000000"
VECTOR_QUOTE = (
    "0201323838350000000000000000000000000000000000000000000610000000000000f3b7f8ac9c010000346304000000000019000000"
    "00000000c06004000000000004fe1b000000000000000000302a194100000000785618413c5b0400000000000065040000000000e95804"
    "00000000007b5d040000000000"
)
# Of the whole packet.
VECTOR_SNAP = "6e534040fe2feefa2f21b9141218a58d60d44e37a2227511506960aa04eb44ef"
VECTOR_DEPTH = "c9bca655a8913a2d236d445e0bf3c3465956911839382f6ca4bd7dad774d0c7f"
SHARE = Tick(exchange_type=1, token="2885", sequence=4101, time=TIME, last=28_754_000)


def test_ltp() -> None:
    assert packet(LTP, SHARE).hex() == VECTOR_LTP


def test_quote() -> None:
    tick = Tick(
        exchange_type=1,
        token="2885",
        sequence=4102,
        time=TIME,
        last=28_754_000,
        last_quantity=25,
        average=28_691_200,
        volume=1_834_500,
        total_buy=412_300.0,
        total_sell=398_750.0,
        open=28_550_000,
        high=28_800_000,
        low=28_490_500,
        close=28_607_500,
    )
    assert packet(QUOTE, tick).hex() == VECTOR_QUOTE


def test_snap_quote() -> None:
    bids = [(750, 12540, 4), (1500, 12535, 9), (300, 12530, 2), (2250, 12525, 11), (75, 12520, 1)]
    asks = [(225, 12550, 3), (600, 12555, 5), (975, 12560, 6), (150, 12565, 2), (3000, 12570, 14)]
    tick = Tick(
        exchange_type=2,
        token="48212",
        sequence=4103,
        time=TIME,
        last=1_254_500,
        last_quantity=75,
        average=1_241_000,
        volume=912_300,
        total_buy=55_200.0,
        total_sell=61_350.0,
        open=1_180_000,
        high=1_300_000,
        low=1_165_500,
        close=1_192_000,
        last_trade=1_772_428_506_000,
        open_interest=1_875_000,
        bids=[(quantity, 100 * price, orders) for quantity, price, orders in bids],
        asks=[(quantity, 100 * price, orders) for quantity, price, orders in asks],
        upper_circuit=2_500_000,
        lower_circuit=500,
        year_high=4_100_000,
        year_low=350_000,
    )
    assert hashlib.sha256(packet(SNAP_QUOTE, tick)).hexdigest() == VECTOR_SNAP


def test_depth() -> None:
    tick = Tick(
        exchange_type=1,
        token="2885",
        sequence=0,
        time=TIME,
        received=TIME + 40,
        bids=[(100 + i, (287_540 - 5 * i) * 100, i + 1) for i in range(20)],
        asks=[(200 + i, (287_545 + 5 * i) * 100, i + 1) for i in range(20)],
    )
    assert hashlib.sha256(packet(DEPTH, tick)).hexdigest() == VECTOR_DEPTH


def test_currency_prices_are_finer() -> None:
    tick = Tick(exchange_type=13, token="1", sequence=1, time=TIME, last=832_575)
    assert int.from_bytes(packet(LTP, tick)[43:51], "little") == 832_575_000


@given(
    mode=st.sampled_from(MODES),
    last=st.integers(-(10**13), 10**15),
    volume=st.integers(0, 1 << 70),
    token=st.text(max_size=40),
)
def test_dirt_of_the_record_never_breaks_a_packet(mode: int, last: int, volume: int, token: str) -> None:
    tick = Tick(exchange_type=1, token=token, sequence=1, time=TIME, last=last, volume=volume, bids=[(1, last, 1)] * 20)
    assert len(packet(mode, tick)) == {LTP: 51, QUOTE: 123, SNAP_QUOTE: 379, DEPTH: 443}[mode]
