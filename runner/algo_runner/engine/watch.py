"""The watch: ticks are checked, compared with stop and target, and nearly always that is all.

The hot path of a tick that needs no decision is in `step`; here is the rest. The cell's `low` and `high` lie inside
today's band, so that the one pair of comparisons tells a price that needs no thought.
"""

from typing import Final

from algo_crds.contracts import wire
from algo_crds.contracts.runtime import ExitReason
from algo_market.tick_checks import TickCell, cause_of

from algo_runner.engine import levels
from algo_runner.engine.calls import read_quote
from algo_runner.engine.orders import held
from algo_runner.engine.protect import begin_exit, is_protected
from algo_runner.engine.state import Market, State
from algo_runner.engine.turn import Turn

NO_LIMIT: Final = 1 << 60
QUOTES_EVERY_MS: Final = 5_000
"""How often a stale feed is helped with a quote of our own."""


def check(state: State, tick: wire.Tick) -> str:
    """Why a tick does not count, by the vocabulary of `contracts.md`; empty if it does.

    A polled quote may repeat what is known: it says that the price still stands.
    """
    market = state.market
    instrument = state.instrument
    if (
        market.time < tick.time < market.closed
        and tick.source == market.source
        and tick.price > 0
        and instrument is not None
        and levels.in_band(tick.price, instrument)
    ):
        return ""
    cell = TickCell(market.source)
    cell.open, cell.close, cell.newest = market.opened, market.closed, market.time
    if instrument is not None and instrument.band_high > 0:
        cell.band_low, cell.band_high = instrument.band_low, instrument.band_high
    if market.tick_at and not tick.polled:
        cell.same_second = {(market.price_streamed, market.volume), *market.second}
    return cause_of(cell, tick.price, tick.time, tick.volume, tick.source)


def take(t: Turn, tick: wire.Tick) -> bool:
    """Note a tick in the cell; False if it changes nothing."""
    market = t.s.market
    market.seen += 1
    cause = check(t.s, tick)
    if cause:
        market.rejected[cause] = market.rejected.get(cause, 0) + 1
        return False
    if tick.polled:
        for req, call in tuple(t.s.calls.items()):
            if call.kind == "quote":
                t.s.calls.pop(req)
    else:
        if tick.time > market.time:
            market.second.clear()
        else:
            market.second.add((market.price_streamed, market.volume))
        market.volume = tick.volume
        market.price_streamed = tick.price
        market.time = tick.time
        market.tick_at = t.now
        t.s.feed_stale = False
    market.price = tick.price
    market.price_at = t.now
    return True


def compare(t: Turn, tick: wire.Tick) -> None:
    """What the newest price means for the position."""
    s = t.s
    price = s.market.price
    if s.exit_reason is not None or s.stop_level <= 0 or held(s) <= 0:
        return
    if levels.through(price, s.stop_level, t.sign):
        _breached(t, tick)
    elif levels.reached(price, s.target_level, t.sign):
        begin_exit(t, ExitReason.TARGET, "the price has reached the target")
    elif levels.through(price, s.loss_level, t.sign):
        begin_exit(t, ExitReason.DAY_LIMIT, "the day's loss limit is reached")
    else:
        s.breach_at = 0


def _breached(t: Turn, tick: wire.Tick) -> None:
    s = t.s
    if not is_protected(t):
        begin_exit(t, _reason(t), "the price is through the stop and no confirmed stop rests")
    elif not s.breach_at:
        s.breach_at, s.breach_time, s.breach_again = t.now, tick.time, False
    elif tick.time != s.breach_time or tick.polled:
        s.breach_again = True


def _reason(t: Turn) -> ExitReason:
    capability = t.s.capability
    inferred = capability is not None and not capability.has_trigger_status and is_protected(t)
    return ExitReason.STOP if inferred else ExitReason.SOFTWARE_STOP


def grace(t: Turn) -> None:
    """A resting stop has a short time to trigger; after that a second print, or a quote, beyond the level is enough."""
    s = t.s
    if not s.breach_at or s.exit_reason is not None:
        return
    if not t.due(s.breach_at + s.constants.stop_grace_ms):
        return
    if s.breach_again:
        begin_exit(t, _reason(t), "the resting stop did not fire")
    else:
        read_quote(t)
        t.wake_at(s.next_quote_at)


def freshness(t: Turn) -> None:
    """The feed is stale when no good tick of this symbol came for too long in session time."""
    s = t.s
    session, market = s.session, s.market
    if session is None or not session.open <= t.now < session.last_match:
        s.feed_stale = False
        return
    last = max(market.tick_at, session.open, s.connected_at if not market.tick_at else 0)
    if not t.due(last + s.constants.freshness_ms):
        s.feed_stale = False
        return
    if not s.feed_stale:
        s.feed_stale = True
        if held(s) > 0:
            t.alert("critical", "FeedStale", "no tick of this symbol for 10 seconds with a position open")
    if held(s) > 0 and s.connected:
        if t.due(s.next_quote_at):
            read_quote(t)
            s.next_quote_at = t.now + QUOTES_EVERY_MS
        t.wake_at(s.next_quote_at)


def arm(t: Turn, *, thinking: bool) -> None:
    """Set the prices between which a tick needs no decision; none while something waits for the next tick."""
    s = t.s
    market: Market = s.market
    instrument = s.instrument
    if thinking or instrument is None or s.feed_stale or not market.tick_at or s.breach_at:
        market.low = market.high = 0
        return
    low, high = 0, NO_LIMIT
    if instrument.band_high > 0:
        low, high = instrument.band_low - 1, instrument.band_high + 1
    against = max if t.sign > 0 else min
    if s.stop_level > 0:
        worst = s.stop_level if not s.loss_level else against(s.stop_level, s.loss_level)
        if t.sign > 0:
            low, high = max(low, worst), min(high, s.target_level or NO_LIMIT)
        else:
            high, low = min(high, worst), max(low, s.target_level)
    market.low, market.high = low, high
