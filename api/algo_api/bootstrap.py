"""The only wiring: opens connections, makes every service, starts the background work, closes all of it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import httpx
from algo_brokers.transports import create_client
from algo_kube.client import create_kube_client
from algo_kube.contract import KubeClient
from redis.asyncio import Redis

from algo_api.audit.service import create_audit_service
from algo_api.auth.service import create_auth_service
from algo_api.auth.tokens import create_access_tokens
from algo_api.broker_accounts.brokers import SimulatorAddress, create_logins, session_renewals
from algo_api.broker_accounts.logins import create_login_service
from algo_api.broker_accounts.service import create_account_service
from algo_api.crypto import create_credential_cipher
from algo_api.db import Database, create_database
from algo_api.health.service import create_health_service
from algo_api.instruments.job import run_instruments
from algo_api.instruments.loader import create_loader
from algo_api.instruments.service import create_instrument_service
from algo_api.instruments.sources import create_sources
from algo_api.leader import run_as_leader
from algo_api.order_queue.service import create_order_queue_service
from algo_api.projection import run_projection
from algo_api.rate_limits import create_attempt_counter
from algo_api.recorder import run_recorder
from algo_api.services import Services
from algo_api.settings import Settings, async_url
from algo_api.strategies.service import create_strategy_service
from algo_api.streams.commands import create_command_teller
from algo_api.streams.service import create_stream_service
from algo_api.streams.wakes import Wakes
from algo_api.tenants.service import create_tenant_service
from algo_api.views import create_view_reader


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Services]:
    """Everything that runs in this process, while the block lasts."""
    db = create_database(async_url(settings.database_url), pool_size=settings.database_pool)
    redis = Redis.from_url(
        settings.redis_url,
        username=settings.redis_username,
        password=settings.redis_secret(),
        socket_timeout=5,
        socket_connect_timeout=2,
    )
    listener = Redis.from_url(
        settings.redis_url, username=settings.redis_username, password=settings.redis_secret(), health_check_interval=15
    )
    kube = await create_kube_client(settings.kubeconfig, user_agent="algo-api")
    http = create_client()
    wakes = Wakes(listener)
    try:
        async with _background(settings, db, redis, kube, wakes, http):
            yield _services(settings, db, redis, kube, http, wakes)
    finally:
        await http.aclose()
        await kube.close()
        await listener.aclose()
        await redis.aclose()
        await db.engine.dispose()


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _simulators(settings: Settings) -> dict[str, SimulatorAddress]:
    return {
        broker: SimulatorAddress(base=base, browser=settings.simulator_login_urls.get(broker, base))
        for broker, base in settings.simulator_broker_urls.items()
    }


def _services(
    settings: Settings, db: Database, redis: Redis, kube: KubeClient, http: httpx.AsyncClient, wakes: Wakes
) -> Services:
    tokens = create_access_tokens(settings.jwt_secret_key.get_secret_value(), settings.access_token_seconds)
    tenants = create_tenant_service(db, kube, wait_seconds=settings.namespace_wait_seconds)
    cipher = create_credential_cipher(settings.credential_keys(), settings.aes_key_version)
    instruments = create_instrument_service(db, redis, _wall_ms, simulated=bool(settings.simulator_broker_urls))
    strategies = create_strategy_service(
        db, kube, tenants, create_view_reader(redis), create_command_teller(redis), instruments.check_tradable
    )
    return Services(
        access_tokens=tokens,
        auth=create_auth_service(
            db,
            tokens,
            tenants,
            create_attempt_counter(redis),
            refresh_seconds=settings.refresh_token_seconds,
            logins_per_minute=settings.login_attempts_per_minute,
            registrations_per_hour=settings.registrations_per_hour,
        ),
        tenants=tenants,
        accounts=create_account_service(
            db, kube, tenants, cipher, session_renewals(http), public_url=settings.public_url
        ),
        logins=create_login_service(
            db,
            kube,
            cipher,
            create_logins(http, _simulators(settings)),
            wait_seconds=settings.namespace_wait_seconds,
            public_url=settings.public_url,
        ),
        instruments=instruments,
        strategies=strategies,
        order_queue=create_order_queue_service(db, redis, strategies),
        streams=create_stream_service(redis, strategies, wakes),
        audit=create_audit_service(db),
        health=create_health_service(db, redis),
    )


@contextlib.asynccontextmanager
async def _background(
    settings: Settings, db: Database, redis: Redis, kube: KubeClient, wakes: Wakes, http: httpx.AsyncClient
) -> AsyncIterator[None]:
    sources = create_sources(http, settings.simulator_broker_urls, _wall_ms, only=settings.instrument_brokers)
    exchanges = settings.instrument_exchanges
    load = create_loader(
        db, redis, sources, exchanges=exchanges, now=_wall_ms, freeze_file=settings.freeze_quantities_file
    )

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(run_projection(db, kube))
            group.create_task(run_recorder(db, redis, wakes))
            group.create_task(run_instruments(db, load, exchanges=exchanges, simulated=sources.simulated, now=_wall_ms))

    tasks = [asyncio.create_task(wakes.run())]
    if settings.background:
        tasks.append(asyncio.create_task(run_as_leader(db, work)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
