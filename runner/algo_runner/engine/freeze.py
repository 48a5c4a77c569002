"""What may change of a spec while shares are held: the API server says the same, but status may lag."""

from algo_crds.contracts.runtime import Level, StrategySpec
from msgspec.structs import replace

from algo_runner.engine.levels import sign_of, stop_level
from algo_runner.engine.orders import entry_average, held, live_entries
from algo_runner.engine.session import unsupported
from algo_runner.engine.state import State

FROZEN = ("exchange", "symbol", "side", "product", "quantity", "live", "buy_time")


def allowed(state: State, new: StrategySpec) -> tuple[StrategySpec, list[str]]:
    """The new spec as far as it may take force now, and the names of what may not.

    `stop_loss` may only come nearer to the price; `sell_time` and `target` may move.
    """
    old = state.spec.spec
    if held(state) <= 0 and not live_entries(state):
        return new, []
    kept = {name: getattr(old, name) for name in FROZEN if getattr(old, name) != getattr(new, name)}
    if new.trailing != old.trailing or new.trailing_step != old.trailing_step:
        kept |= {"trailing": old.trailing, "trailing_step": old.trailing_step}
    if new.stop_loss != old.stop_loss and not _nearer(state, old.stop_loss, new.stop_loss):
        kept["stop_loss"] = old.stop_loss
    if unsupported(replace_spec(state, replace(new, **kept))):
        return old, ["spec"]
    return replace(new, **kept), sorted(kept)


def replace_spec(state: State, spec: StrategySpec) -> State:
    """A view of the state under another spec, for asking questions only."""
    return replace(state, spec=replace(state.spec, spec=spec))


def _nearer(state: State, old: Level, new: Level) -> bool:
    given = [form for form in (new.price, new.bp, new.points) if form is not None]
    base = entry_average(state)
    if len(given) != 1 or given[0] <= 0 or state.instrument is None or base <= 0:
        return False
    sign = sign_of(state.spec.spec.side)
    tick = state.instrument.tick_size
    return sign * (stop_level(new, base, sign, tick) - stop_level(old, base, sign, tick)) >= 0
