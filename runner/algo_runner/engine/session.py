"""The trading day: its times, what may be sent now, and when a day begins."""

from datetime import date, time

from algo_crds.contracts import wire
from algo_crds.contracts.clock import instant
from algo_crds.contracts.constants import SHELL
from algo_crds.contracts.orders import OrderStatus, Product
from algo_crds.contracts.runtime import Desired

from algo_runner.engine.orders import held, is_final
from algo_runner.engine.state import State
from algo_runner.engine.turn import Turn

CALLS_PER_EXIT = 2
"""Order calls that an exit usually needs: the conversion and one re-price."""


def desired(state: State) -> Desired:
    """What is wanted now, kill and stop command included."""
    if state.killed or state.spec.halts or state.spec.deleting:
        return Desired.STOP_EXIT
    if state.stopped_by:
        return Desired(state.stopped_by)
    return state.spec.desired


def unsupported(state: State) -> str:
    """Why this engine does not run the spec at all; empty if it does."""
    spec = state.spec.spec
    if spec.trailing is not None or spec.trailing_step is not None:
        return "a trailing stop-loss is not supported yet: remove spec.trailing"
    if spec.product is Product.DELIVERY:
        return "product Delivery is not supported yet: use Intraday"
    forms = (spec.stop_loss.price, spec.stop_loss.bp, spec.stop_loss.points)
    given = [form for form in forms if form is not None]
    if len(given) != 1 or given[0] <= 0:
        return "the stop-loss must have exactly one positive form: price, percent or points"
    if spec.quantity < 1:
        return "the quantity must be at least 1"
    return ""


def session_valid(t: Turn) -> bool:
    """Whether the account's broker session is valid now."""
    broker = t.s.broker
    return broker is not None and broker.session_valid_until > t.now


def can_call(t: Turn) -> bool:
    """Whether the gateway and the broker behind it can be reached."""
    return t.s.connected and session_valid(t)


def can_write(t: Turn) -> bool:
    """Whether own live orders may be changed: a new connection and a gap start with the book. Where the book cannot be
    read, changes by broker id go on: they carry absolute values and may repeat."""
    s = t.s
    if not can_call(t) or s.capability is None or s.instrument is None:
        return False
    return s.reconciled or (s.day != "" and (s.book_failures > 0 or t.due(s.connected_at + 1_000)))


def can_place(t: Turn) -> bool:
    """Whether a new order may be placed: the book is known and the last time for new orders has not come."""
    session = t.s.session
    return (
        can_call(t)
        and t.s.reconciled
        and t.s.book_at >= t.s.blind_until
        and t.s.instrument is not None
        and session is not None
        and session.open <= t.now < session.last_new_order
    )


def evidence_from(state: State) -> int:
    """The instant from which on a read shows all that was sent or filled for us: book and positions that were begun
    before it may still tell of what was sold since. 0: nothing was."""
    last = max(state.door_last_send, state.progress_at)
    return last + state.capability.visibility_delay_ms if last and state.capability is not None else 0


def set_times(t: Turn) -> None:
    """Derive the day's instants from spec, session and load."""
    s = t.s
    session = s.session
    if session is None or session.open == 0 or not s.day:
        return
    midnight = instant(date.fromisoformat(s.day), time(0))
    s.buy_at = midnight + s.spec.spec.buy_time * 1_000
    s.sell_at = midnight + s.spec.spec.sell_time * 1_000
    margin = max(s.constants.square_off_margin_ms, s.constants.square_off_margin_floor_ms)
    open_positions = s.broker.open_positions if s.broker is not None else 0
    load = open_positions * CALLS_PER_EXIT * SHELL.order_window_ms // SHELL.orders_per_window
    s.exit_at = min(s.sell_at, session.last_new_order - margin - load, session.end_of_stops - margin - load)


def take_session(t: Turn, instrument: wire.Instrument, session: wire.SessionTimes) -> None:
    """A day, a band or an instrument as the gateway tells it."""
    s = t.s
    s.instrument = instrument
    s.session = session
    market = s.market
    market.opened, market.closed = session.open, session.last_match
    if session.open and session.day != s.day:
        _new_day(t, session.day)
    set_times(t)


def _new_day(t: Turn, day: str) -> None:
    s = t.s
    left = held(s)
    open_orders = [order.tag for order in s.orders.values() if not is_final(order)]
    if s.day and not s.failed and (left != 0 or open_orders):
        s.failed, s.failed_day = "LeftFromEarlierDay", s.day
        s.failed_message = (
            f"{left} shares and {len(open_orders)} orders were left on {s.day}: see what became of them at the broker, "
            "then discard the run with a note"
        )
        t.alert("critical", s.failed, s.failed_message)
    s.uncleared = bool(s.failed)
    s.day = day
    market = s.market
    market.price = market.price_at = market.tick_at = market.volume = market.price_streamed = 0
    market.time = market.opened - 1
    market.second.clear()
    s.next_positions_at = s.next_book_at = t.now
    if s.uncleared:
        return
    forget_day(s)


def forget_day(s: State) -> None:
    """Forget what belongs to a day; only when it is flat and every order is final, or a person has cleared it."""
    s.orders = {}
    s.foreign = {}
    s.queue = {}
    s.manual = s.manual_value = s.manual_seen = 0
    s.position_cut = -1
    s.highest = 0
    s.entry_barred = ""
    s.no_convert = False
    s.run = 0
    s.run_open = s.ended = s.entered = s.entry_started = s.entry_over = False
    s.first_attempt = 0
    s.stood_down = False
    s.exit_reason = None
    s.differences = 0
    s.unprotected_ms = 0
    s.refusal = s.refusal_message = ""
    s.stop_level = s.target_level = s.loss_level = 0


def waits_for_a_person(s: State) -> bool:
    """Whether what the state holds belongs to an earlier day: the broker has long acted, so nothing is sent."""
    return bool(s.failed) and s.failed_day != s.day


def own_tags_live(s: State) -> bool:
    """Whether any of our tags lives in the book, or might."""
    return any(not is_final(order) or order.own is OrderStatus.UNKNOWN for order in s.orders.values())
