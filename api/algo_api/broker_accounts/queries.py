"""SQL of broker accounts: every query of a user names the user as well, beside row-level security."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.broker_accounts.models import BrokerAccount, BrokerCredential, BrokerLogin
from algo_api.identity import Owner
from algo_api.projected import own_row, own_rows


async def own_account(session: AsyncSession, owner: Owner, account_id: str) -> BrokerAccount | None:
    """A live account of a user."""
    return await own_row(session, BrokerAccount, owner, account_id)


async def own_accounts(session: AsyncSession, owner: Owner) -> list[BrokerAccount]:
    """Live accounts of a user, newest first."""
    return list(await session.scalars(own_rows(BrokerAccount, owner)))


async def own_accounts_by_resource(session: AsyncSession, owner: Owner) -> dict[str, str]:
    """Ids of a user's live accounts by resource name."""
    return {account.resource: account.id for account in await own_accounts(session, owner)}


async def own_credentials(session: AsyncSession, owner: Owner, account_id: str) -> dict[str, BrokerCredential]:
    """Stored credentials of an account by field."""
    rows = await session.scalars(
        select(BrokerCredential).where(
            BrokerCredential.account_id == account_id,
            BrokerCredential.user_id == owner.user_id,
            BrokerCredential.deleted_at.is_(None),
        )
    )
    return {row.field: row for row in rows}


async def accounts_with_credentials(session: AsyncSession, owner: Owner) -> set[str]:
    """Ids of a user's accounts that have credentials."""
    query = select(BrokerCredential.account_id).where(
        BrokerCredential.user_id == owner.user_id, BrokerCredential.deleted_at.is_(None)
    )
    return set(await session.scalars(query))


async def lock_login(session: AsyncSession, state_hash: str) -> BrokerLogin | None:
    """A login under way, locked so that its state is used once."""
    return await session.scalar(select(BrokerLogin).where(BrokerLogin.state_hash == state_hash).with_for_update())


async def lock_stateless_login(session: AsyncSession, account_id: str, now: datetime) -> BrokerLogin | None:
    """The newest open login of an account at a broker that has no place for a state, locked."""
    query = select(BrokerLogin).where(
        BrokerLogin.account_id == account_id,
        BrokerLogin.needs_state.is_(False),
        BrokerLogin.used_at.is_(None),
        BrokerLogin.expires_at > now,
    )
    return await session.scalar(query.order_by(BrokerLogin.created_at.desc()).limit(1).with_for_update())
