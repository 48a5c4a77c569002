"""The market clock: it waits, it is deterministic, and it holds still when it should."""

import asyncio
from pathlib import Path

import pytest
from algo_crds.contracts.world import Beat, WorldState, WorldTick
from algo_simulator.testing import Player, Sim, ticks

QUIET = {
    "NSE:RELIANCE": ticks([("09:15:01", "2000"), ("09:15:02", "2001"), ("09:15:05", "1990"), ("09:16:00", "1995")])
}
SHORT = {"start_time": "09:15:00", "end_time": "09:16:10"}


async def test_a_world_stands_still_until_it_is_started(sim: Sim) -> None:
    await sim.world(QUIET, **SHORT)
    async with Player(sim, "world=w", ("NSE:RELIANCE",)) as player:
        before = await sim.call("GET", "/worlds/w")
        assert before["state"] == "paused"
        assert not [m for m in player.seen if isinstance(m, Beat)]
        await sim.call("POST", "/worlds/w/start")
        after = await sim.ended()
    assert after["now"] > before["now"]
    assert after["barrier_timeouts"] == 0


async def test_time_moves_by_events_wishes_and_single_seconds(sim: Sim) -> None:
    wish = 1_618_199_104_250  # 09:15:04.25

    async def on(player: Player, message: object) -> None:
        player.wake_at = wish if player.now < wish else None

    await sim.world(QUIET, **SHORT)
    async with Player(sim, "account=SM0001&broker=zerodha", on_message=on) as player:
        player.wake_at = wish
        await sim.call("POST", "/worlds/w/start")
        await sim.ended()
        seconds = [m.now / 1000 - 1_618_199_100 for m in player.seen if isinstance(m, Beat)]
    assert list(dict.fromkeys(seconds))[:7] == [0, 1, 2, 3, 4, 4.25, 5]


async def test_the_market_never_runs_ahead_of_a_participant(sim: Sim) -> None:
    await sim.world(QUIET, **SHORT)
    async with Player(sim, "world=w") as player:
        player.answering = False
        await sim.call("POST", "/worlds/w/start")
        await asyncio.wait_for(player.beaten.wait(), 5)
        held = (await sim.call("GET", "/worlds/w"))["now"]
        for _ in range(5):
            assert (await sim.call("GET", "/worlds/w"))["now"] == held
        player.answering = True
        await player.idle()
        await sim.ended()


async def test_a_call_in_flight_holds_the_market(sim: Sim) -> None:
    await sim.world(QUIET, **SHORT)
    async with Player(sim, "account=SM0001&broker=zerodha") as player:
        player.in_flight = 1
        await sim.call("POST", "/worlds/w/start")
        await sim.until(lambda view: view["participants"][0]["seq"] >= 1)
        held = (await sim.call("GET", "/worlds/w"))["now"]
        assert (await sim.call("GET", "/worlds/w"))["now"] == held
        player.in_flight = 0
        await player.idle()
        await sim.ended()


async def test_a_silent_participant_is_left_behind_and_counted_once(sim: Sim) -> None:
    await sim.world(QUIET, barrier_timeout_ms=50, **SHORT)
    async with Player(sim, "world=w") as player:
        player.answering = False
        await sim.call("POST", "/worlds/w/start")
        view = await sim.ended()
    assert view["barrier_timeouts"] == 1
    assert view["participants"][0]["behind"]


@pytest.mark.parametrize(("wait", "timeouts", "barrier_ms"), [(True, 1, 50), (False, 0, 20_000)])
async def test_a_lost_participant_is_waited_for_unless_the_world_shall_go_on(
    sim: Sim, wait: bool, timeouts: int, barrier_ms: int
) -> None:
    # Where nobody shall be waited for, the barrier's time must not run out before the connection is closed.
    await sim.world(QUIET, barrier_timeout_ms=barrier_ms, wait_for_lost=wait, **SHORT)
    async with Player(sim, "world=w") as player:
        player.answering = False
        await sim.call("POST", "/worlds/w/start")
        assert player.socket is not None
        await player.socket.close(code=1001)
        view = await sim.ended()
    assert view["barrier_timeouts"] == timeouts


async def test_a_participant_that_comes_back_takes_its_place_again(sim: Sim) -> None:
    await sim.world(QUIET, **SHORT)
    async with Player(sim, "world=w") as first:
        first.answering = False
        await sim.call("POST", "/worlds/w/start")
        assert first.socket is not None
        await first.socket.close(code=1001)
        async with Player(sim, "world=w"):
            view = await sim.ended()
    assert view["barrier_timeouts"] == 0


async def test_a_source_gets_ticks_as_recorded_and_then_the_beat(sim: Sim) -> None:
    dirty = ticks([("09:15:02", "2000"), ("09:15:01", "2001"), ("09:15:02", "2000")])
    await sim.world({"NSE:RELIANCE": dirty}, accounts=[], **SHORT)
    async with Player(sim, "world=w", ("NSE:RELIANCE",)) as player:
        await sim.call("POST", "/worlds/w/start")
        await sim.ended()
    seen = [m for m in player.seen if not isinstance(m, WorldState)]
    first = next(index for index, m in enumerate(seen) if isinstance(m, WorldTick))
    assert [m.price for m in seen[first : first + 3] if isinstance(m, WorldTick)] == [
        20_000_000,
        20_010_000,
        20_000_000,
    ]
    assert isinstance(seen[first + 3], Beat)


async def test_pause_and_resume(sim: Sim) -> None:
    await sim.world(QUIET, speed=1, **SHORT)
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["seq"] >= 1)
    paused = await sim.call("POST", "/worlds/w/pause")
    assert paused["state"] == "paused"
    assert (await sim.call("GET", "/worlds/w"))["now"] == paused["now"]
    await sim.call("POST", "/worlds/w/start", {"speed": 0})
    await sim.ended()


async def test_a_started_world_waits_for_its_participants(sim: Sim) -> None:
    await sim.world(QUIET, participants=1, **SHORT)
    await sim.call("POST", "/worlds/w/start")
    assert (await sim.call("GET", "/worlds/w"))["seq"] == 0
    async with Player(sim, "world=w"):
        await sim.ended()


async def _trade_a_session(sim: Sim, raw: bytes, speed: float, fields: dict[str, str]) -> object:
    """Buy at the third tick, protect, and let the record decide: the outcome by the world's own time."""
    done: list[str] = []

    async def on(player: Player, message: object) -> None:
        if isinstance(message, Beat) and player.now >= 1_618_199_103_000 and not done:
            done.append("buy")
            await sim.place(price=2010, tag="buy")
            await sim.place(transaction_type="SELL", order_type="SL", trigger_price=1995, price=1985, tag="stop")

    await sim.world({"NSE:RELIANCE": raw}, speed=speed, **fields)
    async with Player(sim, "account=SM0001&broker=zerodha", on_message=on):
        await sim.call("POST", "/worlds/w/start")
        await sim.until(lambda view: view["now"] >= 1_618_199_110_000)
        book = await sim.call("GET", "/worlds/w/book")
        await sim.call("DELETE", "/worlds/w")
    del book["now"]
    return book


async def test_the_same_session_gives_the_same_book_at_any_speed(sim: Sim) -> None:
    raw = ticks([(f"09:15:{second:02}", str(2005 - second)) for second in range(1, 20)])
    books = [await _trade_a_session(sim, raw, speed, SHORT) for speed in (0, 0, 60)]
    assert books[0] == books[1] == books[2]
    orders = books[0]["accounts"]["SM0001"]["orders"]  # type: ignore[index]
    assert [(o["status"], o["average_price"]) for o in orders] == [("Filled", "2002.00"), ("Filled", "1995.00")]


@pytest.mark.data
async def test_a_whole_recorded_day_with_a_participant(sim: Sim, data_dir: Path) -> None:
    raw = (data_dir / "ticks/2021-04-12/RELIANCE.csv.gz").read_bytes()
    await sim.world({"NSE:RELIANCE": raw})
    async with Player(sim, "world=w", ("NSE:RELIANCE",)) as player:
        await sim.call("POST", "/worlds/w/start")
        view = await sim.ended()
        assert sum(isinstance(m, WorldTick) for m in player.seen) > 20_000
    assert view["barrier_timeouts"] == 0
