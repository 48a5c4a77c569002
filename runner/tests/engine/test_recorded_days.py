"""Recorded sessions: the engine trades real ticks as people expect it to. Data is found by `ALGO_DATA_DIR`."""

import os
from pathlib import Path

import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg
from algo_crds.contracts.runtime import ExitReason, Phase
from algo_market.readers import Recording, cleaned, read_recording
from algo_runner.engine.actions import Filled, SetCondition
from engine_setup import INSTRUMENT, MIDNIGHT, SESSION, make_spec
from engine_world import Rig
from msgspec.structs import replace

DATA = Path(os.environ.get("ALGO_DATA_DIR") or Path(__file__).parents[4] / "shared" / "data") / "ticks"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no recorded ticks at {DATA}: set ALGO_DATA_DIR"),
]


def replay(day: str, symbol: str) -> Rig:
    """One strategy over a recorded session: stop at 1 %, 09:20:00 to 15:05:00."""
    recording: Recording = read_recording(DATA / day, symbol)
    shift = (recording.times[len(recording.times) // 2] - MIDNIGHT) // 86_400_000 * 86_400_000
    times = {name: getattr(SESSION, name) + shift for name in ("open", "last_new_order", "end_of_stops", "last_match")}
    session = replace(SESSION, day=day, **times)
    trades = cleaned(recording, opens=session.open, closes=session.last_match)
    first = trades[0][1]
    rig = Rig(
        spec=make_spec(symbol="RELIANCE"),
        session=session,
        instrument=replace(INSTRUMENT, band_low=first * 9 // 10, band_high=first * 11 // 10),
        now=session.open,
        price=first,
    )
    rig.session_until += shift
    rig.connect()
    for time, price, volume in trades:
        if time > rig.now:
            rig.advance(time - rig.now)
        rig.tick(price, time=time, volume=volume)
    rig.advance(max(session.last_match + 1000 - rig.now, 0))
    return rig


@pytest.mark.parametrize(("symbol", "minute"), [("RELIANCE", "10:58"), ("TCS", "09:33")])
def test_a_falling_day_is_stopped_out(symbol: str, minute: str) -> None:
    rig = replay("2021-04-12", symbol)
    view = rig.view
    assert (view.phase, view.exit_reason, rig.true_held) == (Phase.SOLD, ExitReason.STOP, 0)
    sold = next(time for time, a in rig.log if isinstance(a, Filled) and a.side is not rig.spec.spec.side)
    second = (sold - MIDNIGHT) % 86_400_000 // 1000
    assert f"{second // 3600:02}:{second // 60 % 60:02}" == minute
    assert view.unprotected_session_ms == 0
    assert view.ticks_rejected.get("out_of_band", 0) == 0


def test_a_mute_feed_stays_protected_and_sends_nothing() -> None:
    rig = replay("2021-05-14", "RELIANCE")
    changes = [(time, a.current) for time, a in rig.log if isinstance(a, SetCondition) and a.name == "FeedFresh"]
    falls = [(time - MIDNIGHT) % 86_400_000 // 1000 for time, status in changes if status == "False"]
    assert 10 * 3600 + 42 * 60 + 26 in falls
    assert rig.view.exit_reason is ExitReason.TIME
    assert len(rig.legs(Leg.STOP)) == 1
    protected = [a.current for _, a in rig.log if isinstance(a, SetCondition) and a.name == "Protected"]
    assert protected == ["False", "False", "True", "False", "False"]
    assert len([a for _, a in rig.log if isinstance(a, wire.Place | wire.Modify | wire.Cancel)]) == 3
