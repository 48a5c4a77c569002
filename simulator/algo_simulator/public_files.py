"""Which day a public file shows: nobody logs in for an instrument file that all may fetch, so no world is named."""

import time
from datetime import date

from algo_crds.contracts.clock import session_date

from algo_simulator.worlds import Worlds


def public_day(worlds: Worlds, broker: str) -> date:
    """The day of the newest world in which the broker has an account, or else of the newest world; without any, today:
    whoever loads lists before the first world is made gets the instruments of a day, not an error."""
    clocks = list(reversed(worlds.all()))
    for clock in clocks:
        if any(account.spec.broker == broker for account in clock.world.accounts.values()):
            return clock.world.spec.date
    return clocks[0].world.spec.date if clocks else session_date(time.time_ns() // 1_000_000)
