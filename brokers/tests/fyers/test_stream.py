"""The binary market socket: the fact sheet's frames, every kind of item, and bytes that nobody should have sent."""

import contextlib

import pytest
from algo_brokers.errors import BadAnswer
from algo_brokers.fyers import hsm_frames, stream
from algo_brokers.fyers.market_state import FIELDS, TOLD, MarketState
from algo_brokers.fyers.stream import ABSENT
from algo_brokers.records import FeedTick
from fyers_stand import AUTH_NO, AUTH_OK, data_frame, lite, snapshot, update
from hypothesis import given
from hypothesis import strategies as st

NIFTY = "if|nse_cm|Nifty 50"
SBIN = "sf|nse_cm|3045"
DEPTH = "dp|nse_cm|3045"
TOKENS = {NIFTY: 101000000026000, SBIN: 10100000003045, DEPTH: 10100000003045}

SNAPSHOT = bytes.fromhex(
    "004e060000000100015300081269667c6e73655f636d7c4e6966747920353006002625d20025fe9069800e80"
    "00264cb00025d780002612180000000102034e5345053236303030084e69667479203530"
)
UPDATE = bytes.fromhex("00230600000002000155000806002626368000000080000000800000008000000080000000")
LITE = bytes.fromhex("000e060000000300014c000800262668")
TIME = 1770000000_000

PRICES = [60050, 1000000, 1795405810, 1795405811, 100, 200, 60045, 60055, 5, 7000, 8000, 60010, 0, 59900, 60200]
SBIN_VALUES = [*PRICES, 70000, 50000, 53820, 65780, 60000, 59800]


def _data(frame: bytes) -> stream.Data:
    message = stream.decode(frame)
    assert isinstance(message, stream.Data)
    return message


def _ticks(state: MarketState, *items: bytes) -> list[FeedTick]:
    return state.apply(_data(data_frame(1, *items)))


def test_the_vectors_of_the_fact_sheet() -> None:
    state = MarketState(TOKENS, whole=True)
    token = TOKENS[NIFTY]
    assert state.apply(_data(SNAPSHOT)) == [FeedTick(token, 25000_5000, TIME, 0)]
    assert state.values(NIFTY) == {
        "ltp": 25000_5000,
        "prev_close_price": 24900_0000,
        "exch_feed_time": 1770000000,
        "high_price": 25100_0000,
        "low_price": 24800_0000,
        "open_price": 24950_0000,
    }
    assert state.apply(_data(UPDATE)) == [FeedTick(token, 25001_5000, TIME, 0)]
    assert state.values(NIFTY)["high_price"] == 25100_0000
    assert state.apply(_data(LITE)) == [FeedTick(token, 25002_0000, 0, 0)]


def test_the_official_clients_frames() -> None:
    assert hsm_frames.mode() == bytes.fromhex("00000c02010008000000000000080002000146")
    assert hsm_frames.mode(lite=True, channel=1) == bytes.fromhex("00000c0201000800000000000000020200014c")
    (frame,) = hsm_frames.subscribe([SBIN, NIFTY])
    assert frame[2:] == bytes.fromhex(
        "04020100240002" + "0e73667c6e73655f636d7c33303435" + "1269667c6e73655f636d7c4e69667479203530" + "0200010b"
    )
    assert hsm_frames.unsubscribe([SBIN])[0][2] == 5
    assert hsm_frames.acknowledge(2) == bytes.fromhex("0009030101000400000002")
    assert bytes.fromhex("00010b") == hsm_frames.PING
    auth = hsm_frames.auth("k" * 64)
    assert auth[2:7] == bytes.fromhex("0104010040")
    assert auth[7:71] == b"k" * 64
    assert auth[71:80] == bytes.fromhex("02000150" + "0300010104")


def test_long_subscriptions_take_several_frames() -> None:
    frames = hsm_frames.subscribe([f"sf|nse_cm|{number}" for number in range(3001)])
    assert [int.from_bytes(frame[7:9], "big") for frame in frames] == [1500, 1500, 1]
    assert hsm_frames.subscribe([]) == []


def test_a_share_has_its_time_and_volume() -> None:
    state = MarketState(TOKENS, whole=True)
    assert _ticks(state, snapshot(3, SBIN, SBIN_VALUES)) == [FeedTick(TOKENS[SBIN], 600_5000, 1795405811_000, 1000000)]
    values = state.values(SBIN)
    assert (values["lower_ckt"], values["upper_ckt"], values["Yhigh"]) == (538_2000, 657_8000, 700_0000)
    assert (values["bid_size"], values["tot_sell_qty"], values["OI"], values["bid_price"]) == (100, 8000, 0, 600_4500)
    assert state.values("sf|nse_cm|1") == {}
    changed = [60055, ABSENT, ABSENT, 1795405812]
    assert _ticks(state, update(3, changed)) == [FeedTick(TOKENS[SBIN], 600_5500, 1795405812_000, 1000000)]
    assert _ticks(state, update(3, [ABSENT, 1000005])) == [FeedTick(TOKENS[SBIN], 600_5500, 1795405812_000, 1000005)]
    assert _ticks(state, update(3, [ABSENT] * 21), update(3, [])) == []


def test_without_exchange_time_the_trades_time_stands() -> None:
    values = [60050, ABSENT, 1795405810, ABSENT, *SBIN_VALUES[4:]]
    assert _ticks(MarketState(TOKENS), snapshot(3, SBIN, values)) == [
        FeedTick(TOKENS[SBIN], 600_5000, 1795405810_000, 0)
    ]
    values[2] = 0
    assert _ticks(MarketState(TOKENS), snapshot(3, SBIN, values)) == [FeedTick(TOKENS[SBIN], 600_5000, 0, 0)]


@pytest.mark.parametrize(
    ("multiplier", "precision", "price"),
    [
        (1, 2, 600_5000),
        (1, 4, 6_0050),
        (100, 2, 6_0050),
        (1, 0, 60050_0000),
        (10, 1, 600_5000),
        (1, 7, 60),
        (3, 2, 200_1667),
    ],
)
def test_each_topic_has_its_own_scale(multiplier: int, precision: int, price: int) -> None:
    item = snapshot(3, SBIN, SBIN_VALUES, multiplier=multiplier, precision=precision)
    other = snapshot(4, NIFTY, [2500050, 2490000, 1770000000])
    ticks = _ticks(MarketState(TOKENS), item, other)
    assert [tick.price for tick in ticks] == [price, 25000_5000]


@pytest.mark.parametrize(("multiplier", "precision"), [(0, 2), (1, 10), (1, 255)])
def test_an_impossible_scale_is_an_error(multiplier: int, precision: int) -> None:
    with pytest.raises(BadAnswer, match="multiplier"):
        stream.decode(data_frame(1, snapshot(3, SBIN, SBIN_VALUES, multiplier=multiplier, precision=precision)))


def test_depth_is_kept_and_is_no_tick() -> None:
    state = MarketState(TOKENS, whole=True)
    values = [60045, 60040, 60035, 60030, 60025, 60055, 60060, 60065, 60070, 60075, *range(1, 21)]
    assert _ticks(state, snapshot(9, DEPTH, values)) == []
    assert _ticks(state, update(9, [60050])) == []
    kept = state.values(DEPTH)
    assert (kept["bid_price1"], kept["bid_price2"], kept["ask_price5"]) == (600_5000, 600_4000, 600_7500)
    assert (kept["bid_size1"], kept["ask_size1"], kept["bid_order1"], kept["ask_order5"]) == (1, 6, 11, 20)
    assert len(kept) == len(FIELDS["dp"]) == 30


def test_nothing_is_told_of_what_is_not_known() -> None:
    state = MarketState({SBIN: TOKENS[SBIN]})
    assert _ticks(state, update(3, SBIN_VALUES), lite(3, 60050)) == []
    assert _ticks(state, snapshot(4, NIFTY, [2500050])) == []  # nobody asked for it
    assert _ticks(state, snapshot(3, SBIN, SBIN_VALUES)) != []
    assert _ticks(state, snapshot(3, "xx|nse_cm|1", SBIN_VALUES), update(3, [60055])) == []  # the number moved on
    for price in (0, -5, ABSENT):
        assert _ticks(MarketState(TOKENS), snapshot(3, SBIN, [price, *SBIN_VALUES[1:]])) == []


def test_values_beyond_the_documented_ones_are_not_read() -> None:
    state = MarketState(TOKENS, whole=True)
    assert len(_ticks(state, snapshot(3, SBIN, [*SBIN_VALUES, 1, 2, 3]))) == 1
    assert _ticks(state, update(3, [60055, *[ABSENT] * 25])) != []
    assert len(state.values(SBIN)) == 21


def test_after_a_lost_frame_no_kept_price_is_told_again() -> None:
    state = MarketState(TOKENS, whole=True)
    _ticks(state, snapshot(3, SBIN, SBIN_VALUES))
    state.doubt()
    assert _ticks(state, update(3, [ABSENT, ABSENT, ABSENT, 1795405812])) == []
    assert _ticks(state, update(3, [60070])) == [FeedTick(TOKENS[SBIN], 600_7000, 1795405812_000, 0)]


def test_replies() -> None:
    assert stream.decode(AUTH_OK) == stream.AuthReply(True, 0)
    assert stream.decode(AUTH_NO) == stream.AuthReply(False, 0)
    assert stream.decode(bytes.fromhex("00090102" + "0100014b" + "020004000000c8")) == stream.AuthReply(True, 200)
    assert stream.decode(bytes.fromhex("000601010100014b")) == stream.AuthReply(True, 0)
    for kind in (4, 5, 7, 8, 12):
        assert stream.decode(bytes([0, 6, kind, 1, 1, 0, 1, ord("K")])) == stream.Reply(stream.Kind(kind), True)
        assert stream.decode(bytes([0, 6, kind, 1, 1, 0, 1, ord("N")])) == stream.Reply(stream.Kind(kind), False)
        assert stream.decode(bytes([0, 6, kind, 0])) == stream.Reply(stream.Kind(kind), False)
    assert stream.decode(b"\x00\x05\x0dabc") == stream.Skipped(13)
    assert stream.decode(b"\x00\x01\x63") == stream.Skipped(99)
    text = b"limit"
    fields = bytes([3, 1, 0, 4]) + (51001).to_bytes(4, "big") + bytes([2, 0, 5]) + text + bytes([77, 0, 1, 4])
    assert stream.decode(b"\x00\x00\x33" + fields) == stream.Notice(51001, "limit")
    assert stream.decode(b"\x00\x00\x33\x01\x01\x00\x04\xff\xff\xff\xfe") == stream.Notice(-2, "")


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x00\x01",
        bytes.fromhex("00010100"),
        bytes.fromhex("000601020200014b"),
        b"\x00\x00\x33\x01\x02\x00\x01\xff",
        data_frame(1, b"X"),
        data_frame(1, update(3, [1])) + b"\0",
        data_frame(1, snapshot(3, SBIN, [1]).replace(b"sf|", b"\xff\xff|")),
    ],
)
def test_frames_that_do_not_add_up(frame: bytes) -> None:
    with pytest.raises(BadAnswer):
        stream.decode(frame)


WHOLE = [
    SNAPSHOT,
    UPDATE,
    LITE,
    AUTH_OK,
    data_frame(7, snapshot(3, SBIN, SBIN_VALUES), update(3, [60055]), lite(3, 60060), snapshot(9, DEPTH, [60045] * 30)),
]


@given(st.sampled_from(WHOLE), st.data(), st.sampled_from([TOLD, 255]))
def test_a_truncated_frame_is_an_error(whole: bytes, data: st.DataObject, first: int) -> None:
    size = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(BadAnswer):
        stream.decode(whole[:size], first)


@given(st.sampled_from(WHOLE[:3]), st.data(), st.sampled_from([TOLD, 255]))
def test_a_frame_with_a_broken_byte_gives_an_error_or_a_price_that_stands_in_it(
    whole: bytes, data: st.DataObject, first: int
) -> None:
    """What a price is read from lies in the frame, whichever byte was broken."""
    broken = bytearray(whole)
    broken[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    state = MarketState(TOKENS)
    state.apply(_data(SNAPSHOT))
    try:
        message = stream.decode(bytes(broken), first)
    except BadAnswer:
        return
    if not isinstance(message, stream.Data):
        return
    (kept,) = state.apply(_data(UPDATE))
    for tick in state.apply(message):
        scales = {item.multiplier * 10**item.precision for item in message.items if isinstance(item, stream.Snapshot)}
        exact = [raw * 10_000 / scale for raw in _numbers(broken) for scale in scales or {100}]
        assert tick.price == kept.price or any(abs(tick.price - one) <= 0.5 for one in exact)
        assert tick.token == TOKENS[NIFTY]


def _numbers(frame: bytes | bytearray) -> set[int]:
    return {int.from_bytes(frame[at : at + 4], "big", signed=True) for at in range(len(frame) - 3)}


@given(st.sampled_from(WHOLE))
def test_a_tick_needs_no_more_than_the_first_values(whole: bytes) -> None:
    brief, full = stream.decode(whole, TOLD), stream.decode(whole)
    if isinstance(full, stream.Data):
        assert isinstance(brief, stream.Data)
        ticks = MarketState(TOKENS).apply(full)
        assert MarketState(TOKENS).apply(brief) == ticks
    else:
        assert brief == full


@given(st.binary(max_size=300), st.booleans(), st.sampled_from([TOLD, 255]))
def test_arbitrary_bytes_give_an_error_or_nothing(data: bytes, as_data: bool, first: int) -> None:
    frame = b"\x00\x00\x06" + data if as_data else data
    state = MarketState(TOKENS, whole=True)
    with contextlib.suppress(BadAnswer):
        message = stream.decode(frame, first)
        if isinstance(message, stream.Data):
            assert state.apply(message) == []


_VALUES = st.lists(st.just(ABSENT) | st.integers(-(2**31), 2**31 - 1), max_size=25)


@given(_VALUES, st.lists(_VALUES, max_size=4), st.integers(1, 65535), st.integers(0, 9))
def test_every_tick_is_the_last_price_that_was_told(
    first: list[int], later: list[list[int]], multiplier: int, precision: int
) -> None:
    state = MarketState(TOKENS, whole=True)
    last = ABSENT
    items = [snapshot(3, SBIN, first, multiplier=multiplier, precision=precision), *(update(3, one) for one in later)]
    for item, values in zip(items, [first, *later], strict=True):
        if values and values[0] != ABSENT:
            last = values[0]
        for tick in _ticks(state, item):
            assert last > 0
            exact = last * 10_000 / (10**precision * multiplier)
            assert abs(tick.price - exact) <= 0.5 + 1e-6 * exact
            assert tick.token == TOKENS[SBIN]
            assert tick.time >= 0
            assert tick.volume >= 0


def test_what_makes_no_tick_is_not_kept_unless_it_is_wanted() -> None:
    state = MarketState(TOKENS)
    assert _ticks(state, snapshot(3, SBIN, SBIN_VALUES), snapshot(9, DEPTH, [60045] * 30)) == [
        FeedTick(TOKENS[SBIN], 600_5000, 1795405811_000, 1000000)
    ]
    assert set(state.values(SBIN)) == {"ltp", "vol_traded_today", "last_traded_time", "exch_feed_time"}
    assert state.values(DEPTH) == {}
    assert _ticks(state, update(3, [*[ABSENT] * 4, 7]), update(9, [60050])) == []
    assert _ticks(state, update(3, [60055])) == [FeedTick(TOKENS[SBIN], 600_5500, 1795405811_000, 1000000)]
