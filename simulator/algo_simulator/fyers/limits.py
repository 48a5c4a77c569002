"""Fyers' limits of calls, and the block of the day: over the minute's limit in more than three minutes."""

from typing import Final

from aiohttp import web

from algo_simulator.accounts import Account
from algo_simulator.clock import Clock
from algo_simulator.front import Caller
from algo_simulator.fyers.errors import FyersError, too_many
from algo_simulator.windows import DAY, MINUTE, SECOND, Rules, Window

ALL: Final = "all"
ORDER: Final = "order"
RULES: Final[Rules] = {
    ALL: (Window(SECOND, 10), Window(MINUTE, 200), Window(DAY, 100_000)),
    ORDER: (Window(SECOND, 10),),
}
FORGIVEN: Final = 3
"""Minutes over the limit that are forgiven in a day."""
CALLER: Final = web.RequestKey("caller", Caller)
"""Where a request keeps whom it comes from."""
_BREACHES: Final = "minutes over the limit"
_IST_OFFSET: Final = 19_800_000


def _left(window: Window, now: int) -> int:
    return window.length - (now + _IST_OFFSET) % window.length


def over_limit(request: web.Request, window: Window | None) -> FyersError:
    """The refusal of a call over a limit; a minute's breach is remembered."""
    caller: Caller | None = request.get(CALLER)
    if caller is None or window is None:
        return too_many(window, SECOND)
    now = caller.clock.limit_clock()
    if window.length == MINUTE:
        minutes = _breaches(caller.account)
        minutes.add((now + _IST_OFFSET) // MINUTE)
    return too_many(window, _left(window, now))


def check_block(clock: Clock, account: Account) -> None:
    """Refuse every call of an account that went over the minute's limit too often today.

    Raises:
        FyersError: 429 until midnight.
    """
    now = clock.limit_clock()
    minutes = _breaches(account)
    day = (now + _IST_OFFSET) // DAY
    today = sum(1 for minute in minutes if minute * MINUTE // DAY == day)
    if today > FORGIVEN:
        window = Window(DAY, 0)
        raise too_many(window, _left(window, now))


def _breaches(account: Account) -> set[int]:
    kept = account.memo.setdefault(_BREACHES, set())
    assert isinstance(kept, set)
    return kept
