"""Settings, crash points, the session file, the clock, rounds: the parts that need no socket."""

from pathlib import Path

import pytest
from algo_gateway.clock import SessionClock
from algo_gateway.crash_points import AFTER_SEND, create_crash_points
from algo_gateway.rounds import Rounds, RunnerIdle
from algo_gateway.session_file import load
from algo_gateway.settings import SettingsError, read_settings
from algo_gateway.tokens import TokenError, bearer

ENV = {"ACCOUNT_ID": "brk_1", "BROKER": "zerodha"}


def test_settings() -> None:
    settings = read_settings(ENV | {"ORDERS_PER_SECOND": "20", "WORLD_CLOCK_URL": "ws://x"})
    assert settings.orders_per_window == 9
    assert settings.source_id == "brk_1"
    assert settings.own_clock
    assert not settings.paper


@pytest.mark.parametrize(
    "env", [{}, {"ACCOUNT_ID": "brk_1"}, ENV | {"PORT": "eighty"}, {"ACCOUNT_ID": "b", "BROKER": "paper"}]
)
def test_wrong_settings_name_the_variable(env: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"ACCOUNT_ID|BROKER|PORT|WORLD"):
        read_settings(env)


def test_crash_points(tmp_path: Path) -> None:
    hung: list[int] = []
    reached = create_crash_points(tmp_path, hang=lambda: hung.append(1))
    reached(AFTER_SEND)
    assert hung == []
    (tmp_path / AFTER_SEND).touch()
    reached(AFTER_SEND)
    reached(AFTER_SEND)
    assert hung == [1]
    assert (tmp_path / f"{AFTER_SEND}.reached").exists()
    create_crash_points(None)(AFTER_SEND)


def test_session_file(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    assert load(path) is None
    path.write_text("{}")
    assert load(path) is None
    path.write_text("{broken")
    assert load(path) is None


@pytest.mark.parametrize("header", [None, "", "Basic x", "Bearer "])
def test_no_bearer(header: str | None) -> None:
    with pytest.raises(TokenError):
        bearer(header)


def test_own_clock_stands_still() -> None:
    clock = SessionClock(own=True)
    assert clock.now() == 0
    clock.set(7)
    clock.set(5)
    assert clock.now() == 7
    assert SessionClock(own=False).now() > 1_700_000_000_000


def test_rounds() -> None:
    rounds = Rounds()
    rounds.beat(1)
    assert rounds.waiting_for() == ()
    rounds.armed("a")
    assert rounds.waiting_for() == ()
    rounds.beat(2)
    assert rounds.waiting_for() == ("a",)
    rounds.answer("a", RunnerIdle(1, 0, None))
    assert rounds.waiting_for() == ("a",)
    rounds.answer("a", RunnerIdle(2, 3, 99))
    assert (rounds.waiting_for(), rounds.in_flight(), rounds.wake_at()) == ((), 3, 99)
    rounds.lost("a")
    assert rounds.waiting_for() == ("a",)
    assert rounds.is_lost("a")
    rounds.armed("a")
    assert not rounds.is_lost("a")
    rounds.gone("a")
    assert not rounds.is_lost("a")
    assert (rounds.waiting_for(), rounds.wake_at()) == ((), None)
