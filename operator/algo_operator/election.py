"""One acting operator, by a Lease. kopf's peering is no lock, so it is not used.

A holder that could not renew within the renew deadline, by its own monotonic clock, stops before another may take over.
Correctness does not hang on it (every write of ours is idempotent or conditional on a version); it keeps two operators
from taking turns.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from algo_operator.metrics import LEADER
from algo_operator.ports import Cluster, ConflictError
from algo_operator.vocabulary import LEASE, Manifest

logger = logging.getLogger(__name__)

NAME = "algo-operator"
_TRIES = 5
"""One renewal can be under way; more conflicts than that are somebody else's."""


class LeadershipLostError(RuntimeError):
    """The lease could not be renewed in time; the process must end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Lease seconds: another takes over after `lease`, the holder gives up after `deadline`."""

    lease: float = 15.0
    deadline: float = 10.0
    retry: float = 2.0


@dataclass(slots=True)
class _Seen:
    """When a foreign lease last changed, by our own clock: no trust in another machine's."""

    version: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Election:
    """Acquire, then hold."""

    cluster: Cluster
    namespace: str
    identity: str
    timing: Timing = Timing()
    monotonic: Callable[[], float] = time.monotonic

    async def acquire(self) -> None:
        """Waits until this process holds the lease."""
        seen = _Seen()
        while not await self._try(seen):  # noqa: ASYNC110 (the lease lives in the cluster, not in this process)
            await asyncio.sleep(self.timing.retry)
        LEADER.set(1)
        logger.info("%s leads", self.identity)

    async def hold(self) -> None:
        """Renews until cancelled.

        Raises:
            LeadershipLostError: not renewed within the deadline, or taken by another.
        """
        renewed = self.monotonic()
        while True:
            await asyncio.sleep(self.timing.retry)
            try:
                async with asyncio.timeout(self.timing.deadline):
                    if not await self._try(_Seen(at=self.monotonic())):
                        LEADER.set(0)
                        raise LeadershipLostError("another operator holds the lease")
                renewed = self.monotonic()
            except LeadershipLostError:
                raise
            except Exception as error:
                logger.warning("the lease was not renewed: %s", error)
            if self.monotonic() - renewed > self.timing.deadline:
                LEADER.set(0)
                raise LeadershipLostError("the lease could not be renewed in time")

    async def give_up(self) -> None:
        """Lets the next one in at once, on a clean stop.

        A renewal that the stop cut off may still arrive between our read and our write: then both are done again.
        """
        for _ in range(_TRIES):
            lease = await self.cluster.get(LEASE, self.namespace, NAME)
            if lease is None or lease["spec"].get("holderIdentity") != self.identity:
                return
            try:
                await self._write(lease, {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1})
            except ConflictError:
                continue
            return
        logger.warning("the lease was not given up, it runs out by itself")

    async def _try(self, seen: _Seen) -> bool:
        lease = await self.cluster.get(LEASE, self.namespace, NAME)
        try:
            if lease is None:
                await self.cluster.create(self._manifest(self._spec(transitions=0)))
                return True
            spec = lease.get("spec", {})
            holder = spec.get("holderIdentity") or ""
            if holder == self.identity or not holder or self._expired(lease, seen):
                turn = int(spec.get("leaseTransitions", 0)) + (holder != self.identity)
                await self._write(lease, self._spec(transitions=turn))
                return True
        except ConflictError:
            return False
        return False

    def _expired(self, lease: Manifest, seen: _Seen) -> bool:
        version, now = lease["metadata"]["resourceVersion"], self.monotonic()
        if version != seen.version:
            seen.version, seen.at = version, now
        duration = float(lease["spec"].get("leaseDurationSeconds") or self.timing.lease)
        return now - seen.at > duration

    def _spec(self, *, transitions: int) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": max(1, int(self.timing.lease)),
            "renewTime": now,
            "acquireTime": now,
            "leaseTransitions": transitions,
        }

    def _manifest(self, spec: dict[str, Any]) -> Manifest:
        metadata = {"name": NAME, "namespace": self.namespace}
        return {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata, "spec": spec}

    async def _write(self, lease: Manifest, spec: dict[str, Any]) -> None:
        patch = {"metadata": {"resourceVersion": lease["metadata"]["resourceVersion"]}, "spec": spec}
        await self.cluster.patch(LEASE, self.namespace, NAME, patch)
