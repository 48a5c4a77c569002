"""Kubernetes events that a person reads with `kubectl describe`: transitions only, one object for repeats.

The same text about the same object raises a count instead of making another object; a token bucket per object keeps a
flapping one from flooding the cluster. Events are news, not the record: losing one harms nothing.
"""

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from algo_operator.metrics import EVENTS_DROPPED, EVENTS_POSTED
from algo_operator.ports import Cluster
from algo_operator.vocabulary import EVENT, MANAGER, Manifest

logger = logging.getLogger(__name__)

BURST: Final = 20.0
REFILL_PER_SECOND: Final = 1 / 15
_REMEMBERED: Final = 4096


class Tell(Protocol):
    """Records something about an object. Never raises."""

    async def __call__(self, about: Manifest, *, reason: str, message: str, warning: bool = False) -> None: ...


@dataclass(slots=True)
class _Bucket:
    tokens: float = BURST
    at: float = 0.0

    def take(self, now: float) -> bool:
        self.tokens = min(BURST, self.tokens + (now - self.at) * REFILL_PER_SECOND)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class _Memory:
    buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)
    counts: OrderedDict[str, tuple[int, str]] = field(default_factory=OrderedDict)

    def bucket(self, uid: str, now: float) -> _Bucket:
        bucket = self.buckets.setdefault(uid, _Bucket(at=now))
        self.buckets.move_to_end(uid)
        while len(self.buckets) > _REMEMBERED:
            self.buckets.popitem(last=False)
        return bucket

    def count(self, name: str, now: str) -> tuple[int, str]:
        count, first = self.counts.get(name, (0, now))
        self.counts[name] = (count + 1, first)
        self.counts.move_to_end(name)
        while len(self.counts) > _REMEMBERED:
            self.counts.popitem(last=False)
        return count + 1, first


def create_recorder(cluster: Cluster, *, identity: str, clock: Callable[[], float] = time.time) -> Tell:
    """The recorder of this process."""
    memory = _Memory()

    async def tell(about: Manifest, *, reason: str, message: str, warning: bool = False) -> None:
        uid = about["metadata"].get("uid", "")
        now = clock()
        if not memory.bucket(uid, now).take(now):
            EVENTS_DROPPED.inc()
            return
        kind = "Warning" if warning else "Normal"
        event = render_event(about, reason=reason, message=message, kind=kind, identity=identity)
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        count, first = memory.count(f"{event['metadata']['namespace']}/{event['metadata']['name']}", stamp)
        try:
            await cluster.apply({**event, "count": count, "firstTimestamp": first, "lastTimestamp": stamp})
            EVENTS_POSTED.labels(type=kind).inc()
        except Exception as error:  # news must never break a reconcile
            logger.warning("event %s about %s was not written: %s", reason, about["metadata"]["name"], error)

    return tell


def render_event(about: Manifest, *, reason: str, message: str, kind: str, identity: str) -> Manifest:
    """The event without its times. Its name is made from what it says, so that a repeat is the same object."""
    metadata = about["metadata"]
    namespace = metadata.get("namespace") or "default"
    text = f"{metadata.get('uid')}|{reason}|{message}"
    suffix = hashlib.sha256(text.encode()).hexdigest()[:16]
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"name": f"{metadata['name'][:230]}.{suffix}", "namespace": namespace},
        "involvedObject": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "name": metadata["name"],
            "namespace": metadata.get("namespace", ""),
            "uid": metadata.get("uid", ""),
        },
        "type": kind,
        "reason": reason,
        "message": message[:1000],
        "source": {"component": MANAGER, "host": identity[:63]},
    }
