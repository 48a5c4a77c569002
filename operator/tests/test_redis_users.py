"""What a runner's Redis user may and may not do, on a real server."""

from typing import Any

import pytest
from algo_crds.contracts import keys
from algo_operator.redis_users import gateway_user, runner_user
from algo_operator.runtime import create_runtime
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from .conftest import RedisServer

pytestmark = pytest.mark.redis

MINE, OTHER = "str_01hzy3v5k2m8n4p6q7r8s9t0a1", "str_01hzy3v5k2m8n4p6q7r8s9t0b2"


async def session(redis_server: RedisServer, redis: "Redis", name: str = MINE) -> "Redis":
    user = runner_user(name, "secret-of-the-pod")
    assert await create_runtime(redis, manage_users=True).ensure_user(user)
    return Redis.from_url(redis_server.url, username=user.name, password=user.password, protocol=3)


async def test_a_runner_can_do_all_its_work(redis_server: RedisServer, redis: "Redis") -> None:
    runner = await session(redis_server, redis)
    script = (
        "redis.call('HSET', KEYS[1], 'a', '1') redis.call('XADD', KEYS[2], '*', 'event', 'x') "
        "return redis.call('PUBLISH', ARGV[1], 'state')"
    )
    call: Any = runner.execute_command
    async with runner.pubsub() as channel:
        await channel.subscribe(keys.notify(MINE))
        await call("EVAL", script, 2, keys.state(MINE), keys.events(MINE), keys.notify(MINE))
        await call("SET", keys.lease(MINE), "5", "PX", "15000")
        await call("XREAD", "COUNT", "10", "STREAMS", keys.commands(MINE), "0")
        await call("XRANGE", keys.journal(MINE), "-", "+", "COUNT", "10")
        await call("XADD", keys.journal(MINE), "MAXLEN", "~", "10", "*", "a", "b")
        await call("HMGET", keys.state(MINE), "a", "b")
        await call("XTRIM", keys.events(MINE), "MAXLEN", "1")
        await call("DEL", keys.lease(MINE))
        await call("GET", keys.spec(MINE))
    await runner.aclose()


@pytest.mark.parametrize(
    "command",
    [
        ("GET", keys.spec(OTHER)),
        ("HGETALL", keys.state(OTHER)),
        ("SET", keys.lease(OTHER), "1"),
        ("XADD", keys.events(OTHER), "*", "a", "b"),
        ("GET", "strategy:*"),
        ("HGETALL", keys.account_state("brk_x")),
        ("PUBLISH", keys.notify(OTHER), "spec"),
        ("EVAL", "return redis.call('GET', KEYS[1])", "1", keys.spec(OTHER)),
        ("EVAL", "return redis.call('GET', ARGV[1])", "0", keys.spec(OTHER)),
        ("SCAN", "0"),
        ("KEYS", "*"),
        ("RANDOMKEY",),
        ("DBSIZE",),
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("CLIENT", "LIST"),
        ("INFO",),
        ("MONITOR",),
        ("DEBUG", "SLEEP", "0"),
        ("PUBSUB", "CHANNELS"),
        ("FUNCTION", "LIST"),
        ("COPY", keys.spec(MINE), keys.spec(OTHER)),
        ("RENAME", keys.spec(MINE), keys.spec(OTHER)),
    ],
)
async def test_a_runner_can_touch_nothing_else(
    redis_server: RedisServer, redis: "Redis", command: tuple[str, ...]
) -> None:
    await redis.set(keys.spec(OTHER), "theirs")
    runner = await session(redis_server, redis)
    call: Any = runner.execute_command
    with pytest.raises(Exception, match=r"(?i)no permission|not allowed|can't access|ACL"):
        await call(*command)
    assert await redis.get(keys.spec(OTHER)) == b"theirs"
    await runner.aclose()


async def test_a_runner_cannot_listen_to_others(redis_server: RedisServer, redis: "Redis") -> None:
    runner = await session(redis_server, redis)
    for command in (("SUBSCRIBE", keys.notify(OTHER)), ("PSUBSCRIBE", "strategy:*")):
        with pytest.raises(NoPermissionError):
            await runner.execute_command(*command)  # type: ignore[no-untyped-call]
    await runner.aclose()


async def test_an_unchanged_user_is_not_written_again(redis: "Redis") -> None:
    runtime = create_runtime(redis, manage_users=True)
    assert await runtime.ensure_user(runner_user(MINE, "one"))
    assert not await runtime.ensure_user(runner_user(MINE, "one"))
    assert await runtime.ensure_user(runner_user(MINE, "two"))
    assert await runtime.ensure_user(gateway_user("brk_x", "src_y", "one"))
    assert not await runtime.ensure_user(gateway_user("brk_x", "src_y", "one"))


async def test_users_survive_a_restart_of_the_server(redis_server: RedisServer, redis: "Redis") -> None:
    runtime = create_runtime(redis, manage_users=True)
    await runtime.ensure_user(runner_user(MINE, "one"))
    redis_server.stop()
    redis_server.start()
    assert not await runtime.ensure_user(runner_user(MINE, "one"))
    text = (redis_server.folder / "users.acl").read_text()
    assert f"run-{MINE}" in text
    assert "one" not in text.split()


async def test_a_gateway_writes_its_state_and_its_ticks_only(redis_server: RedisServer, redis: "Redis") -> None:
    user = gateway_user("brk_a", "src_a", "pw")
    await create_runtime(redis, manage_users=True).ensure_user(user)
    gateway = Redis.from_url(redis_server.url, username=user.name, password=user.password)
    call: Any = gateway.execute_command
    await call("HSET", keys.account_state("brk_a"), "feed", "connected")
    await call("XADD", keys.account_events("brk_a"), "*", "a", "b")
    await call("HSET", keys.last_prices("src_a"), "NSE:TCS", "1")
    await call("SET", keys.clock("src_a"), "1")
    await call("PUBLISH", keys.tick("src_a", "NSE", "TCS"), "x")
    await call("PUBLISH", keys.account_notify("brk_a"), "x")
    await call("PUBLISH", keys.ticks("src_a"), "x")
    write = "redis.call('HSET', KEYS[1], 'NSE:TCS', '2') return redis.call('PUBLISH', ARGV[1], 'x')"
    await call("EVAL", write, 1, keys.last_prices("src_a"), keys.tick("src_a", "NSE", "TCS"))
    for command in (("HSET", keys.account_state("brk_b"), "a", "b"), ("GET", keys.spec(MINE))):
        with pytest.raises(NoPermissionError):
            await call(*command)
    await gateway.aclose()


async def test_passwords_do_not_show(redis: "Redis") -> None:
    assert "secret-of-the-pod" not in repr(runner_user(MINE, "secret-of-the-pod"))
