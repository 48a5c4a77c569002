"""The safety net under the watches: list everything now and then, compare, wake what may have been missed.

Deletion events are lost in every gap of a watch; here they are found as the difference of two lists. And a change that
the list shows and the watch has not told, three times in a row, is a dead watch: liveness fails.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from algo_operator.context import Context
from algo_operator.health import Health
from algo_operator.specs import account_spec, strategy_head
from algo_operator.vocabulary import BROKER_ACCOUNT, OWN_KINDS, STRATEGY, Key, Kind, Manifest
from algo_operator.workqueue import Priority

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Told:
    """The newest version of each object that the watches have told."""

    versions: dict[Key, int] = field(default_factory=dict)

    def event(self, key: Key, resource: Manifest, *, deleted: bool) -> None:
        """Notes an event."""
        if deleted:
            self.versions.pop(key, None)
        else:
            self.versions[key] = version_of(resource)


@dataclass(slots=True)
class Behind:
    """Versions that a list showed before the watch did, from the pass before."""

    versions: dict[Key, int] = field(default_factory=dict)


def version_of(resource: Manifest) -> int:
    """The resourceVersion as a number; 0 where it is none (it is a number since Kubernetes 1.35)."""
    text = resource["metadata"].get("resourceVersion", "")
    return int(text) if text.isdigit() else 0


async def resync_loop(context: Context, told: Told, health: Health) -> None:
    """Resyncs until cancelled."""
    behind = Behind()
    while True:
        await asyncio.sleep(context.settings.resync_seconds)
        try:
            await resync(context, told, health, behind)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            logger.warning("the resync failed and is tried again: %s", error)


async def resync(context: Context, told: Told, health: Health, behind: "Behind | None" = None) -> None:
    """One pass: every object is queued behind what is new, and so is every one that is gone."""
    behind = behind or Behind()
    for kind in OWN_KINDS:
        found = {_key(kind, one): one for one in await context.cluster.list(kind)}
        known = {key for key in told.versions if key.kind is kind} | _remembered(context, kind)
        for key in (*found, *(known - found.keys())):
            context.queue.add(key, Priority.RESYNC)
        for key in known - found.keys():
            told.versions.pop(key, None)
        _remember_ids(context, kind, found)
        _compare(kind, found, told, health, behind)


def _key(kind: Kind, resource: Manifest) -> Key:
    return Key(kind, resource["metadata"].get("namespace", ""), resource["metadata"]["name"])


def _remembered(context: Context, kind: Kind) -> set[Key]:
    return {key for key in context.memory.ids if key.kind is kind}


def _remember_ids(context: Context, kind: Kind, found: Mapping[Key, Manifest]) -> None:
    for key, resource in found.items():
        if kind is STRATEGY:
            context.memory.remember(key, strategy_head(resource).strategy_id)
        elif kind is BROKER_ACCOUNT:
            context.memory.remember(key, account_spec(resource).account_id)


def _compare(kind: Kind, found: Mapping[Key, Manifest], told: Told, health: Health, behind: "Behind") -> None:
    """Counts passes in a row in which the watch still had not told what the pass before had listed."""
    missed = any(
        told.versions.get(key, 0) < version
        for key, version in behind.versions.items()
        if key.kind is kind and key in found
    )
    health.missed[kind.plural] = health.missed.get(kind.plural, 0) + 1 if missed else 0
    for key, resource in found.items():
        behind.versions[key] = version_of(resource)
    for key in [key for key in behind.versions if key.kind is kind and key not in found]:
        del behind.versions[key]
