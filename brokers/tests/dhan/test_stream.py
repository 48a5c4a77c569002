"""The market socket's packets: the published vectors, every code, and bytes that no broker sends."""

import json
import struct
from typing import NamedTuple

import pytest
from algo_brokers.dhan import stream
from algo_brokers.dhan.names import SEGMENT_CODES, pack
from algo_brokers.errors import BadAnswer
from algo_brokers.records import FeedTick
from dhan_samples import DISCONNECT, QUOTE, TICKER
from dhan_stand import CANARY, CLIENT, HDFC, HELD, NIFTY, OPTION
from hypothesis import given
from hypothesis import strategies as st

SEGMENTS = frozenset(SEGMENT_CODES.values())
LTT = (1_770_000_000 - 19_800) * 1000


def no_tick(token: int) -> int:
    return 0


class Message(NamedTuple):
    ticks: list[FeedTick]
    disconnect: int


def decode(data: bytes, tick_of: stream.TickOf = no_tick) -> Message:
    return Message(*stream.decode(data, tick_of))


def packet(code: int, body: bytes, *, segment: int = 1, security: int = 1333, size: int | None = None) -> bytes:
    return struct.pack("<BHBI", code, len(body) + 8 if size is None else size, segment, security) + body


def ticker(price: float, *, segment: int = 1, security: int = 1333, seconds: int = 1_770_000_000) -> bytes:
    return packet(2, struct.pack("<fI", price, seconds), segment=segment, security=security)


def test_published_vectors() -> None:
    assert decode(TICKER) == Message([FeedTick(HDFC.token, 16102500, LTT, 0)], 0)
    assert decode(QUOTE) == Message([FeedTick(HDFC.token, 16110000, LTT + 1000, 12345)], 0)
    assert decode(DISCONNECT) == Message([], 805)


def test_full_packets() -> None:
    head = struct.pack("<fHIfIII", 1611.0, 5, 1_770_000_001, 1605.5, 12345, 10, 20)
    full = packet(8, head + struct.pack("<IIIffff", 1, 2, 3, 1600, 1599, 1620, 1590) + bytes(100))
    assert len(full) == 162
    assert decode(full) == decode(QUOTE)


def test_old_depth_packets_have_a_price_without_a_time() -> None:
    assert decode(packet(3, struct.pack("<f", 1611.0) + bytes(100))).ticks == [FeedTick(HDFC.token, 16110000, 0, 0)]


@pytest.mark.parametrize(("code", "body"), [(5, bytes(4)), (6, bytes(8)), (7, b""), (1, bytes(24)), (41, bytes(324))])
def test_packets_without_a_price(code: int, body: bytes) -> None:
    assert decode(packet(code, body)) == Message([], 0)


def test_several_packets_in_one_message() -> None:
    other = ticker(2.5, segment=2, security=49081)
    message = decode(TICKER + packet(5, bytes(4)) + other + DISCONNECT)
    assert [tick.token for tick in message.ticks] == [HDFC.token, OPTION.token]
    assert message.disconnect == 805


def test_every_segment_and_one_that_nobody_documented() -> None:
    for name, code in SEGMENT_CODES.items():
        assert decode(ticker(1.5, segment=code)).ticks == [FeedTick(pack(name, 1333), 15000, LTT, 0)]
    assert decode(ticker(1.5, segment=6)).ticks == []


def test_a_price_of_nothing_is_no_price() -> None:
    assert decode(ticker(0.0)).ticks == []


@pytest.mark.parametrize("price", [-1.0, -0.01, float("nan"), float("inf"), float("-inf"), 1e8])
def test_a_price_that_is_none(price: float) -> None:
    with pytest.raises(BadAnswer, match="price"):
        decode(ticker(price))


@given(st.integers(1, 13_107_199))
def test_every_paisa_up_to_where_a_float_is_coarser(paise: int) -> None:
    (tick,) = decode(ticker(paise / 100)).ticks
    assert tick.price == paise * 100


@given(st.integers(131_073, 1_000_000), st.integers(0, 9_999), st.sampled_from([0, 500, 1000, 10_000, 50_000]))
def test_above_that_the_tick_size_decides_or_nothing_is_said(rupees: int, rest: int, tick_size: int) -> None:
    price = (rupees * 10_000 + rest) // max(tick_size, 100) * max(tick_size, 100)
    ticks = decode(ticker(price / 10_000), lambda token: tick_size).ticks
    assert [tick.price for tick in ticks] in ([price], [])
    if tick_size >= 1000 or (tick_size == 500 and rupees < 500_000):
        assert ticks


@given(st.integers(1, 1_200_000))
def test_currencies_have_four_decimals(units: int) -> None:
    (tick,) = decode(ticker(units / 10_000, segment=3)).ticks
    assert tick.price == units


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02",
        TICKER[:-1],
        TICKER + b"\0",
        TICKER + TICKER[:7],
        packet(2, bytes(8), size=15),
        packet(2, bytes(12)),
        packet(4, bytes(41)),
        packet(8, bytes(100)),
        packet(50, b""),
        packet(7, b"", size=0),
        packet(7, b"", size=7),
        packet(99, b"", size=9),
    ],
)
def test_lengths_that_do_not_add_up(data: bytes) -> None:
    with pytest.raises(BadAnswer, match="market frame"):
        decode(data)


@given(st.binary(max_size=400))
def test_arbitrary_bytes(data: bytes) -> None:
    try:
        message = decode(data)
    except BadAnswer:
        return
    # A tick may only come from a packet whose lengths add up: token and raw price stand in the frame.
    for tick in message.ticks:
        assert struct.pack("<BI", tick.token >> 32, tick.token & 0xFFFFFFFF) in data
        assert 0 < tick.price < 10_000_000 * 10_000


@given(st.lists(st.sampled_from([TICKER, QUOTE, DISCONNECT]), min_size=1, max_size=4), st.data())
def test_a_truncated_message_gives_whole_packets_or_an_error(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    cut = data.draw(st.integers(0, len(whole) - 1))
    ends = {sum(len(part) for part in parts[:count]): count for count in range(1, len(parts))}
    if cut in ends:
        assert decode(whole[:cut]).ticks == decode(b"".join(parts[: ends[cut]])).ticks
    else:
        with pytest.raises(BadAnswer):
            decode(whole[:cut])


SIZED = {2: 16, 3: 112, 4: 50, 5: 12, 6: 16, 7: 8, 8: 162, 50: 10}


def any_packet(draw: st.DrawFn) -> tuple[bytes, float, int, int]:
    """A packet of a documented code in any segment; its price (NaN: it has none), segment and id."""
    code = draw(st.sampled_from(sorted(SIZED)))
    segment, security = draw(st.integers(0, 9)), draw(st.integers(0, 2**32 - 1))
    body = bytearray(draw(st.binary(min_size=SIZED[code] - 8, max_size=SIZED[code] - 8)))
    price = float("nan")
    if code in (2, 3, 4, 8):
        struct.pack_into("<f", body, 0, draw(st.floats(width=32) | st.integers(0, 13_107_100).map(lambda n: n / 100)))
        (price,) = struct.unpack_from("<f", body)
    return packet(code, bytes(body), segment=segment, security=security), price, segment, security


def priced(code: int) -> bool:
    return code in (2, 3, 4, 8)


@given(st.lists(st.composite(any_packet)(), min_size=1, max_size=3), st.sampled_from([0, 500, 10_000]))
def test_every_code_in_every_segment_says_its_price_or_nothing(
    packets: list[tuple[bytes, float, int, int]], tick_size: int
) -> None:
    bad = [one for one in packets if priced(one[0][0]) and one[2] in SEGMENTS and not 0 <= one[1] < 10_000_000]
    whole = b"".join(one for one, *_ in packets)
    if bad:
        with pytest.raises(BadAnswer):
            decode(whole, lambda _token: tick_size)
        return
    left = [(security | segment << 32, price) for one, price, segment, security in packets if priced(one[0])]
    for tick in decode(whole, lambda _token: tick_size).ticks:
        while left[0][0] != tick.token or not left[0][1]:
            left.pop(0)
        _, price = left.pop(0)
        assert tick.token >> 32 in SEGMENTS
        coarse = 100 if price < 131_072 else max(tick_size, 1)
        assert abs(tick.price - price * 10_000) <= coarse / 2 + price * 10_000 * 2**-24


@given(st.sampled_from([TICKER, QUOTE, DISCONNECT]), st.data())
def test_a_packet_with_a_broken_byte_gives_an_error_or_what_it_says(whole: bytes, data: st.DataObject) -> None:
    broken = bytearray(whole)
    broken[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = decode(bytes(broken))
    except BadAnswer:
        return
    for tick in message.ticks:
        (price,) = struct.unpack_from("<f", broken, 8)
        assert tick.token == broken[3] << 32 | struct.unpack_from("<I", broken, 4)[0]
        assert abs(tick.price - price * 10_000) <= 50 + price * 10_000 * 2**-24


def test_what_we_send() -> None:
    assert [json.loads(one) for one in stream.subscribe([HDFC.token, NIFTY.token])] == [
        {
            "RequestCode": 17,
            "InstrumentCount": 2,
            "InstrumentList": [
                {"ExchangeSegment": "NSE_EQ", "SecurityId": "1333"},
                {"ExchangeSegment": "IDX_I", "SecurityId": "13"},
            ],
        }
    ]
    counts = [json.loads(one)["InstrumentCount"] for one in stream.subscribe([1 << 32 | n for n in range(1, 252)])]
    assert counts == [100, 100, 51]
    assert [json.loads(one)["RequestCode"] for one in stream.unsubscribe([HDFC.token])] == [18]
    assert stream.subscribe([]) == []


def test_addresses() -> None:
    query = f"?version=2&token={CANARY}&clientId={CLIENT}&authType=2"
    assert stream.url(HELD, "wss://api-feed.dhan.co") == f"wss://api-feed.dhan.co/{query}"
    assert stream.url(HELD, "ws://127.0.0.1:1/market-socket") == f"ws://127.0.0.1:1/market-socket{query}"


@given(st.integers(1, 13_107_199), st.sampled_from([1, 3]), st.sampled_from([0, 1_770_000_000]))
def test_a_message_of_one_packet_is_read_as_one_among_others(paise: int, segment: int, seconds: int) -> None:
    body = struct.pack("<fHIfIIIffff", paise / 100, 5, seconds, 1, 12345, 1, 2, 3, 4, 5, 6)
    one = packet(4, body, segment=segment)
    (alone,) = decode(one).ticks
    assert alone.price == (paise * 100 if segment == 1 else alone.price)
    assert decode(one + one).ticks == [alone, alone]
    full = packet(8, body[:26] + bytes(128), segment=segment)
    assert decode(full).ticks == [alone]
    with pytest.raises(BadAnswer):
        decode(packet(4, body, segment=segment, size=49))
