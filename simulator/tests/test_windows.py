"""Counting calls into calendar windows."""

from algo_simulator.windows import DAY, MINUTE, SECOND, Window, Windows

RULES = {"order": (Window(SECOND, 2), Window(MINUTE, 3)), "day": (Window(DAY, 1),)}
NOON = 1_618_209_000_000  # 12:00 in India


def test_a_call_over_a_cap_names_its_window_and_counts() -> None:
    windows = Windows(RULES)
    assert [windows.take("order", NOON + at) for at in (0, 999, 999)] == [None, None, Window(SECOND, 2)]
    assert windows.take("order", NOON + 1000) == Window(MINUTE, 3)
    assert windows.take("order", NOON + 60_000) is None


def test_groups_are_apart_and_unknown_ones_free() -> None:
    windows = Windows(RULES)
    assert [windows.take("day", NOON), windows.take("order", NOON), windows.take("free", NOON)] == [None] * 3
    assert windows.take("day", NOON) == Window(DAY, 1)


def test_a_day_ends_at_midnight_in_india() -> None:
    windows = Windows(RULES)
    assert windows.take("day", NOON) is None
    midnight = NOON + 12 * 3_600_000
    assert windows.take("day", midnight - 1) == Window(DAY, 1)
    assert windows.take("day", midnight) is None
    assert windows.left_ms(Window(DAY, 1), midnight - 1) == 1
