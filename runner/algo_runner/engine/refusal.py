"""Rule 12 of order safety: no unsafe entry. Each refusal is a reason for machines and a sentence for the trader."""

from collections.abc import Callable
from typing import Final

from algo_crds.contracts.money import format_price
from algo_crds.contracts.orders import Product, Side

from algo_runner.engine import levels
from algo_runner.engine.orders import own_pnl
from algo_runner.engine.session import evidence_from, session_valid, unsupported
from algo_runner.engine.turn import Turn

SESSION_AFTER_CLOSE_MS: Final = 30 * 60_000
"""A broker session must outlive the last match by this, so that an exit is never without one."""
DERIVATIVE_EXCHANGES: Final = frozenset({"NFO", "BFO", "CDS", "BCD", "MCX", "NCO"})
POSITIONS_AGE_MS: Final = 60_000

Refusal = tuple[str, str]


def _spec(t: Turn) -> Refusal | None:
    text = unsupported(t.s)
    if text:
        return "SpecUnsupported", text
    capability = t.s.capability
    spec = t.s.spec.spec
    if capability is not None and spec.product is Product.INTRADAY and not capability.intraday:
        return "ProductRefused", f"{capability.broker} does not take intraday orders through this account"
    if capability is not None and spec.side is Side.SELL and not capability.short:
        return "ShortRefused", f"{capability.broker} does not take short sales through this account"
    if capability is not None and capability.no_stops and _kind(t) in capability.no_stops:
        return (
            "StopNotOffered",
            f"{capability.broker} takes no resting stop-loss for {_kind(t)}: nothing would protect it",
        )
    return None


def _kind(t: Turn) -> str:
    """Segment and product, as the capability record names them."""
    instrument, product = t.s.instrument, t.s.spec.spec.product
    if instrument is not None and instrument.option:
        return f"options/{product}"
    derivative = instrument is not None and instrument.exchange in DERIVATIVE_EXCHANGES
    return f"{'futures' if derivative else 'equity'}/{product}"


def _stopped(t: Turn) -> Refusal | None:
    s = t.s
    if s.spec.halts:
        return "Halted", f"a halt is in force: {'; '.join(s.spec.halts)}"
    if s.broker is not None and s.broker.halted:
        return "Halted", f"the account is halted: {s.broker.halt_reason or 'no reason given'}"
    if s.broker is not None and s.broker.breaker_open:
        return "BreakerOpen", "the broker fails too often at the moment; entries wait until it answers again"
    if s.uncleared:
        return "LastRunNotCleared", "the last run was not cleared: say what became of its shares"
    if s.entry_barred:
        return "EntryBarred", f"no entry any more today: {s.entry_barred}"
    return None


def _knowledge(t: Turn) -> Refusal | None:
    s = t.s
    if not s.connected or not s.reconciled or s.capability is None:
        return "Reconciling", "the broker's order book has not been read yet"
    if not s.journal_writable:
        return "JournalUnavailable", "the intent of an entry cannot be written, so none is sent"
    since = evidence_from(s)
    if s.book_at < since or s.positions_at <= 0 or s.positions_at < since:
        return "Reconciling", "order book and positions must be read once more before an entry"
    if t.now - s.positions_at > POSITIONS_AGE_MS:
        return "PositionsOld", "the account's positions must be read again before an entry"
    if s.positions_quantity != 0 or s.differences >= 3:
        return "PositionNotOurs", (
            f"the account already holds {s.positions_quantity * t.sign} shares of this symbol that are not this "
            "strategy's: one owner a symbol"
        )
    return None


def _broker_session(t: Turn) -> Refusal | None:
    s = t.s
    if not session_valid(t):
        return "SessionExpired", "the broker session has expired: log in again"
    if (
        s.broker is not None
        and s.session is not None
        and s.broker.session_valid_until < s.session.last_match + SESSION_AFTER_CLOSE_MS
    ):
        return "SessionTooShort", "the broker session ends before the market closes plus 30 minutes: log in again"
    return None


def _market(t: Turn) -> Refusal | None:
    s = t.s
    session, market = s.session, s.market
    if session is None or session.open == 0:
        return "NoSession", "no trading session today"
    if not session.open <= t.now < session.last_new_order:
        return "MarketClosed", "the market is closed or takes no new orders"
    if t.now >= s.exit_at:
        return "PastExitTime", "the time of exit has come already"
    if market.price <= 0 or not market.tick_at or t.now - market.tick_at > s.constants.entry_freshness_ms:
        return "FeedStale", "no fresh price: an entry needs a tick of the last 3 seconds"
    lag = market.tick_at - market.time
    if not -s.constants.clock_skew_ms <= lag < s.constants.clock_skew_ms + 1_000:  # exchange time is in whole seconds
        return "ClockSkew", f"our clock and the exchange time of ticks differ by {lag // 1_000} seconds"
    return None


def _quantity(t: Turn) -> Refusal | None:
    instrument, quantity = t.s.instrument, t.s.spec.spec.quantity
    if instrument is None:
        return "InstrumentUnknown", "the instrument is not in today's list"
    if (instrument.exchange, instrument.symbol) != (t.s.spec.spec.exchange, t.s.spec.spec.symbol):
        return "InstrumentUnknown", "the gateway serves another symbol on this connection"
    if instrument.lot > 1 and quantity % instrument.lot:
        return "LotSize", f"the quantity {quantity} is not a multiple of the lot of {instrument.lot}"
    if instrument.freeze_quantity > 0 and quantity > instrument.freeze_quantity:
        return (
            "FreezeQuantity",
            f"the quantity {quantity} is above the exchange's limit of {instrument.freeze_quantity}",
        )
    return None


def _loss(t: Turn) -> Refusal | None:
    limit = t.s.spec.spec.max_loss_per_day
    lost = -own_pnl(t.s)
    if limit is not None and lost >= limit:
        return "DayLossLimit", f"the day's loss of {format_price(lost)} has reached the limit of {format_price(limit)}"
    return None


def _stop(t: Turn) -> Refusal | None:
    s = t.s
    instrument, capability, spec = s.instrument, s.capability, s.spec.spec
    if instrument is None or capability is None:
        return "InstrumentUnknown", "the instrument is not in today's list"
    last = s.market.price
    limit = levels.entry_limit(last, t.sign, instrument, s.constants.entry_band_bp, spec.max_slippage_bp)
    for base in (limit, last):
        trigger = levels.stop_level(spec.stop_loss, base, t.sign, instrument.tick_size)
        if levels.through(last, trigger, t.sign):
            return "PriceBeyondStop", (
                f"the price {format_price(last)} is already at or beyond the stop {format_price(trigger)}"
            )
        if not levels.stop_limit(trigger, t.sign, instrument, capability.max_trigger_gap_bp):
            return "StopOutsideBand", (
                f"a stop at {format_price(trigger)} has no place inside today's price band "
                f"({format_price(instrument.band_low)} to {format_price(instrument.band_high)})"
            )
    if spec.target is not None:
        target = levels.target_level(spec.target, last, t.sign, instrument.tick_size)
        if levels.reached(last, target, t.sign):
            return "PriceBeyondTarget", (
                f"the price {format_price(last)} has already reached the target {format_price(target)}"
            )
    return None


RULES: Final[tuple[Callable[[Turn], Refusal | None], ...]] = (
    _spec,
    _stopped,
    _broker_session,
    _knowledge,
    _quantity,
    _loss,
    _market,
    _stop,
)


def first(t: Turn) -> Refusal | None:
    """The first rule that refuses an entry now, or None."""
    for rule in RULES:
        refusal = rule(t)
        if refusal is not None:
            return refusal
    return None
