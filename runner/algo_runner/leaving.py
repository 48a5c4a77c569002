"""SIGTERM: no new entry, cancel a live one, let a fill get its stop and an exit get done, then go.

The engine is told that nothing can be journaled any more, which is what stops entries; protection and exits go on. The
cancel of a live entry is the shell's own call, with a request number that the engine never uses: the order's row tells
the engine how it ended.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from algo_crds.contracts import wire
from algo_crds.contracts.constants import ENGINE
from algo_crds.contracts.orders import OrderClass

from algo_runner.engine.events import JournalHealth
from algo_runner.engine.orders import held, live_entries
from algo_runner.engine.state import State
from algo_runner.engine.view import view
from algo_runner.loop import EventLoop
from algo_runner.session_clock import SessionClock

log: Final = logging.getLogger("algo_runner.leaving")
OWN_REQUESTS: Final = 1 << 40
"""Request numbers of the shell itself begin here."""
POLL_S: Final = 0.05
CANCEL_AGAIN_S: Final = 1.0


def unfinished(state: State, now: int) -> str:
    """What must be finished before the process may end; empty if nothing.

    A held position with its stop confirmed is finished: the stop rests at the exchange.
    """
    if live_entries(state):
        return "an entry is not final"
    if held(state) > 0:
        if state.exit_reason is not None:
            return "an exit is under way"
        protected = view(state, now).conditions.get("Protected")
        if protected is None or protected.status != "True":
            return "a fill is without its confirmed stop"
    if any(call.kind in ("place", "modify", "cancel") for call in state.calls.values()):
        return "an order call has no answer yet"
    return ""


async def leave(loop: EventLoop, *, clock: SessionClock, send: Callable[[bytes], bool], limit_s: float) -> str:
    """Finish what is under way, at most for `limit_s` of wall time.

    Returns:
        What was left unfinished; empty if nothing.
    """
    loop.leaving = True
    loop.post(JournalHealth(writable=False, reason="Leaving"))
    timer = asyncio.get_running_loop()
    deadline = timer.time() + limit_s
    asked: dict[str, float] = {}
    request = OWN_REQUESTS
    while (open_work := unfinished(loop.state, clock.now())) and timer.time() < deadline and not loop.lost:
        for order in live_entries(loop.state):
            due = timer.time() >= asked.get(order.tag, 0.0)
            if not order.broker_order_id or order.busy or order.cancel_asked or not due:
                continue
            request += 1
            asked[order.tag] = timer.time() + CANCEL_AGAIN_S
            cancel = wire.Cancel(
                req=request,
                broker_order_id=order.broker_order_id,
                tag=order.tag,
                order_class=OrderClass.EXIT,
                send_before=clock.now() + ENGINE.send_before_ms,
            )
            send(wire.encode(cancel))
        await asyncio.sleep(POLL_S)
    if open_work:
        log.warning("leaving although %s", open_work)
    return open_work
