"""The write-ahead log in Redis: an entry's intent is on disk before its order leaves.

Redis runs with `appendfsync always`, so that a reply means that the entry is on disk. Entries that need not wait
(stops, exits, notes) go through the spool: an exit never waits for Redis.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
from algo_crds.contracts import keys

from algo_runner.engine.actions import JournalEntry
from algo_runner.fence import Command, Fence, FencedError
from algo_runner.redis_link import RedisAwayError, RedisRefusedError
from algo_runner.spool import Spool

MAXLEN: Final = 5_000
FIELD: Final = b"entry"
WRITE_TIMEOUT_S: Final = 1.0
_encode: Final = msgspec.json.Encoder().encode
_decoder: Final[msgspec.json.Decoder[JournalEntry]] = msgspec.json.Decoder(JournalEntry)
decode_entry: Final = _decoder.decode


class WriteNow(Protocol):
    """Whether the entry is on disk; False for any doubt (then nothing may be sent on its strength)."""

    async def __call__(self, entry: JournalEntry) -> bool: ...


class WriteLater(Protocol):
    """Write the entry when possible."""

    def __call__(self, entry: JournalEntry) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The two ways to journal."""

    now: WriteNow
    later: WriteLater


def create_journal(fence: Fence, spool: Spool, *, strategy_id: str) -> Journal:
    """The journal of one strategy under one epoch."""
    key = keys.journal(strategy_id)

    def command(entry: JournalEntry) -> Command:
        return ("XADD", key, "MAXLEN", "~", MAXLEN, "*", FIELD, _encode(entry))

    async def now(entry: JournalEntry) -> bool:
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await fence.write([command(entry)])
        except (FencedError, RedisAwayError, RedisRefusedError, TimeoutError):
            return False
        return True

    def later(entry: JournalEntry) -> None:
        spool.add(command(entry), keep=True)

    return Journal(now=now, later=later)
