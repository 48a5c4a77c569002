"""The market socket's packets: the published layout's vectors, and bytes that nobody should have sent."""

import hashlib
import json
import struct

import pytest
from algo_brokers.angelone import depth, stream
from algo_brokers.angelone.depth import Level
from algo_brokers.angelone.limits import TOKENS_PER_SESSION
from algo_brokers.angelone.names import pack
from algo_brokers.errors import BadAnswer
from algo_brokers.records import FeedTick
from angelone_samples import AT, DEPTH_SHA256, LTP, QUOTE, SNAP
from hypothesis import given
from hypothesis import strategies as st

RELIANCE = pack(1, 2885)
CALL = pack(2, 48212)


def twenty() -> bytes:
    """The fact sheet's Depth20 packet."""
    head = struct.pack("<BB25sqq", 4, 1, b"2885", AT + 123, AT + 163)
    bids = b"".join(struct.pack("<iih", 100 + i, 287540 - 5 * i, i + 1) for i in range(20))
    asks = b"".join(struct.pack("<iih", 200 + i, 287545 + 5 * i, i + 1) for i in range(20))
    return head + bids + asks


PACKETS = [bytes.fromhex(LTP), bytes.fromhex(QUOTE), bytes.fromhex(SNAP), twenty()]


def changed(packet: bytes, at: int, form: str, value: int | bytes) -> bytes:
    found = bytearray(packet)
    struct.pack_into(form, found, at, value)
    return bytes(found)


def test_sizes_of_the_four_modes() -> None:
    assert [len(packet) for packet in PACKETS] == [51, 123, 379, 443] == list(stream.SIZES.values())
    assert hashlib.sha256(twenty()).hexdigest() == DEPTH_SHA256


@pytest.mark.parametrize(
    ("packet", "token", "mode", "sequence", "tick"),
    [
        (PACKETS[0], RELIANCE, 1, 4101, FeedTick(RELIANCE, 28754000, AT, 0)),
        (PACKETS[1], RELIANCE, 2, 4102, FeedTick(RELIANCE, 28754000, AT, 1834500)),
        (PACKETS[2], CALL, 3, 4103, FeedTick(CALL, 1254500, AT, 912300)),
        (PACKETS[3], RELIANCE, 4, 0, None),
    ],
)
def test_published_packets(packet: bytes, token: int, mode: int, sequence: int, tick: FeedTick | None) -> None:
    found = stream.decode(packet)
    assert (found.token, found.mode, found.sequence, found.tick) == (token, mode, sequence, tick)


def test_best_five_by_flag() -> None:
    book = depth.decode(PACKETS[2])
    assert book.token == CALL
    assert book.bids == (
        Level(1254000, 750, 4),
        Level(1253500, 1500, 9),
        Level(1253000, 300, 2),
        Level(1252500, 2250, 11),
        Level(1252000, 75, 1),
    )
    assert book.asks[0] == Level(1255000, 225, 3)
    assert book.asks[4] == Level(1257000, 3000, 14)
    # The two halves the other way round say the same: the flag counts, not the place.
    entries = PACKETS[2][147:347]
    swapped = PACKETS[2][:147] + entries[100:] + entries[:100] + PACKETS[2][347:]
    assert depth.decode(swapped) == book


def test_best_twenty() -> None:
    book = depth.decode(twenty())
    assert [len(book.bids), len(book.asks)] == [20, 20]
    assert (book.bids[0], book.bids[19]) == (Level(28754000, 100, 1), Level(28744500, 119, 20))
    assert (book.asks[0], book.asks[19]) == (Level(28754500, 200, 1), Level(28764000, 219, 20))
    thin = changed(twenty(), 43, "<i", 0)
    assert len(depth.decode(thin).bids) == 19


@pytest.mark.parametrize(
    "packet",
    [
        PACKETS[0],
        PACKETS[1],
        changed(PACKETS[2], 147, "<H", 2),
        changed(PACKETS[2], 149, "<q", -1),
        changed(PACKETS[3], 43, "<i", -5),
        changed(PACKETS[3], 47, "<i", -5),
        changed(PACKETS[3], 51, "<h", -1),
    ],
)
def test_books_that_cannot_be(packet: bytes) -> None:
    with pytest.raises(BadAnswer):
        depth.decode(packet)


@pytest.mark.parametrize(("kind", "price"), [(1, 1254500), (2, 1254500), (3, 1254500), (5, 1254500), (7, 1254500)])
def test_paise_everywhere_but_in_currency(kind: int, price: int) -> None:
    tick = stream.decode(changed(PACKETS[2], 1, "<B", kind)).tick
    assert tick is not None
    assert (tick.price, tick.token) == (price, pack(kind, 48212))


@pytest.mark.parametrize(("raw", "price"), [(855_425_000, 855_425), (855_425_499, 855_425), (855_425_500, 855_426)])
def test_currency_is_in_ten_millionths(raw: int, price: int) -> None:
    packet = changed(changed(PACKETS[0], 1, "<B", 13), 43, "<q", raw)
    tick = stream.decode(packet).tick
    assert tick is not None
    assert tick.price == price


def test_before_the_first_trade_there_is_no_price() -> None:
    found = stream.decode(changed(PACKETS[1], 43, "<q", 0))
    assert (found.tick, found.sequence) == (None, 4102)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        PACKETS[0] + b"\0",
        changed(PACKETS[0], 0, "<B", 2),
        changed(PACKETS[0], 0, "<B", 5),
        changed(PACKETS[0], 1, "<B", 6),
        changed(PACKETS[0], 2, "25s", b"28x5"),
        changed(PACKETS[0], 2, "25s", b"28\x0085"),
        changed(PACKETS[0], 2, "25s", b""),
        changed(PACKETS[0], 2, "25s", b"1234567890"),
        changed(PACKETS[0], 43, "<q", -1),
        changed(PACKETS[0], 43, "<q", 1 << 62),
        changed(PACKETS[0], 35, "<q", -1),
        changed(PACKETS[0], 35, "<q", 1 << 60),
        changed(PACKETS[1], 67, "<q", -1),
    ],
)
def test_packets_that_cannot_be(packet: bytes) -> None:
    with pytest.raises(BadAnswer):
        stream.decode(packet)


@given(st.sampled_from(PACKETS), st.data())
def test_a_truncated_packet_is_an_error(packet: bytes, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, len(packet) - 1))
    for decode in (stream.decode, depth.decode):
        with pytest.raises(BadAnswer):
            decode(packet[:size])


@given(st.binary(max_size=450) | st.sampled_from(PACKETS).flatmap(lambda packet: st.binary(min_size=len(packet))))
def test_arbitrary_bytes_give_an_error_or_a_price_that_stands_in_them(data: bytes) -> None:
    for decode in (stream.decode, depth.decode):
        try:
            found = decode(data)
        except BadAnswer:
            continue
        assert len(data) == stream.SIZES[data[0]]
        assert str(found.token & 0xFFFFFFFF).encode() in data


@given(st.sampled_from(PACKETS), st.data())
def test_a_packet_with_a_broken_byte_gives_an_error_or_what_it_says(packet: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(packet) - 1))
    broken = changed(packet, at, "<B", data.draw(st.integers(0, 255)))
    try:
        found = stream.decode(broken)
    except BadAnswer:
        return
    if found.tick is not None:
        raw = struct.unpack_from("<q", broken, 43)[0]
        assert 0 < found.tick.price <= 10**11
        assert found.tick.price == (raw * 100 if broken[1] != 13 else (raw + 500) // 1000)


def _packet(sequence: int, time: int, token: int = RELIANCE, mode: int = 2) -> stream.Packet:
    return stream.Packet(token, mode, sequence, time, None)


def test_late_packets_and_repeats() -> None:
    sequences = stream.Sequences()
    assert sequences.fresh(_packet(10, 100))
    assert not sequences.fresh(_packet(10, 100))
    assert not sequences.fresh(_packet(9, 99))
    assert sequences.fresh(_packet(14, 100))
    assert sequences.fresh(_packet(9, 99, mode=1))
    assert sequences.fresh(_packet(9, 99, token=CALL))


def test_a_server_that_counts_anew_is_believed() -> None:
    sequences = stream.Sequences()
    assert sequences.fresh(_packet(1000, 100))
    assert sequences.fresh(_packet(1, 101))
    assert sequences.fresh(_packet(2, 102))
    assert not sequences.fresh(_packet(1, 101))


def test_numbers_of_indices_mean_nothing() -> None:
    sequences = stream.Sequences()
    for sequence in (5, 5, 4, 0, 0):
        assert sequences.fresh(_packet(sequence, 1, token=pack(1, 99926000)))
    for sequence in (0, 0, -1):
        assert sequences.fresh(_packet(sequence, 1))


def _step_by_step(sequences: stream.Sequences, packet: bytes) -> FeedTick | str | None:
    try:
        read = stream.decode(packet)
    except BadAnswer as error:
        return str(error)
    return read.tick if read.tick is not None and sequences.fresh(read) else None


def _at_once(prices: stream.Prices, packet: bytes) -> FeedTick | str | None:
    try:
        return prices.tick(packet)
    except BadAnswer as error:
        return str(error)


INDEX, CURRENCY = changed(PACKETS[1], 2, "<25s", b"99926000"), changed(PACKETS[1], 1, "<B", 13)
NUMBERS = st.one_of(st.integers(-2, 5), st.sampled_from([AT, -(2**63), 2**63 - 1, 10**9, 10**9 + 1, 4_102_444_800_000]))
FIELDS = st.sampled_from([27, 35, 43, 67])


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*PACKETS, PACKETS[1], INDEX, CURRENCY]), st.dictionaries(FIELDS, NUMBERS, max_size=3)
        ),
        max_size=30,
    )
)
def test_packets_of_known_instruments_are_read_as_every_other(sent: list[tuple[bytes, dict[int, int]]]) -> None:
    sequences, prices = stream.Sequences(), stream.Prices()
    for packet, fields in sent:
        for at, number in fields.items():
            if at + 8 <= len(packet):
                packet = changed(packet, at, "<q", number)
        assert _at_once(prices, packet) == _step_by_step(sequences, packet)


def test_a_known_instrument_gives_a_tick_once() -> None:
    prices = stream.Prices()
    later = changed(PACKETS[1], 27, "<q", 4103)
    assert prices.tick(PACKETS[1]) == prices.tick(later) == FeedTick(RELIANCE, 28754000, AT, 1834500)
    assert prices.tick(later) is None
    assert prices.tick(PACKETS[1]) is None
    with pytest.raises(BadAnswer, match="the price -1"):
        prices.tick(changed(later, 43, "<q", -1))
    assert prices.tick(changed(later, 43, "<q", 0)) is None


def test_texts() -> None:
    assert [stream.server_error(text) for text in (b"pong", b" pong\n", b"")] == [None, None, None]
    refusal = {"correlationID": "a", "errorCode": "E1002", "errorMessage": "quota"}
    assert stream.server_error(json.dumps(refusal).encode()) == "the market socket refused a request: E1002 quota"
    assert stream.server_error(b'{"errorCode":"E1001"}') == "the market socket refused a request: E1001"
    for bad in (b"{", b"[]", b"hello", b"\xff"):
        with pytest.raises(BadAnswer):
            stream.server_error(bad)


@given(st.binary(max_size=80))
def test_arbitrary_text_is_an_error_or_nothing(data: bytes) -> None:
    try:
        assert stream.server_error(data) is None
    except BadAnswer:
        return


def test_what_we_send() -> None:
    asked = stream.Subscriptions()
    messages, refused = asked.add([RELIANCE, CALL, RELIANCE, pack(1, 3499)])
    assert [json.loads(message) for message in messages] == [
        {
            "action": 1,
            "params": {
                "mode": 2,
                "tokenList": [
                    {"exchangeType": 1, "tokens": ["2885", "3499"]},
                    {"exchangeType": 2, "tokens": ["48212"]},
                ],
            },
        }
    ]
    assert refused == []
    assert asked.add([CALL]) == ([], [])
    assert [json.loads(message)["action"] for message in asked.remove([CALL, pack(5, 1)])] == [0]
    assert asked.remove([CALL]) == []
    assert len(asked.add([CALL])[0]) == 1


def test_tokens_over_the_quota_or_of_no_exchange() -> None:
    asked = stream.Subscriptions(stream.LTP)
    tokens = [pack(1, number) for number in range(1, TOKENS_PER_SESSION + 3)]
    messages, refused = asked.add([*tokens, 5, pack(6, 5)])
    assert len(messages) == 1
    assert len(json.loads(messages[0])["params"]["tokenList"][0]["tokens"]) == TOKENS_PER_SESSION
    assert refused == [*tokens[-2:], 5, pack(6, 5)]
    asked.remove(tokens[:1])
    assert asked.add(tokens[-1:])[1] == []


def test_the_depth_mode_is_for_fifty_shares_of_nse() -> None:
    asked = stream.Subscriptions(stream.DEPTH)
    tokens = [pack(1, number) for number in range(1, 52)]
    messages, refused = asked.add([CALL, *tokens])
    assert json.loads(messages[0])["params"]["mode"] == 4
    assert refused == [CALL, tokens[-1]]
