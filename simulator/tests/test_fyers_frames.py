"""The binary frames of Fyers' market socket: byte for byte those that the official SDK reads and writes."""

import pytest
from algo_simulator.fyers import frames
from algo_simulator.fyers.client_frames import (
    ACK,
    MODE,
    PING,
    SUBSCRIBE,
    NotAFrameError,
    channels_in,
    read_frame,
    topics_in,
)
from hypothesis import given
from hypothesis import strategies as st

NIFTY = [2500050, 2490000, 1770000000, 2510000, 2480000, 2495000]
SNAPSHOT = (
    "004e0600000001000153000812"
    "69667c6e73655f636d7c4e69667479203530"
    "06002625d20025fe9069800e8000264cb00025d78000261218"
    "0000000102034e5345053236303030084e69667479203530"
)


def test_an_index_snapshot() -> None:
    item = frames.snapshot(8, "if|nse_cm|Nifty 50", NIFTY, ("NSE", "26000", "Nifty 50"))
    assert frames.data_frame(1, [item]).hex() == SNAPSHOT


def test_updates() -> None:
    after = [2500150, *NIFTY[1:]]
    changed = frames.changes(NIFTY, after)
    assert changed is not None
    expected = "00230600000002000155000806002626368000000080000000800000008000000080000000"
    assert frames.data_frame(2, [frames.update(8, changed)]).hex() == expected
    assert frames.data_frame(3, [frames.lite_update(8, 2500200)]).hex() == "000e060000000300014c000800262668"
    assert frames.changes(NIFTY, list(NIFTY)) is None


def test_replies() -> None:
    assert frames.auth_reply(accepted=True, ack_every=0).hex() == "000d01020100014b02000400000000"
    assert frames.reply(SUBSCRIBE, accepted=True).hex() == "000604010100014b"
    assert frames.auth_reply(accepted=False, ack_every=0)[7:8] != b"K"


def test_what_the_sdk_sends() -> None:
    kind, fields = read_frame(bytes.fromhex("00000c02010008000000000000080002000146"))
    assert (kind, channels_in(fields[1]), fields[2]) == (MODE, [11], b"F")
    subscribe = "00fc040201002400020e73667c6e73655f636d7c333034351269667c6e73655f636d7c4e696674792035300200010b"
    kind, fields = read_frame(bytes.fromhex(subscribe))
    assert (kind, topics_in(fields[1]), fields[2]) == (SUBSCRIBE, ["sf|nse_cm|3045", "if|nse_cm|Nifty 50"], b"\x0b")
    kind, fields = read_frame(bytes.fromhex("0009030101000400000002"))
    assert (kind, int.from_bytes(fields[1])) == (ACK, 2)
    assert read_frame(bytes([0, 1, 11])).type == PING


@pytest.mark.parametrize("raw", ["", "0001", "000104", "00000401", "00000401010005aa"])
def test_a_truncated_frame_is_none(raw: str) -> None:
    with pytest.raises(NotAFrameError):
        read_frame(bytes.fromhex(raw))


@given(st.binary(max_size=64))
def test_arbitrary_bytes_are_a_frame_or_none(raw: bytes) -> None:
    try:
        _, fields = read_frame(raw)
        for field in fields.values():
            topics_in(field)
            channels_in(field)
    except NotAFrameError:
        pass


@given(st.integers(), st.integers())
def test_no_number_is_taken_for_an_absent_one(price: int, shares: int) -> None:
    numbers = [frames.raw(price), frames.bounded(shares)]
    assert frames.ABSENT not in numbers
    frames.update(1, numbers)
