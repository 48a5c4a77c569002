"""One of several replicas runs the background work: whoever holds an advisory lock of PostgreSQL.

The lock lives as long as its connection. The work ends when the connection does, so two may overlap for a moment; both
would write the same rows, which the version check and the unique constraints allow.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from algo_api.db import Database
from algo_api.health.metrics import PROJECTION_LEADER

_LOG: Final = logging.getLogger(__name__)
_LOCK: Final = 0x616C676F01
_POLL_SECONDS: Final = 5.0
_TRY: Final = text("SELECT pg_try_advisory_lock(:lock)")
_ALIVE: Final = text("SELECT 1")


async def run_as_leader(db: Database, work: Callable[[], Awaitable[None]]) -> None:
    """Until cancelled: wait for the lock, run the work while it is held."""
    while True:
        try:
            async with db.engine.connect() as plain:
                connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
                if await connection.scalar(_TRY, {"lock": _LOCK}):
                    PROJECTION_LEADER.set(1)
                    try:
                        await _hold(connection, work)
                    finally:
                        PROJECTION_LEADER.set(0)
                        await connection.invalidate()  # never back into the pool with the lock held
        except (SQLAlchemyError, OSError, ExceptionGroup) as error:
            _LOG.warning("background work starts again: %r", error)
        await asyncio.sleep(_POLL_SECONDS)


async def _hold(connection: AsyncConnection, work: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.ensure_future(work())
    try:
        while not task.done():
            await connection.execute(_ALIVE)
            await asyncio.wait({task}, timeout=_POLL_SECONDS)
        await task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, ExceptionGroup):
            await task
