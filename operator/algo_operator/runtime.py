"""The runtime store in Redis: specs out, views in, users.

Redis may be away or empty at any time. Then functions raise `RuntimeUnavailableError`, the operator goes on with what
Kubernetes tells, and the resync writes specs and users again.
"""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from algo_crds.contracts import keys
from algo_crds.contracts.runtime import RuntimeSpec, StrategyView, decode_view, encode
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError, ResponseError

from algo_operator.ports import RedisUser, Runtime, RuntimeUnavailableError
from algo_operator.redis_users import COMMANDS, commands_of, is_same, rules
from algo_operator.settings import RedisSettings

logger = logging.getLogger(__name__)

_PROBE_USER: Final = "algo-acl-probe"


def connect(settings: RedisSettings) -> "Redis":
    """A client that reconnects by itself; nothing is sent yet."""
    password = Path(settings.password_file).read_text().strip() if settings.password_file else None
    return Redis.from_url(
        settings.url,
        username=settings.username or None,
        password=password,
        socket_timeout=5,
        socket_connect_timeout=3,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), retries=2),  # every call of ours may be repeated
    )


@asynccontextmanager
async def _reaching() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise RuntimeUnavailableError(f"Redis: {error}") from error


def create_runtime(redis: "Redis", *, manage_users: bool) -> Runtime:
    """The store on a Redis client."""

    async def put_spec(spec: RuntimeSpec) -> bool:
        async with _reaching():
            return await _put_spec(redis, spec)

    async def views(strategy_ids: Sequence[str]) -> list[StrategyView | None]:
        async with _reaching():
            return await _views(redis, strategy_ids)

    async def accounts(account_ids: Sequence[str]) -> list[Mapping[str, str]]:
        async with _reaching():
            pipe = redis.pipeline(transaction=False)
            for identifier in account_ids:
                pipe.hgetall(keys.account_state(identifier))
            return [{key.decode(): value.decode() for key, value in row.items()} for row in await pipe.execute()]

    async def missing(strategy_ids: Sequence[str]) -> tuple[set[str], set[str]]:
        async with _reaching():
            return await _missing(redis, strategy_ids)

    async def ensure_user(user: RedisUser) -> bool:
        if not manage_users:
            return False
        async with _reaching():
            return await _ensure_user(redis, user)

    async def drop_user(name: str) -> None:
        if manage_users:
            async with _reaching():
                if await _command(redis, "ACL DELUSER", name):
                    await _save_users(redis)

    async def forget(strategy_id: str) -> None:
        async with _reaching():
            await redis.delete(keys.spec(strategy_id))

    return Runtime(
        put_spec=put_spec,
        views=views,
        accounts=accounts,
        missing=missing,
        ensure_user=ensure_user,
        drop_user=drop_user,
        forget=forget,
    )


async def _command(redis: "Redis", *arguments: str) -> Any:
    """A command without a typed method; ACL commands answer in the server's own form."""
    return await redis.execute_command(*arguments)  # type: ignore[no-untyped-call]


async def _put_spec(redis: "Redis", spec: RuntimeSpec) -> bool:
    payload = encode(spec)
    if await redis.get(keys.spec(spec.strategy_id)) == payload:
        return False
    await redis.set(keys.spec(spec.strategy_id), payload)
    await redis.publish(keys.notify(spec.strategy_id), "spec")
    return True


async def _views(redis: "Redis", strategy_ids: Sequence[str]) -> list[StrategyView | None]:
    pipe = redis.pipeline(transaction=False)
    for identifier in strategy_ids:
        pipe.hget(keys.state(identifier), "view")
    return [_decode(identifier, raw) for identifier, raw in zip(strategy_ids, await pipe.execute(), strict=True)]


def _decode(strategy_id: str, raw: bytes | None) -> StrategyView | None:
    if raw is None:
        return None
    try:
        return decode_view(raw)
    except (msgspec.DecodeError, ValueError) as error:
        logger.warning("the view of %s cannot be read: %s", strategy_id, error)
        return None


async def _missing(redis: "Redis", strategy_ids: Sequence[str]) -> tuple[set[str], set[str]]:
    pipe = redis.pipeline(transaction=False)
    for identifier in strategy_ids:
        pipe.exists(keys.spec(identifier))
        pipe.exists(keys.lease(identifier))
    answers = await pipe.execute()
    specs, leases = answers[::2], answers[1::2]
    return (
        {one for one, there in zip(strategy_ids, specs, strict=True) if not there},
        {one for one, there in zip(strategy_ids, leases, strict=True) if not there},
    )


async def _ensure_user(redis: "Redis", user: RedisUser) -> bool:
    observed = await _get_user(redis, user.name)
    if observed is not None and is_same(user, observed, await _normal_commands(redis)):
        return False
    await _command(redis, "ACL SETUSER", user.name, *rules(user))
    await _save_users(redis)
    return True


async def _get_user(redis: "Redis", name: str) -> dict[str, Any] | None:
    reply = await _command(redis, "ACL GETUSER", name)
    if reply is None:
        return None
    if isinstance(reply, dict):
        return {_text(key): _text(value) for key, value in reply.items()}
    return {_text(reply[i]): _text(reply[i + 1]) for i in range(0, len(reply), 2)}


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list | tuple | set):
        return [_text(one) for one in value]
    return value


async def _normal_commands(redis: "Redis") -> frozenset[str]:
    """What this server makes of `COMMANDS`: asked once a client, of a user that is switched off."""
    cached: frozenset[str] | None = getattr(redis, "_algo_commands", None)
    if cached is None:
        await _command(redis, "ACL SETUSER", _PROBE_USER, "reset", "off", *COMMANDS.split())
        probe = await _get_user(redis, _PROBE_USER)
        await _command(redis, "ACL DELUSER", _PROBE_USER)
        cached = commands_of(probe or {})
        redis._algo_commands = cached  # type: ignore[attr-defined]
    return cached


async def _save_users(redis: "Redis") -> None:
    """Writes users to the ACL file, if the server has one: they then survive its restart."""
    try:
        await _command(redis, "ACL SAVE")
    except ResponseError as error:
        logger.debug("users are not saved to a file: %s", error)
