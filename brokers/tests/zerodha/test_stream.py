"""The market socket's decoder: the published layout's frames, and bytes that nobody should have sent."""

import json
import struct
from fractions import Fraction
from math import floor

import pytest
from algo_brokers.errors import BadAnswer
from algo_brokers.records import FeedTick
from algo_brokers.session import Session
from algo_brokers.zerodha import stream
from algo_crds.contracts.orders import OrderStatus
from hypothesis import given
from hypothesis import strategies as st

LTP = "00010008000b450100046334"
TWO = "00020008000b45010004633400080004d2033359d408"
QUOTE = "0001002c000b45010004633400000019000460c0001bfe0400064a8c0006159e00045b3c00046500000458e900045d7b"
INDEX = "000100200003e909002241a6002258f80022267b00222e0a00222df6000013b069a51cdb"
FULL = (
    "000100b8000b45010004633400000019000460c0001bfe0400064a8c0006159e00045b3c00046500000458e900045d7b69a51cda"
    "00000000000000000000000069a51cdb000000640004632f00030000000000c80004632a000400000000012c00046325000500000000"
    "01900004632000060000000001f40004631b000700000000005a0004633900020000000000b40004633e000300000000010e00046343"
    "00040000000001680004634800050000000001c20004634d00060000"
)
TIME = 1772428507_000


@pytest.mark.parametrize(
    ("frame", "ticks"),
    [
        (LTP, [FeedTick(738561, 28754000, 0, 0)]),
        (TWO, [FeedTick(738561, 28754000, 0, 0), FeedTick(315907, 861525, 0, 0)]),
        (QUOTE, [FeedTick(738561, 28754000, 0, 1834500)]),
        (INDEX, [FeedTick(256265, 224503000, TIME, 0)]),
        (FULL, [FeedTick(738561, 28754000, TIME, 1834500)]),
        ("00", []),
        ("0000", []),
    ],
)
def test_published_frames(frame: str, ticks: list[FeedTick]) -> None:
    assert stream.decode_binary(bytes.fromhex(frame)) == ticks


def test_without_exchange_time_the_trade_time_stands() -> None:
    frame = bytearray.fromhex(FULL)
    frame[4 + 60 : 4 + 64] = bytes(4)
    assert stream.decode_binary(bytes(frame))[0].time == TIME - 1000


@pytest.mark.parametrize(("segment", "price"), [(6, 12345), (12, 12345), (1, 1234500), (4, 1234500)])
def test_price_scale_by_segment(segment: int, price: int) -> None:
    frame = struct.pack(">HHII", 1, 8, 256 + segment, 12345)
    assert stream.decode_binary(frame)[0].price == price


def test_unknown_segment_or_length_gives_no_price() -> None:
    unknown_segment = struct.pack(">HHII", 1, 8, 256 + 11, 12345)
    unknown_length = struct.pack(">HHIIH", 1, 10, 257, 12345, 0)
    assert stream.decode_binary(unknown_segment) == []
    assert stream.decode_binary(unknown_length) == []


@given(st.sampled_from([LTP, TWO, QUOTE, INDEX, FULL]), st.data())
def test_truncated_frame_is_an_error(frame: str, data: st.DataObject) -> None:
    whole = bytes.fromhex(frame)
    size = data.draw(st.integers(2, len(whole) - 1))
    with pytest.raises(BadAnswer):
        stream.decode_binary(whole[:size])


SIZES = {"ltp": 8, "index quote": 28, "index full": 32, "quote": 44, "full": 184}
SCALES = dict.fromkeys((1, 2, 4, 5, 7, 8, 9), 100) | {3: 10_000_000, 6: 10_000, 12: 10_000}


def well_formed(draw: st.DrawFn) -> tuple[bytes, FeedTick | None]:
    """A packet of any kind and segment, and what it says as the layout is published."""
    size = draw(st.sampled_from([*SIZES.values(), 12]))
    segment = draw(st.sampled_from([*SCALES, 0, 10, 11, 13, 255]))
    raw, number, time = (
        draw(st.integers(0, 2**32 - 1)),
        draw(st.integers(0, 2**24 - 1)),
        draw(st.integers(0, 2**32 - 1)),
    )
    body = bytearray(draw(st.binary(min_size=size, max_size=size)))
    token = number << 8 | segment
    struct.pack_into(">II", body, 0, token, raw)
    volume = struct.unpack_from(">I", body, 16)[0] if size in (44, 184) else 0
    if size in (32, 184):
        struct.pack_into(">I", body, 28 if size == 32 else 60, time)
    if size == 184 and not time:
        (time,) = struct.unpack_from(">I", body, 44)
    if size == 12 or segment not in SCALES or not raw:
        return bytes(body), None
    price = Fraction(raw * 10_000, SCALES[segment])
    return bytes(body), FeedTick(token, floor(price + Fraction(1, 2)), time * 1000 if size in (32, 184) else 0, volume)


@given(st.lists(st.composite(well_formed)(), max_size=4), st.data())
def test_every_kind_in_every_segment_says_what_it_holds_or_nothing(
    packets: list[tuple[bytes, FeedTick | None]], data: st.DataObject
) -> None:
    frame = struct.pack(">H", len(packets)) + b"".join(struct.pack(">H", len(one)) + one for one, _ in packets)
    assert stream.decode_binary(frame) == [tick for _, tick in packets if tick is not None]
    if packets:
        with pytest.raises(BadAnswer):
            stream.decode_binary(frame[: data.draw(st.integers(2, len(frame) - 1))])


def test_before_the_first_trade_there_is_no_price() -> None:
    assert stream.decode_binary(struct.pack(">HHII", 1, 8, 738561, 0)) == []


def test_empty_frame_and_surplus_are_errors() -> None:
    for frame in (b"", bytes.fromhex(LTP) + b"\0"):
        with pytest.raises(BadAnswer):
            stream.decode_binary(frame)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_give_an_error_or_well_formed_ticks(data: bytes) -> None:
    try:
        ticks = stream.decode_binary(data)
    except BadAnswer:
        return
    # A tick may only come from a packet whose lengths add up; its token and raw price stand in the frame.
    for tick in ticks:
        assert struct.pack(">I", tick.token) in data
        assert tick.price > 0


@given(st.binary(max_size=200))
def test_arbitrary_text_gives_an_error_or_a_message(data: bytes) -> None:
    try:
        message = stream.decode_text(data, read_at=1)
    except BadAnswer:
        return
    assert not isinstance(message, stream.OrderUpdate) or message.row is None or message.row.broker_order_id


def _order(**changes: object) -> dict[str, object]:
    return {
        "order_id": "260302000000017",
        "status": "OPEN",
        "exchange": "NSE",
        "tradingsymbol": "RELIANCE",
        "product": "MIS",
        "transaction_type": "BUY",
        "order_type": "LIMIT",
        "quantity": 10,
        "price": 2870.5,
        "trigger_price": 0,
        "filled_quantity": 0,
        "average_price": 0,
        **changes,
    }


def test_texts() -> None:
    update = stream.decode_text(json.dumps({"type": "order", "data": _order()}).encode(), read_at=7)
    assert isinstance(update, stream.OrderUpdate)
    assert update.row is not None
    assert (update.row.status, update.row.read_at, update.row.price) == (OrderStatus.OPEN, 7, 28705000)
    foreign = stream.decode_text(json.dumps({"type": "order", "data": _order(product="CO")}).encode(), read_at=7)
    assert foreign == stream.OrderUpdate(None)
    assert stream.decode_text(b'{"type":"error","data":"too many"}', read_at=0) == stream.ServerError("too many")
    assert stream.decode_text(b'{"type":"instruments_meta","data":{}}', read_at=0) == stream.Ignored("instruments_meta")
    assert stream.decode_text(b'{"type":"message"}', read_at=0) == stream.Ignored("message")
    for bad in (b"{", b'{"type":"error","data":1}', b'{"type":"order","data":{}}'):
        with pytest.raises(BadAnswer):
            stream.decode_text(bad, read_at=0)


def test_what_we_send() -> None:
    assert [json.loads(message) for message in stream.subscribe([738561])] == [
        {"a": "subscribe", "v": [738561]},
        {"a": "mode", "v": ["full", [738561]]},
    ]
    assert len(stream.subscribe(list(range(401)))) == 6
    assert [json.loads(message) for message in stream.unsubscribe([1, 2])] == [{"a": "unsubscribe", "v": [1, 2]}]
    session = Session(broker="zerodha", client_id="SM0001", api_key="k", access_token="t", login_time=0, valid_until=1)
    assert stream.url(session) == "wss://ws.kite.trade/?api_key=k&access_token=t"
