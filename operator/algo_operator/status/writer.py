"""The only writer of `.status`.

Phase and conditions go out at once; figures that only move (price, profit) at most once a minute; nothing when equal.
Every write is a server-side apply of the whole status under one field manager and holds only for the version of the
object it was made from, so that a late write can never take back an epoch.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from algo_crds.contracts.tokens import next_epoch

from algo_operator.metrics import STATUS_SKIPPED, STATUS_WRITES
from algo_operator.ports import Cluster
from algo_operator.vocabulary import Key, Manifest, kind_of

MOVING: Final = frozenset({"lastPrice", "pnl", "position", "orders", "lastAction", "errors", "ticks", "stopPrice"})
"""Fields of a status that may wait."""
_NUMBERS_SECONDS: Final = 60.0
_JITTER: Final = 0.2


class WriteStatus(Protocol):
    """Writes a status if it differs from the object's. Returns the object as it is afterwards."""

    async def __call__(self, resource: Manifest, status: Manifest) -> Manifest: ...


class MintEpoch(Protocol):
    """Stores and returns the next epoch of a strategy.

    Raises:
        ConflictError: the strategy has changed since it was read; nothing was minted.
    """

    async def __call__(self, strategy: Manifest, *, known: int) -> tuple[Manifest, int]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWriter:
    """Status and epochs."""

    write: WriteStatus
    mint: MintEpoch


@dataclass(slots=True)
class _Pace:
    """When the figures of a resource may go out again; the one thing that is remembered."""

    next_at: dict[Key, float] = field(default_factory=dict)


def create_status_writer(
    cluster: Cluster,
    *,
    later: Callable[[Key, float], None],
    monotonic: Callable[[], float] = time.monotonic,
    unix: Callable[[], float] = time.time,
    jitter: Callable[[], float] = random.random,
) -> StatusWriter:
    """The writer.

    Args:
        cluster: where to write.
        later: asks for another look at a resource after some seconds (figures that had to wait).
        monotonic: seconds for the pace of figures.
        unix: Unix seconds for epochs.
        jitter: 0 to 1.
    """
    pace = _Pace()

    async def write(resource: Manifest, status: Manifest) -> Manifest:
        current = resource.get("status", {})
        if current == status:
            return resource
        key, now = key_of(resource), monotonic()
        due = pace.next_at.get(key, 0.0)
        if only_figures_differ(current, status) and now < due:
            STATUS_SKIPPED.inc()
            later(key, due - now)
            return resource
        written = await _apply(cluster, resource, status)
        STATUS_WRITES.labels(kind=resource["kind"]).inc()
        pace.next_at[key] = now + _NUMBERS_SECONDS * (1 - _JITTER + 2 * _JITTER * jitter())
        return written

    async def mint(strategy: Manifest, *, known: int) -> tuple[Manifest, int]:
        current = strategy.get("status", {})
        last = max(int(current.get("runner", {}).get("epoch", 0)), known)
        epoch = next_epoch(last, int(unix()))
        status = {**current, "runner": {**current.get("runner", {}), "epoch": epoch}}
        return await _apply(cluster, strategy, status), epoch

    return StatusWriter(write=write, mint=mint)


def only_figures_differ(current: Manifest, wanted: Manifest) -> bool:
    """Whether two statuses tell the same but for figures."""
    names = current.keys() | wanted.keys()
    return all(name in MOVING or current.get(name) == wanted.get(name) for name in names)


def key_of(resource: Manifest) -> Key:
    """The key of a resource."""
    metadata = resource["metadata"]
    return Key(kind_of(resource), metadata.get("namespace", ""), metadata["name"])


async def _apply(cluster: Cluster, resource: Manifest, status: Manifest) -> Manifest:
    metadata = resource["metadata"]
    names = {"name": metadata["name"], "resourceVersion": metadata["resourceVersion"]}
    if "namespace" in metadata:
        names["namespace"] = metadata["namespace"]
    return await cluster.apply_status(
        {"apiVersion": resource["apiVersion"], "kind": resource["kind"], "metadata": names, "status": status}
    )
