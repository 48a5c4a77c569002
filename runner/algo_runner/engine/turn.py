"""One step in the making: the draft of the next state, the time, and the actions so far."""

import copy
from typing import Final

from algo_crds.contracts.orders import OrderStatus, Side
from algo_crds.contracts.runtime import OrderView

from algo_runner.engine.actions import Action, Alert, Journal, Note, OrderChanged
from algo_runner.engine.levels import sign_of
from algo_runner.engine.orders import average, filled, status
from algo_runner.engine.state import Order, State

KEPT_ERRORS: Final = 8


class Turn:
    """The draft of a step. Everything that decides takes one, changes `s` and appends to `out`."""

    __slots__ = ("exit_side", "now", "out", "s", "sign", "wake")

    def __init__(self, state: State, now: int) -> None:
        draft = copy.copy(state)
        draft.orders = dict(state.orders)
        draft.calls = dict(state.calls)
        draft.foreign = dict(state.foreign)
        draft.conditions = dict(state.conditions)
        draft.queue = dict(state.queue)
        self.s: State = draft
        self.now = now
        self.out: list[Action] = []
        self.wake = 0
        side = draft.spec.spec.side
        self.sign = sign_of(side)
        self.exit_side = Side.SELL if side is Side.BUY else Side.BUY

    def put(self, order: Order, *, tell: bool = True) -> None:
        """Keep a changed order and show it to people."""
        self.s.orders[order.tag] = order
        if tell:
            self.out.append(OrderChanged(order=view_of(order, self.now)))

    def wake_at(self, at: int) -> None:
        """Ask for a `Clock` at an instant, if none comes earlier."""
        if self.wake == 0 or at < self.wake:
            self.wake = at

    def due(self, at: int) -> bool:
        """Whether an instant has come; otherwise a `Clock` is asked for then."""
        if self.now >= at:
            return True
        self.wake_at(at)
        return False

    def alert(self, severity: str, code: str, message: str) -> None:
        """Tell a person; warnings and worse are kept with the state's errors."""
        self.out.append(Alert(severity=severity, code=code, message=message))
        if severity != "info":
            self.s.errors = (*self.s.errors, f"{code}: {message}")[-KEPT_ERRORS:]

    def note(self, what: str, detail: str = "") -> None:
        """Write to the journal for the audit."""
        s = self.s
        s.journal_seq += 1
        s.last_action = what
        self.out.append(
            Journal(entry=Note(seq=s.journal_seq, epoch=s.epoch, day=s.day, at=self.now, what=what, detail=detail))
        )


def view_of(order: Order, now: int) -> OrderView:
    """An order as people see it."""
    line = order.lines[0] if order.lines else None
    shown = line if line is not None and status(order) is not OrderStatus.UNKNOWN else order.ask
    return OrderView(
        tag=order.tag,
        broker_order_id=order.broker_order_id or None,
        leg=order.leg,
        side=order.side,
        type=shown.type,
        price=shown.price,
        trigger=shown.trigger,
        quantity=shown.quantity,
        filled=filled(order),
        average_price=average(order),
        status=status(order),
        message=order.message or (line.message if line is not None else ""),
        time=now,
        wall_time=0,
    )
