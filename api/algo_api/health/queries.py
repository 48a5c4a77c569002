"""SQL of the readiness probe."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def ping(session: AsyncSession) -> None:
    """One round trip."""
    await session.execute(text("SELECT 1"))
