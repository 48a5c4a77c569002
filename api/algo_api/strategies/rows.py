"""Writes what a Strategy resource says into its row."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from algo_api.ownership import identifier
from algo_api.projected import create_change_of, drop_row, put_row
from algo_api.strategies.models import Strategy

change_of: Final = create_change_of("strategy")


async def put_strategy(
    session: AsyncSession, resource: Mapping[str, Any], *, user_id: str, tenant_id: str, actor: str
) -> bool | None:
    """Insert or update the row, as `put_row`."""
    spec = resource["spec"]
    columns = {"symbol": spec["symbol"], "desired_state": spec.get("desiredState", "Running")}
    strategy_id = identifier("str", resource)
    return await put_row(
        session, Strategy, strategy_id, resource, columns, user_id=user_id, tenant_id=tenant_id, actor=actor
    )


async def drop_strategy(session: AsyncSession, row: Strategy, *, actor: str) -> None:
    """The resource is gone: the row stays as history."""
    await drop_row(session, row, change_of, actor=actor)
