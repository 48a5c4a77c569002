"""When lists are loaded: each trading morning once brokers have made them, at start when what there is is older, again
after a failure. Runs in the process that holds the leadership.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

from algo_brokers.errors import BrokerError
from algo_crds.contracts.clock import instant, session_date
from algo_market.sessions import InstrumentClass, SessionUnknownError, session_for
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from algo_api.db import WORKER, Database
from algo_api.errors import ApiError
from algo_api.instruments import queries
from algo_api.instruments.loader import LoadInstruments

_LOG: Final = logging.getLogger(__name__)
MADE_BY: Final = time(8, 40)
"""By when brokers have made the day's lists (India): Kite's last, about 08:30."""
LOOK_MS: Final = 300_000
"""How often it is looked whether something is due; a simulated market may begin another day at any time, so there
something always is."""
FIRST_RETRY_MS: Final = 60_000
LAST_RETRY_MS: Final = 3_600_000
_DAYS_BACK: Final = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of earlier loads."""

    loaded_at: int
    """Oldest of the exchanges in ms; 0 if one was never loaded."""
    failures: int = 0
    """Loads in a row, by this process, after which another try may bring more."""
    tried_at: int = 0


def due_at(now: int, seen: Seen, *, simulated: bool) -> int:
    """When the next load is due (ms); not after `now`: at once."""
    if seen.failures:
        wait = min(FIRST_RETRY_MS << min(seen.failures - 1, 10), LAST_RETRY_MS)
        return seen.tried_at + (min(wait, LOOK_MS) if simulated else wait)
    if simulated:
        return seen.tried_at + LOOK_MS if seen.tried_at else now
    today = session_date(now)
    for back in range(_DAYS_BACK):
        day = today - timedelta(days=back)
        made = instant(day, MADE_BY)
        if made <= now and _trades(day):
            return now if seen.loaded_at < made else now + LOOK_MS
    return now if not seen.loaded_at else now + LOOK_MS


def _trades(day: date) -> bool:
    """Also a day that our table does not know: a load too many does no harm."""
    try:
        return session_for("NSE", InstrumentClass.SHARE, day) is not None
    except SessionUnknownError:
        return True


async def run_instruments(
    db: Database,
    load: LoadInstruments,
    *,
    exchanges: Sequence[str],
    simulated: bool,
    now: Callable[[], int],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Until cancelled; one process at a time (see `leader`)."""
    failures, tried_at = 0, 0
    while True:
        try:
            loaded_at = await _loaded_at(db, exchanges)
            seen = Seen(loaded_at=loaded_at, failures=failures, tried_at=tried_at)
            wait = due_at(now(), seen, simulated=simulated) - now()
            if wait > 0:
                await sleep(min(wait, LOOK_MS) / 1000)
                continue
            tried_at = now()
            report = await load()
            failures = 0 if report.complete else failures + 1
        except (BrokerError, RedisError, OSError, ApiError, SQLAlchemyError) as error:
            failures += 1
            tried_at = now()
            _LOG.warning("instruments are not loaded: %s", type(error).__name__)


async def _loaded_at(db: Database, exchanges: Sequence[str]) -> int:
    async with db.transaction(WORKER) as session:
        loads = [await queries.newest_good_load(session, exchange) for exchange in exchanges]
    instants = [load.loaded_at.timestamp() if load and load.loaded_at else 0 for load in loads]
    return int(min(instants, default=0) * 1000)
