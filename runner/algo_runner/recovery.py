"""What a starting runner remembers: the snapshot and the journal in Redis. The broker's book has the last word.

Memory only spares reads and names attempts that must not be used again; with all of Redis lost the book rebuilds
everything that trades.
"""

import logging
from dataclasses import dataclass
from typing import Final

import msgspec
from algo_crds.contracts import keys
from algo_crds.contracts.runtime import RuntimeSpec

from algo_runner.engine.actions import JournalEntry
from algo_runner.engine.state import State, initial, replay, restore
from algo_runner.fence import Call
from algo_runner.journal import FIELD, decode_entry
from algo_runner.order_times import OrderTimes
from algo_runner.unprotected import UnprotectedTime

log: Final = logging.getLogger("algo_runner.recovery")
PAGE: Final = 500
_FIELDS: Final = ("engine", "unprotected_total", "unprotected_since", "commands_id", "order_times")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What was found."""

    state: State
    unprotected: UnprotectedTime
    order_times: OrderTimes
    commands_id: str


async def remember(call: Call, spec: RuntimeSpec) -> Memory:
    """The state from before the restart, brought up to the journal's end.

    Raises:
        RedisAwayError, RedisRefusedError: Redis could not be read.
    """
    fields = await call("HMGET", keys.state(spec.strategy_id), *_FIELDS)
    data, total, since, commands_id, order_times = fields
    state = restore(data) if data else None
    if state is None:
        if data:
            log.warning("the snapshot is of another format or damaged; the broker's book rebuilds the state")
        state = initial(spec)
    elif state.spec.strategy_id != spec.strategy_id:
        state = initial(spec)
    for entry in await _journal(call, keys.journal(spec.strategy_id)):
        replay(state, entry)
    return Memory(
        state=state,
        unprotected=UnprotectedTime(total=int(total or 0), since=int(since or 0)),
        order_times=OrderTimes(order_times, state.orders),
        commands_id=commands_id.decode() if commands_id else "0-0",
    )


async def _journal(call: Call, key: str) -> list[JournalEntry]:
    """The newest day's entries in the engine's order (one that waited for nobody may stand behind a later one)."""
    entries: list[JournalEntry] = []
    end = "+"
    while True:
        page = await call("XREVRANGE", key, end, "-", "COUNT", PAGE)
        read = [entry for _, flat in page if (entry := _decode(flat)) is not None]
        entries.extend(read)
        newest = entries[0].day if entries else ""
        if len(page) < PAGE or any(entry.day < newest for entry in read):
            return sorted((entry for entry in entries if entry.day == newest), key=lambda entry: entry.seq)
        end = f"({page[-1][0].decode()}"


def _decode(flat: list[bytes]) -> JournalEntry | None:
    fields = dict(zip(flat[::2], flat[1::2], strict=False))
    try:
        return decode_entry(fields[FIELD])
    except (KeyError, msgspec.DecodeError) as error:
        log.error("an entry of the journal cannot be read: %s", error)
        return None
