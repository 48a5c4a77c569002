"""Which day a public file shows: nobody logs in for an instrument file that all may fetch, so no world is named."""

from datetime import date

from algo_simulator.worlds import Worlds


def public_day(worlds: Worlds, broker: str) -> date | None:
    """The day of the newest world in which the broker has an account; None without one."""
    for clock in reversed(worlds.all()):
        if any(account.spec.broker == broker for account in clock.world.accounts.values()):
            return clock.world.spec.date
    return None
