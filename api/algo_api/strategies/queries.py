"""SQL of strategies: every query names the user as well, beside row-level security."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.identity import Caller
from algo_api.strategies.models import Strategy


async def own_strategy(session: AsyncSession, caller: Caller, strategy_id: str) -> Strategy | None:
    """A live strategy of the caller."""
    return await session.scalar(
        select(Strategy).where(
            Strategy.id == strategy_id,
            Strategy.user_id == caller.user_id,
            Strategy.tenant_id == caller.tenant_id,
            Strategy.deleted_at.is_(None),
        )
    )


async def own_strategies(session: AsyncSession, caller: Caller, *, limit: int, before: str | None) -> list[Strategy]:
    """Live strategies of the caller, newest first (by id, which an index serves)."""
    query = select(Strategy).where(
        Strategy.user_id == caller.user_id, Strategy.tenant_id == caller.tenant_id, Strategy.deleted_at.is_(None)
    )
    if before is not None:
        query = query.where(Strategy.id < before)
    return list(await session.scalars(query.order_by(Strategy.id.desc()).limit(limit)))


async def any_strategy(session: AsyncSession, strategy_id: str) -> Strategy | None:
    """A strategy of anybody, deleted or not; for projection and recorder."""
    return await session.get(Strategy, strategy_id)


async def all_live(session: AsyncSession) -> list[Strategy]:
    """Live strategies of everybody; for projection and recorder."""
    return list(await session.scalars(select(Strategy).where(Strategy.deleted_at.is_(None))))
