"""A run: one instrument, one trading day. When it begins, when it is over, and what a person may say to it.

A run ends only with every order final in the book and nothing held, unless it is Failed, which says so; and no new run
starts before a person has cleared that.
"""

from typing import Final

from algo_crds.contracts.runtime import Desired, ExitReason

from algo_runner.engine.calls import queue_done
from algo_runner.engine.events import Command, CommandKind, SpecChanged
from algo_runner.engine.exit import clear_backoffs
from algo_runner.engine.freeze import allowed
from algo_runner.engine.orders import held, is_final, live_entries
from algo_runner.engine.protect import begin_exit
from algo_runner.engine.restart import force, settled_at
from algo_runner.engine.session import desired, forget_day, own_tags_live, set_times
from algo_runner.engine.turn import Turn

SETTLE_MS: Final = 60_000
"""How long after the last match the book may take to show every order final."""


def begin(t: Turn) -> None:
    """Open the day's run, or another that a person asked for."""
    s = t.s
    if s.run_open or not s.reconciled or s.session is None or s.session.open == 0 or not s.day:
        return
    if s.uncleared or s.failed or desired(s) is not Desired.RUN:
        return
    another = s.ended and (s.start_asked or s.stood_down)
    if (s.run and not another) or own_tags_live(s) or held(s) != 0 or (s.once_done and not s.start_asked):
        return
    s.start_asked = s.stood_down = False
    s.run += 1
    s.run_open = True
    s.first_attempt = s.highest + 1
    s.ended = s.entered = s.entry_started = s.entry_over = s.entry_seen_window = False
    s.entry_tries = s.entry_retry_at = 0
    s.exit_reason = None
    s.refusal = s.refusal_message = ""
    s.hand_cancels = s.stop_recomputes = s.stop_rejects = s.stop_retry_at = 0
    s.exit_retry_at = s.exit_rejects = s.exit_doublings = s.hand_level = 0
    s.reported_blocked = s.reported_unconfirmed = False
    t.note(f"run {s.run} of {s.day} begins")


def finish(t: Turn) -> None:
    """End the run when all is flat and final in the book; Failed where the session ended otherwise."""
    s = t.s
    shares = held(s)
    if shares < 0:
        _fail(t, "Oversold", f"{-shares} shares more were sold than bought: a person must close them")
    session = s.session
    if session is not None and session.open and t.now >= session.last_match and (s.run_open or shares):
        _after_session(t, shares)
    if not s.run_open or shares != 0 or live_entries(s):
        return
    over = s.entry_over or s.entered or desired(s) is not Desired.RUN or s.exit_reason is not None
    if not over or not all(is_final(order) for order in s.orders.values()):
        return
    if s.orders and (not s.reconciled or s.book_at < settled_at(t)):
        return
    s.run_open = False
    s.ended = True
    s.stood_down = not s.entry_started and not s.entry_over  # a halt or stop came before anything was sent
    s.once_done = s.once_done or not s.spec.spec.repeat_daily
    for tag in tuple(s.queue):
        queue_done(t, tag)
    t.note(f"run {s.run} of {s.day} ends", str(s.exit_reason or s.refusal))


def _after_session(t: Turn, shares: int) -> None:
    s = t.s
    if s.session is None:
        return
    if not s.entered and not s.entry_started:
        return
    all_final = all(is_final(order) for order in s.orders.values())
    known = s.book_at >= s.session.last_match and all_final
    if known and shares > 0:
        begin_exit(t, ExitReason.SESSION_END, "the session has ended")
        _fail(
            t,
            "PositionOpenAtSessionEnd",
            f"{shares} shares are still held after the last match: the broker squares intraday positions off or lets "
            "them go to auction or delivery; look at the account",
        )
    elif not known and t.due(s.session.last_match + SETTLE_MS) and (shares or not all_final):
        _fail(t, "NotFinalAtSessionEnd", f"{shares} shares held and not every order is final after the session")


def _fail(t: Turn, reason: str, message: str) -> None:
    s = t.s
    if s.failed:
        return
    s.failed, s.failed_message, s.failed_day = reason, message, s.day
    s.uncleared = True
    t.alert("critical", reason, message)
    t.note(f"failed: {reason}", message)


def spec_changed(t: Turn, event: SpecChanged) -> None:
    """The newest spec; while shares are held, what is frozen stays as it was."""
    s = t.s
    old, new = s.spec, event.spec
    if new.strategy_id != old.strategy_id:
        return
    spec, refused = allowed(s, new.spec)
    if refused:
        t.alert("warning", "SpecFrozen", f"not changed while shares are held: {', '.join(refused)}")
        new = type(new)(**{name: getattr(new, name) for name in new.__struct_fields__} | {"spec": spec})
    s.spec = new
    if old.desired is not Desired.RUN and new.desired is Desired.RUN:
        _start(t, "spec")
    elif new.desired is not old.desired:
        s.stopped_by = ""
    if old.halts != new.halts:
        clear_backoffs(t)
    if not s.entry_started and old.spec.buy_time != new.spec.buy_time and s.run_open and s.entry_over:
        s.entry_over = False  # nothing was sent in this run: another buy time gives it another window
    set_times(t)


def _start(t: Turn, actor: str) -> None:
    s = t.s
    s.killed = False
    s.stopped_by = ""
    s.start_asked = True
    t.note("start", actor)


def command(t: Turn, event: Command) -> None:
    """A person's request."""
    s = t.s
    match event.kind:
        case CommandKind.START:
            _start(t, event.actor)
        case CommandKind.STOP:
            s.stopped_by = (Desired.STOP_KEEP if s.spec.spec.keep_on_stop else Desired.STOP_EXIT).value
            t.note("stop", event.actor)
        case CommandKind.KILL:
            s.killed = True
            t.note("kill", event.actor)
        case CommandKind.RETRY:
            clear_backoffs(t)
            if s.run_open and s.entry_over and not s.entered and not live_entries(s) and not s.entry_barred:
                s.entry_over = False
                s.entry_tries = 0
            t.note("retry", f"{event.actor} {event.tag}".strip())
        case CommandKind.DISCARD:
            _discard(t, event)
        case CommandKind.FORCE:
            force(t, event.tag, event.actor)


def _discard(t: Turn, event: Command) -> None:
    s = t.s
    if event.tag:
        queue_done(t, event.tag)  # also one of an earlier day, of which only the list of people knows
        t.note("discard", f"{event.actor} {event.tag}")
        return
    if not s.failed:
        return
    if not event.note.strip():
        t.alert("warning", "NoteNeeded", "say what became of the shares: the discard of a failed run needs a note")
        return
    left = held(s)
    t.note("failed run cleared by a person", f"{event.actor}: {event.note} ({left} shares by our count)")
    s.failed = s.failed_message = ""
    s.uncleared = False
    forget_day(s)
    s.once_done = s.once_done or not s.spec.spec.repeat_daily
    s.run = 1  # the day's run is spent: the next begins on the next day, or when a person starts it
    s.ended = True
    s.entry_barred = "the run of today failed"
