"""Readiness: PostgreSQL is needed; Redis is reported, because stopping a strategy works without it."""

import asyncio
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from algo_api.db import AUTH, Database
from algo_api.errors import UnavailableError
from algo_api.health import queries
from algo_api.health.contract import HealthService
from algo_api.health.schemas import Readiness

_SECONDS: Final = 2.0


def create_health_service(db: Database, redis: Redis) -> HealthService:
    """Probes over database and Redis."""

    async def database_answers() -> bool:
        try:
            async with asyncio.timeout(_SECONDS), db.transaction(AUTH) as session:
                await queries.ping(session)
        except (UnavailableError, SQLAlchemyError, TimeoutError):
            return False
        return True

    async def redis_answers() -> bool:
        try:
            async with asyncio.timeout(_SECONDS):
                await redis.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def ready() -> Readiness:
        database, store = await asyncio.gather(database_answers(), redis_answers())
        return Readiness(status="ok" if database else "unavailable", database=database, redis=store)

    return HealthService(ready=ready)
