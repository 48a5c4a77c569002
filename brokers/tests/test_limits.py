"""Windows, the exit share, the exit budget and the breaker."""

from algo_brokers.breaker import Breaker, BreakerState
from algo_brokers.limits import Limiter, Window, Write
from hypothesis import given
from hypothesis import strategies as st

SECOND = Window(length_ms=1_100, limit=8)
MINUTE = Window(length_ms=61_000, limit=40)
DAY = Window(length_ms=86_400_000, limit=50, counts=frozenset({Write.PLACE}))


def limiter(*windows: Window) -> Limiter:
    return Limiter(windows or (SECOND, MINUTE, DAY), exit_share_percent=30)


def test_entries_see_smaller_windows_than_exits() -> None:
    limits = limiter(SECOND)
    for _ in range(4):
        assert limits.free_at(0, Write.PLACE, exits=False) == 0
        limits.take(0, Write.PLACE)
    assert limits.free_at(0, Write.PLACE, exits=False) == 0
    limits.take(0, Write.PLACE)
    assert limits.free_at(0, Write.PLACE, exits=False) == 1_100
    for _ in range(3):
        assert limits.free_at(0, Write.PLACE, exits=True) == 0
        limits.take(0, Write.PLACE)
    assert limits.free_at(0, Write.PLACE, exits=True) == 1_100
    assert limits.free_at(1_100, Write.PLACE, exits=True) == 1_100


def test_an_entry_needs_the_place_of_its_stop_too() -> None:
    limits = limiter(SECOND)
    for _ in range(4):
        limits.take(0, Write.CANCEL)
    assert limits.free_at(0, Write.PLACE, exits=False, places=1) == 0
    assert limits.free_at(0, Write.PLACE, exits=False, places=2) == 1_100


def test_a_held_place_counts_in_the_burst_window_only() -> None:
    limits = limiter()
    limits.take(0, Write.PLACE, held_for_stop=1)
    assert limits.used(0) == {1_100: 2, 61_000: 1, 86_400_000: 1}
    assert limits.used(1_100) == {1_100: 0, 61_000: 1, 86_400_000: 1}


def test_more_places_than_a_tiny_window_has_still_go_when_it_is_empty() -> None:
    limits = limiter(Window(length_ms=1_000, limit=1))
    assert limits.free_at(0, Write.PLACE, exits=False, places=2) == 0
    limits.take(0, Write.PLACE)
    assert limits.free_at(0, Write.PLACE, exits=False, places=2) == 1_000


def test_kinds_count_where_the_broker_counts_them() -> None:
    limits = limiter()
    limits.take(0, Write.MODIFY)
    limits.take(0, Write.CANCEL)
    assert limits.used(0) == {1_100: 2, 61_000: 2, 86_400_000: 0}


def test_exit_budget() -> None:
    limits = limiter()
    assert limits.exit_budget(0, positions=37)
    assert not limits.exit_budget(0, positions=38)
    limits.take(0, Write.PLACE)
    assert not limits.exit_budget(0, positions=37)


def test_rebuilt_from_the_book() -> None:
    limits = limiter()
    limits.rebuild(100_000, [10, 99_500, 200_000], unseen=2)
    assert limits.used(100_000) == {1_100: 4, 61_000: 4, 86_400_000: 5}


@given(st.lists(st.tuples(st.integers(0, 300), st.booleans(), st.sampled_from(list(Write))), max_size=80))
def test_no_window_ever_holds_more_than_its_limit(calls: list[tuple[int, bool, Write]]) -> None:
    limits, now, sent = limiter(), 0, []
    for pause, exits, write in calls:
        now += pause
        at = limits.free_at(now, write, exits=exits)
        assert at >= now
        now = at
        assert limits.free_at(now, write, exits=exits) == now
        limits.take(now, write)
        sent.append((now, write))
    for window in (SECOND, MINUTE, DAY):
        times = [at for at, write in sent if write in window.counts]
        for first in times:
            assert sum(first <= at < first + window.length_ms for at in times) <= window.limit


def test_breaker_opens_tries_and_closes() -> None:
    breaker = Breaker()
    for at in range(4):
        breaker.failed(at)
    assert breaker.state(4) is BreakerState.CLOSED
    breaker.failed(4)
    assert breaker.state(5) is BreakerState.OPEN
    breaker.failed(6)
    assert breaker.state(15_003) is BreakerState.OPEN
    assert breaker.state(15_004) is BreakerState.HALF_OPEN
    breaker.failed(15_005)
    assert breaker.state(15_006) is BreakerState.OPEN
    assert breaker.state(30_005) is BreakerState.HALF_OPEN
    breaker.succeeded(30_006)
    assert breaker.state(30_007) is BreakerState.CLOSED


def test_failures_long_apart_do_not_open_it() -> None:
    breaker = Breaker()
    for at in range(0, 100_000, 10_000):
        breaker.failed(at)
        breaker.succeeded(at)
    assert breaker.state(100_000) is BreakerState.CLOSED
