"""What every reconcile works with: the ports, the settings, and the few things that are remembered between passes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from algo_operator.difference import is_held
from algo_operator.events import Tell
from algo_operator.metrics import WRITES
from algo_operator.ports import Cluster, ConflictError, PushHalts, Runtime
from algo_operator.render.metadata import sealed
from algo_operator.settings import Settings
from algo_operator.status.writer import StatusWriter
from algo_operator.tokens import Tokens
from algo_operator.vocabulary import FINALIZER, FOREGROUND_FINALIZER, STRATEGY, Key, Manifest, kind_of
from algo_operator.workqueue import Priority, WorkQueue


@dataclass(slots=True)
class Memory:
    """What may be lost at any time: it only spares work, or tells a deleted object's id."""

    ids: dict[Key, str] = field(default_factory=dict)
    """Strategy and account ids by key: a deleted object no longer tells its uid."""
    halts_told: dict[Key, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """Per account: the gateway process and the halts it was last told."""
    alerts_told: dict[Key, str] = field(default_factory=dict)
    """Per account: the gateway's newest error that was made an event."""
    fingerprints: dict[Key, str] = field(default_factory=dict)
    """What others depend on; a change wakes them."""
    stuck: set[Key] = field(default_factory=set)
    strategies: dict[Key, str] = field(default_factory=dict)
    """Strategy ids of live resources, for the sweep."""
    accounts: dict[Key, str] = field(default_factory=dict)
    exposed: set[str] = field(default_factory=set)
    """Ids of strategies that may hold a position: their runners' leases are watched."""
    awaiting_login: dict[Key, tuple[str, str]] = field(default_factory=dict)
    """Accounts without a session: name and version of the Secret that a login changes."""
    epochs: dict[str, int] = field(default_factory=dict)
    """The last epoch given to a strategy's id; outlives the resource, which may be made again within a second."""
    loss_limits: set[str] = field(default_factory=set)
    """Namespaces of tenants with a limit of the day's loss: their figures are looked at in every sweep."""
    losses: dict[tuple[str, bool, str], tuple[int, str]] = field(default_factory=dict)
    """Losses that have reached the limit, by namespace, whether live, and day: the limit and the halt's reason. Without
    it the sum is compared again."""
    days: dict[tuple[str, bool], str] = field(default_factory=dict)
    """The newest trading day seen, by namespace and whether live; only of tenants with a limit."""
    keys: dict[str, Key] = field(default_factory=dict)
    """The resource of an id."""

    def remember(self, key: Key, identifier: str) -> None:
        """Notes the id of a live Strategy or BrokerAccount."""
        self.ids[key] = identifier
        self.keys[identifier] = key
        (self.strategies if key.kind is STRATEGY else self.accounts)[key] = identifier

    def forget(self, key: Key) -> None:
        """Drops everything about a resource that is gone."""
        identifier = self.ids.pop(key, "")
        self.keys.pop(identifier, None)
        self.exposed.discard(identifier)
        self.stuck.discard(key)
        for table in (self.strategies, self.accounts, self.halts_told, self.alerts_told, self.fingerprints):
            table.pop(key, None)
        self.awaiting_login.pop(key, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The dependencies of a reconcile."""

    cluster: Cluster
    runtime: Runtime
    tokens: Tokens = field(repr=False)
    settings: Settings
    status: StatusWriter
    tell: Tell
    queue: WorkQueue
    push_halts: PushHalts
    world_token: str = field(default="", repr=False)
    """The simulator's token, copied to gateways of simulated accounts."""
    shared_password: str = field(default="", repr=False)
    """Password of the one runtime user where users cannot be made."""
    memory: Memory = field(default_factory=Memory)
    clock: Callable[[], float] = time.time

    def now_text(self) -> str:
        """Now, as Kubernetes writes times."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def changed(self, key: Key, fingerprint: str) -> bool:
        """Whether what others depend on has changed since the last pass."""
        before = self.memory.fingerprints.get(key)
        self.memory.fingerprints[key] = fingerprint
        return before != fingerprint

    def wake(self, key: Key) -> None:
        """Asks for a reconcile of another object that depends on this one."""
        self.queue.add(key, Priority.CHANGED)


async def ensure(context: Context, desired: Manifest) -> bool:
    """Applies a manifest unless the cluster already holds it. True if it was written."""
    kind, metadata = kind_of(desired), desired["metadata"]
    observed = await context.cluster.get(kind, metadata.get("namespace", ""), metadata["name"])
    return await ensure_from(context, desired, observed)


async def ensure_from(context: Context, desired: Manifest, observed: Manifest | None) -> bool:
    """The same, of an object that was read already."""
    if is_held(desired, observed):
        return False
    await context.cluster.apply(sealed(desired))
    WRITES.labels(kind=desired["kind"], verb="apply").inc()
    return True


async def create_once(context: Context, desired: Manifest) -> bool:
    """Creates an object that others may then change; leaves an existing one alone. True if it was made."""
    kind, metadata = kind_of(desired), desired["metadata"]
    if await context.cluster.get(kind, metadata.get("namespace", ""), metadata["name"]) is not None:
        return False
    try:
        await context.cluster.create(desired)
    except ConflictError:
        return False
    WRITES.labels(kind=desired["kind"], verb="create").inc()
    return True


async def hold(context: Context, resource: Manifest) -> Manifest:
    """Puts the finalizer on a resource. Returns it as it is afterwards."""
    finalizers = resource["metadata"].get("finalizers", [])
    if FINALIZER in finalizers:
        return resource
    return await _set_finalizers(context, resource, [*finalizers, FINALIZER])


async def release(context: Context, resource: Manifest) -> None:
    """Takes the finalizer off."""
    finalizers = resource["metadata"].get("finalizers", [])
    if FINALIZER in finalizers:
        await _set_finalizers(context, resource, [one for one in finalizers if one != FINALIZER])


async def in_background(context: Context, resource: Manifest) -> Manifest:
    """Turns a foreground deletion into a background one.

    In the foreground the garbage collector deletes dependents first: it would kill the runner of an open position again
    and again while the finalizer waits for that runner's exit.
    """
    finalizers = resource["metadata"].get("finalizers", [])
    if FOREGROUND_FINALIZER not in finalizers:
        return resource
    return await _set_finalizers(context, resource, [one for one in finalizers if one != FOREGROUND_FINALIZER])


async def _set_finalizers(context: Context, resource: Manifest, finalizers: list[str]) -> Manifest:
    metadata = resource["metadata"]
    patch = {"metadata": {"finalizers": finalizers, "resourceVersion": metadata["resourceVersion"]}}
    WRITES.labels(kind=resource["kind"], verb="patch").inc()
    return await context.cluster.patch(kind_of(resource), metadata.get("namespace", ""), metadata["name"], patch)
