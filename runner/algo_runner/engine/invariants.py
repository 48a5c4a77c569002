"""The eight invariants as functions: the tests check them after every step, and the shell asks `refuses` before it does
an action, so that a fault of the engine itself cannot sell more than is held or enter twice."""

from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg

from algo_runner.engine.actions import Action, Intent, Journal
from algo_runner.engine.orders import ENTRY, any_unknown_sell, filled, held, is_final, live_entries, live_sells, working
from algo_runner.engine.state import State


def refuses(state: State, action: Action) -> str:
    """Why an action of the step that led to `state` must not be done (invariants 1, 2 and 4); empty if it may."""
    if state.lost:
        return "4: no action at all after the epoch was lost"
    if isinstance(action, wire.Place):
        if action.leg is Leg.ENTRY:
            return one_entry(state) or _entry_known(state, action)
        return sells_within_held(state)
    if isinstance(action, wire.Modify):
        order = state.orders.get(action.tag)
        if order is not None and order.leg is not ENTRY and action.quantity - filled(order) > max(held(state), 0):
            return "2: a modify would let more be sold than is held"
    return ""


def _entry_known(state: State, action: wire.Place) -> str:
    order = state.orders.get(action.tag)
    if order is None or state.epoch <= 0 or not state.journal_writable:
        return "4: an entry without a journaled intent of the current epoch"
    return ""


def one_entry(state: State) -> str:
    """Invariant 1: at most one entry attempt is live or unknown, and none is sent after one was unknown."""
    live = live_entries(state)
    if len(live) > 1:
        return f"1: {len(live)} entries are live or unknown"
    return ""


def entry_fills_within_quantity(state: State) -> str:
    """Invariant 1: entry fills of the run never exceed the quantity."""
    count = sum(filled(o) for o in state.orders.values() if o.leg is Leg.ENTRY and o.run == state.run)
    return "1: entry fills exceed the quantity" if count > state.spec.spec.quantity else ""


def sells_within_held(state: State) -> str:
    """Invariant 2: nothing can sell more than is held, counting unknown orders as live."""
    may, shares = working(state), max(held(state), 0)
    return f"2: {may} may still be sold with {shares} held" if may > shares else ""


def held_is_guarded(state: State) -> str:
    """Invariant 3: with shares held, a stop for all of them is there, or an action to get there or flat is outstanding,
    or waited for (an answer, a row, an instant)."""
    if held(state) <= 0 or state.failed or state.lost:
        return ""
    if main_stop_covers(state) or state.exit_reason is not None or any_unknown_sell(state):
        return ""
    if not state.connected or not state.reconciled or state.calls or live_sells(state) or state.wake_at:
        return ""
    return "3: shares are held and nothing guards them"


def main_stop_covers(state: State) -> bool:
    """Whether one live stop is asked for all that is held."""
    return any(
        order.leg is Leg.STOP and not order.converted and order.ask.quantity - filled(order) >= held(state)
        for order in live_sells(state)
    )


def intent_before_entry(state: State, actions: tuple[Action, ...]) -> str:
    """Invariant 4: an entry stands right behind its journaled intent of the current epoch."""
    for index, action in enumerate(actions):
        if not isinstance(action, wire.Place) or action.leg is not Leg.ENTRY:
            continue
        before = actions[index - 1] if index else None
        if (
            not isinstance(before, Journal)
            or not before.before_send
            or not isinstance(before.entry, Intent)
            or before.entry.tag != action.tag
            or before.entry.epoch != state.epoch
        ):
            return "4: an entry without its journaled intent"
    return ""


def fills_only_grow(before: State, after: State) -> str:
    """Invariant 5: a filled quantity never shrinks within a day."""
    if before.day != after.day or not set(before.orders) <= set(after.orders):
        return ""
    for tag, order in before.orders.items():
        if filled(after.orders[tag]) < filled(order):
            return f"5: the fills of {tag} shrank"
    return ""


def ended_is_flat(state: State) -> str:
    """Invariant 6: a run that has ended holds nothing and has no order that may still trade."""
    if not state.ended or state.failed:
        return ""
    if held(state) != 0:
        return f"6: the run ended with {held(state)} held"
    if not all(is_final(order) for order in state.orders.values()):
        return "6: the run ended with an order that is not final"
    return ""


def violations(state: State) -> list[str]:
    """Every invariant that a single state breaks."""
    found = (
        one_entry(state),
        entry_fills_within_quantity(state),
        held_is_guarded(state),
        ended_is_flat(state),
    )
    return [text for text in found if text]
