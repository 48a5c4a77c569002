"""Entry: at buy time, inside the window, if no rule refuses it, one marketable limit order; then hold what was filled.

Entries of a run die with it. An entry whose outcome was once unknown is never sent again that day.
"""

from typing import Final

from algo_crds.contracts.orders import Leg, OrderClass, OrderStatus, RejectKind
from algo_crds.contracts.runtime import Desired
from msgspec.structs import replace

from algo_runner.engine import refusal
from algo_runner.engine.calls import backoff, limit_ask, place, press_cancel
from algo_runner.engine.levels import entry_limit, in_band
from algo_runner.engine.orders import entries, filled, held, is_final, live_entries, primary, status
from algo_runner.engine.session import can_write, desired
from algo_runner.engine.state import Order
from algo_runner.engine.turn import Turn

RETRYABLE: Final = frozenset(
    {
        RejectKind.PRICE,
        RejectKind.BAND,
        RejectKind.RATE,
        RejectKind.BROKER_DOWN,
        RejectKind.SESSION,
        RejectKind.HALTED,
        RejectKind.EXIT_BUDGET,
    }
)
"""Refusals that may clear inside the window; all others end the run for today."""
MAX_TRIES: Final = 5


def decide(t: Turn) -> None:
    """Bring the run's entry forward: cancel, wait, give up or place."""
    s = t.s
    for order in live_entries(s):
        _tend(t, order)
    for order in tuple(entries(s)):
        if is_final(order) and not order.handled:
            _ended(t, order)
    if not s.run_open or s.entry_over:
        return
    if s.exit_reason is not None or held(s) != 0 or desired(s) is not Desired.RUN:
        if s.entry_started:
            s.entry_over = True
        return
    if not live_entries(s):
        _consider(t)


def _tend(t: Turn, order: Order) -> None:
    """Cancel a live entry that has had its time, or that nobody wants any more."""
    s = t.s
    unwanted = order.late or order.run != s.run or s.exit_reason is not None or desired(s) is not Desired.RUN
    started = order.ask.at
    if (unwanted or t.due(started + s.constants.entry_timeout_ms)) and can_write(t):
        press_cancel(t, order, OrderClass.EXIT)


def _ended(t: Turn, order: Order) -> None:
    s = t.s
    t.put(replace(order, handled=True), tell=False)
    if order.run != s.run:
        return
    if filled(order):
        s.entry_over = True
        return
    line = primary(order)
    kind = order.reject_kind if line is None else line.reject_kind
    refused = status(order) in (OrderStatus.REJECTED, OrderStatus.NOT_SENT) and not order.absent
    if refused and ((kind is None and line is None) or kind in RETRYABLE) and s.entry_tries < MAX_TRIES:
        s.entry_retry_at = max(t.now + backoff(t, s.entry_tries), order.retry_at)
        return
    if refused:
        _over(t, "EntryRejected", f"the entry was refused: {order.message or (line.message if line else '') or kind}")
    else:
        _over(t, "EntryUnfilled", "nothing was filled within the entry time-out")


def _over(t: Turn, reason: str, message: str) -> None:
    s = t.s
    s.entry_over = True
    s.refusal, s.refusal_message = reason, message
    t.note(reason, message)


def _consider(t: Turn) -> None:
    s = t.s
    if s.session is None or s.session.open == 0:
        return
    window_ends = s.buy_at + s.constants.entry_window_ms
    if t.now >= window_ends:
        if s.refusal and s.entry_seen_window:
            _over(t, s.refusal, s.refusal_message)
        else:
            _over(t, "MissedEntryWindow", "the strategy was not ready inside the entry window: no entry today")
        return
    if not t.due(s.buy_at):
        s.refusal = s.refusal_message = ""
        return
    s.entry_seen_window = True
    if s.entry_barred:
        _over(t, "EntryBarred", f"no entry any more today: {s.entry_barred}")
        return
    t.wake_at(window_ends)
    found = refusal.first(t)
    if found is not None:
        s.refusal, s.refusal_message = found
        return
    if not t.due(s.entry_retry_at):
        return
    _send(t)


def _send(t: Turn) -> None:
    s = t.s
    instrument = s.instrument
    if instrument is None:
        return
    spec = s.spec.spec
    limit = entry_limit(s.market.price, t.sign, instrument, s.constants.entry_band_bp, spec.max_slippage_bp)
    if limit <= 0 or not in_band(limit, instrument):
        s.refusal, s.refusal_message = "EntryOutsideBand", "no entry price inside today's price band"
        return
    s.refusal = s.refusal_message = ""
    s.entry_started = True
    s.entry_tries += 1
    place(t, Leg.ENTRY, OrderClass.ENTRY, limit_ask(t, spec.quantity, limit))
