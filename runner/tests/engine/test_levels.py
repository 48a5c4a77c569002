"""Levels: rounded towards the entry, inside gap and band, the same mirrored."""

from algo_crds.contracts.runtime import Level
from algo_runner.engine import levels
from engine_setup import INSTRUMENT
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

ticks = st.sampled_from([100, 500, 1000, 5000, 10_000])
prices = st.integers(100_000, 200_000_000)
forms = st.one_of(
    st.builds(lambda v: Level(bp=v), st.integers(1, 5000)), st.builds(lambda v: Level(points=v), st.integers(1, 90_000))
)
signs = st.sampled_from([1, -1])


@given(level=forms, base=prices, tick=ticks, sign=signs)
def test_the_loss_is_never_larger_than_asked(level: Level, base: int, tick: int, sign: int) -> None:
    stop = levels.stop_level(level, base, sign, tick)
    asked = base * level.bp / 10_000 if level.bp is not None else level.points or 0
    assert stop % tick == 0
    assert sign * (base - stop) <= asked + 1e-6
    assert sign * (base - stop) > asked - tick - 1e-6


@given(level=forms, base=prices, tick=ticks, sign=signs)
def test_the_target_is_at_least_what_was_asked(level: Level, base: int, tick: int, sign: int) -> None:
    target = levels.target_level(level, base, sign, tick)
    asked = base * level.bp / 10_000 if level.bp is not None else level.points or 0
    assert target % tick == 0
    assert asked - 1e-6 <= sign * (target - base) < asked + tick + 1e-6


@given(
    trigger=prices,
    tick=ticks,
    sign=signs,
    gap=st.sampled_from([0, 10, 100]),
    low=st.integers(1, 20),
    high=st.integers(1, 20),
)
def test_a_stops_limit_is_a_tick_beyond_at_least_inside_gap_and_band(
    trigger: int, tick: int, sign: int, gap: int, low: int, high: int
) -> None:
    trigger = trigger // tick * tick
    assume(trigger > 0)
    instrument = replace(
        INSTRUMENT, tick_size=tick, band_low=trigger * (100 - low) // 100, band_high=trigger * (100 + high) // 100
    )
    limit = levels.stop_limit(trigger, sign, instrument, gap)
    if limit:
        assert limit % tick == 0
        assert sign * (trigger - limit) >= tick
        assert levels.in_band(limit, instrument)
        assert not gap or abs(trigger - limit) * 10_000 <= trigger * gap
    else:
        small_gap = gap and trigger * gap // 10_000 < tick
        at_edge = not levels.in_band(trigger - sign * tick, instrument)
        assert small_gap or at_edge


@given(last=prices, tick=ticks, sign=signs, doublings=st.integers(0, 20))
def test_an_exit_is_marketable_and_inside_the_band(last: int, tick: int, sign: int, doublings: int) -> None:
    last = last // tick * tick
    assume(last > tick)
    instrument = replace(INSTRUMENT, tick_size=tick, band_low=last * 9 // 10, band_high=last * 11 // 10)
    limit = levels.exit_limit(last, doublings, sign, instrument)
    assert limit % tick == 0
    assert sign * (last - limit) >= 0
    assert levels.in_band(limit, instrument) or limit == levels.edge(instrument, sign)
    wider = levels.exit_limit(last, doublings + 1, sign, instrument)
    assert sign * (limit - wider) >= 0


@given(last=prices, tick=ticks, sign=signs, slippage=st.one_of(st.none(), st.integers(0, 100)))
def test_an_entry_is_marketable_inside_band_and_slippage(last: int, tick: int, sign: int, slippage: int | None) -> None:
    last = last // tick * tick
    assume(last > tick)
    instrument = replace(INSTRUMENT, tick_size=tick, band_low=last * 9 // 10, band_high=last * 11 // 10)
    limit = levels.entry_limit(last, sign, instrument, 20, slippage)
    assert limit % tick == 0
    assert sign * (limit - last) >= 0
    if slippage is not None:
        assert abs(limit - last) * 10_000 <= last * slippage


def test_without_a_band_the_price_alone_decides() -> None:
    free = replace(INSTRUMENT, band_low=0, band_high=0)
    assert levels.edge(free, 1) == 0
    assert levels.exit_limit(0, 0, 1, free) == 0
    assert levels.exit_limit(1_000_000, 0, 1, free) == 990_000
