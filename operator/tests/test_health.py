"""Liveness: a silent watch, a watch that misses changes, a loop that is late."""

from algo_operator.health import LAG_LIMIT_SECONDS, WATCH_LIMIT_SECONDS, Health


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_watch_that_gives_no_sign_is_dead() -> None:
    now = Now()
    health = Health(monotonic=now)
    health.expect("pods")
    assert health.complaints() == []
    now.at += WATCH_LIMIT_SECONDS + 1
    assert "pods" in health.complaints()[0]
    health.sign("pods")
    assert health.complaints() == []


def test_a_watch_that_keeps_missing_what_a_list_shows_is_dead() -> None:
    health = Health()
    health.missed["strategies"] = 2
    assert health.complaints() == []
    health.missed["strategies"] = 3
    assert "strategies" in health.complaints()[0]


def test_a_stuck_loop_is_noticed() -> None:
    health = Health()
    health.lag = LAG_LIMIT_SECONDS + 1
    assert "event loop" in health.complaints()[0]
