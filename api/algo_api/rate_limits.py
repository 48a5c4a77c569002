"""Limits on attempts, counted in Redis so that all replicas share them (fixed windows)."""

import hashlib
import time
from dataclasses import dataclass
from typing import Final, Protocol

from algo_crds.contracts import keys
from redis.asyncio import Redis
from redis.exceptions import RedisError

from algo_api.errors import RateLimitedError, UnavailableError

_COUNT: Final = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many in so many seconds."""

    name: str
    count: int
    seconds: int


class CountAttempt(Protocol):
    """Counts one attempt.

    Raises:
        RateLimitedError: one too many.
        UnavailableError: Redis is away; attempts that cannot be counted are not allowed.
    """

    async def __call__(self, limit: Limit, subject: str) -> None: ...


def create_attempt_counter(redis: Redis) -> CountAttempt:
    """A counter over Redis. Subjects (addresses of people and machines) are stored as hashes."""

    async def count_attempt(limit: Limit, subject: str) -> None:
        window = int(time.time()) // limit.seconds
        digest = hashlib.sha256(f"{subject}|{window}".encode()).hexdigest()[:32]
        try:
            answer = await redis.eval(_COUNT, 1, keys.rate_limit(limit.name, digest), str(limit.seconds * 1000))
        except (RedisError, OSError) as error:
            raise UnavailableError("the rate limit cannot be checked now", retry_after=2) from error
        count, left_ms = int(answer[0]), int(answer[1])
        if count > limit.count:
            wait = max(1, -(-left_ms // 1000))
            raise RateLimitedError(f"too many attempts; try again in {wait} s", retry_after=wait)

    return count_attempt
