"""Instruments: searched in PostgreSQL, read one by one from the cache, and what a new strategy may be on."""

import difflib
import logging
from collections.abc import Callable, Sequence
from typing import Final

from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.db import Database, user_scope
from algo_api.errors import NotFoundError, TradingRuleError, UnavailableError
from algo_api.identity import Caller
from algo_api.instruments import cache, queries
from algo_api.instruments.contract import InstrumentService
from algo_api.instruments.loader import DERIVATIVES
from algo_api.instruments.output import instrument_out, load_out
from algo_api.instruments.schemas import InstrumentOut, InstrumentPage, InstrumentState

_LOG: Final = logging.getLogger(__name__)
OLD_MS: Final = 6 * 24 * 3600 * 1000
"""A table older than this refuses nobody: longer than any run of holidays."""
_SUGGESTIONS: Final = 3
_CANDIDATES: Final = 5_000
_ALIKE: Final = 0.7


def create_instrument_service(
    db: Database, redis: Redis, now: Callable[[], int], *, simulated: bool = False
) -> InstrumentService:
    """Instruments over database and Redis.

    Args:
        now: the wall clock in ms.
        simulated: whether the lists are a simulator's: its worlds are of many days at once and a list is of one, so
            that only what has no expiry is checked.
    """

    async def search(
        caller: Caller, query: str, *, exchange: str | None, kind: str | None, limit: int
    ) -> InstrumentPage:
        async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            rows = await queries.search(session, query, exchange=exchange, kind=kind, limit=limit)
        return InstrumentPage(items=[instrument_out(row) for row in rows])

    async def get(caller: Caller, exchange: str, symbol: str) -> InstrumentOut:
        cached = await cache.get(redis, exchange, symbol)
        if cached is not None:
            return instrument_out(cached)
        async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            row = await queries.live(session, exchange, symbol)
            alike = await _alike(session, exchange, symbol) if row is None else ()
        if row is None:
            raise NotFoundError(_not_listed(exchange, symbol, alike))
        return instrument_out(row)

    async def state(caller: Caller) -> InstrumentState:
        async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            loads = await queries.newest_loads(session)
        return InstrumentState(loads=[load_out(load) for load in loads])

    async def check_tradable(caller: Caller, exchange: str, symbol: str) -> None:
        if simulated and exchange in DERIVATIVES.values():
            return
        try:
            async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
                load = await queries.newest_good_load(session, exchange)
                if load is None or load.loaded_at is None or now() - load.loaded_at.timestamp() * 1000 > OLD_MS:
                    _LOG.warning("a strategy is not checked: the instruments of %s are not loaded or old", exchange)
                    return
                row = await queries.live(session, exchange, symbol)
                alike = await _alike(session, exchange, symbol) if row is None else ()
        except (SQLAlchemyError, UnavailableError) as error:
            _LOG.warning("a strategy is not checked against the instruments: %s", type(error).__name__)
            return
        if row is None:
            raise TradingRuleError(_not_listed(exchange, symbol, alike))
        if row.kind == "INDEX":
            raise TradingRuleError(f"{symbol} is an index and cannot be traded; trade one of its contracts")

    return InstrumentService(search=search, get=get, state=state, check_tradable=check_tradable)


async def _alike(session: AsyncSession, exchange: str, symbol: str) -> Sequence[str]:
    """Symbols that are spelt like it: the first letters are seldom the wrong ones."""
    wanted = symbol.upper()
    if not wanted:
        return ()
    longer = await queries.symbols_like(session, exchange, wanted, _SUGGESTIONS)
    candidates = await queries.symbols_like(session, exchange, wanted[:2], _CANDIDATES)
    if not candidates:
        candidates = await queries.symbols_like(session, exchange, wanted[:1], _CANDIDATES)
    close = difflib.get_close_matches(wanted, candidates, n=_SUGGESTIONS, cutoff=_ALIKE)
    return list(dict.fromkeys((*close, *longer)))[:_SUGGESTIONS]


def _not_listed(exchange: str, symbol: str, alike: Sequence[str]) -> str:
    if not alike:
        return f"{symbol} is not listed at {exchange}; search the instruments for its name"
    *most, last = alike
    names = f"{', '.join(most)} or {last}" if most else last
    return f"{symbol} is not listed at {exchange}; did you mean {names}?"
