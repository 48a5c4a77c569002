"""SQL of users and refresh tokens."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.auth.models import RefreshToken, User
from algo_api.tables import utc_now


async def user_by_email(session: AsyncSession, email: str) -> User | None:
    """The live user of an address (in lower case)."""
    return await session.scalar(select(User).where(User.email == email, User.deleted_at.is_(None)))


async def user_by_id(session: AsyncSession, user_id: str) -> User | None:
    """A live user."""
    return await session.scalar(select(User).where(User.id == user_id, User.deleted_at.is_(None)))


async def lock_token(session: AsyncSession, token_hash: str) -> RefreshToken | None:
    """A refresh token, locked so that two uses at once are seen one after the other."""
    return await session.scalar(select(RefreshToken).where(RefreshToken.token_hash == token_hash).with_for_update())


async def revoke_family(session: AsyncSession, family: str, actor: str) -> None:
    """Ends a sign-in."""
    await session.execute(
        update(RefreshToken)
        .where(RefreshToken.family == family, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=utc_now(), status="revoked", updated_by=actor)
    )
