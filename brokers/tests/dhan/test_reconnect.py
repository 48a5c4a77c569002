"""When the sockets may be opened again; times are seconds of a clock that the test moves."""

import pytest
from algo_brokers.dhan.reconnect import Reconnects
from algo_brokers.errors import TooManyRequests


def allowed(reconnects: Reconnects, now: float) -> bool:
    try:
        reconnects.check(now)
    except TooManyRequests:
        return False
    return True


def lived(reconnects: Reconnects, start: float, end: float) -> None:
    reconnects.begun(start)
    reconnects.ended(end)


def test_a_long_life_is_followed_by_no_pause() -> None:
    reconnects = Reconnects()
    assert allowed(reconnects, 0)
    lived(reconnects, 0, 10)
    assert allowed(reconnects, 10)


def test_short_lives_double_the_pause_up_to_a_minute() -> None:
    reconnects, now, pauses = Reconnects(), 100.0, []
    for _ in range(8):
        lived(reconnects, now, now + 1)
        now += 1
        begun = now
        while not allowed(reconnects, now):
            now += 1
        pauses.append(now - begun)
    assert pauses == [0, 2, 4, 8, 16, 32, 60, 60]
    lived(reconnects, now, now + 11)
    lived(reconnects, now + 11, now + 12)
    assert allowed(reconnects, now + 12)


def test_too_many_cools_off_for_a_minute_and_longer_each_time() -> None:
    reconnects = Reconnects()
    reconnects.too_many(0)
    with pytest.raises(TooManyRequests, match="in 60 s"):
        reconnects.check(0)
    assert (allowed(reconnects, 59), allowed(reconnects, 60)) == (False, True)
    waits = []
    for _ in range(5):
        reconnects.too_many(0)
        waits.append(next(wait for wait in range(1, 1_000) if allowed(reconnects, wait)))
    assert waits == [120, 240, 480, 480, 480]
    lived(reconnects, 1_000, 1_100)
    reconnects.too_many(1_100)
    assert allowed(reconnects, 1_160)


def test_an_end_after_too_many_does_not_shorten_the_wait() -> None:
    reconnects = Reconnects()
    reconnects.begun(0)
    reconnects.too_many(1)
    reconnects.ended(1)
    assert not allowed(reconnects, 60)
    assert allowed(reconnects, 61)
