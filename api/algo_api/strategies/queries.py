"""SQL of strategies: every query names the user as well, beside row-level security."""

from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.identity import Owner
from algo_api.projected import own_row, own_rows
from algo_api.strategies.models import Strategy


async def own_strategy(session: AsyncSession, owner: Owner, strategy_id: str) -> Strategy | None:
    """A live strategy of a user."""
    return await own_row(session, Strategy, owner, strategy_id)


async def own_strategies(session: AsyncSession, owner: Owner, *, limit: int, before: str | None) -> list[Strategy]:
    """Live strategies of a user, newest first."""
    query = own_rows(Strategy, owner)
    if before is not None:
        query = query.where(Strategy.id < before)
    return list(await session.scalars(query.limit(limit)))


async def any_strategy(session: AsyncSession, strategy_id: str) -> Strategy | None:
    """A strategy of anybody, deleted or not; for the recorder."""
    return await session.get(Strategy, strategy_id)
