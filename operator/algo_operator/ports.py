"""What the operator asks of the cluster and of the runtime store: Protocols owned by their consumer.

`cluster` and `runtime` make them from the Kubernetes client and from Redis; a test may wrap one to make it fail.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from algo_crds.contracts.runtime import RuntimeSpec, StrategyView

from algo_operator.vocabulary import Kind, Manifest


class OperatorError(Exception):
    """Base of what a reconcile may raise; the queue tries again later.

    - `ConflictError`: somebody changed the object since it was read.
    - `RuntimeUnavailableError`: Redis does not answer.
    """

    expected = True


class ConflictError(OperatorError):
    """A write was refused because the object has changed or exists already; read again."""


class RuntimeUnavailableError(OperatorError):
    """The runtime store cannot be reached; what it holds is unknown, not empty."""


class GetObject(Protocol):
    """An object, None if there is none."""

    async def __call__(self, kind: Kind, namespace: str, name: str) -> Manifest | None: ...


class ListObjects(Protocol):
    """Objects of a namespace, or of all with an empty one."""

    async def __call__(self, kind: Kind, namespace: str = "", selector: str = "") -> list[Manifest]: ...


class CreateObject(Protocol):
    """A new object.

    Raises:
        ConflictError: it exists.
    """

    async def __call__(self, manifest: Manifest) -> Manifest: ...


class ApplyObject(Protocol):
    """Server-side apply under the operator's field manager, taking over fields from others."""

    async def __call__(self, manifest: Manifest) -> Manifest: ...


class ApplyStatus(Protocol):
    """Server-side apply of `.status`. With a resourceVersion in the metadata it holds only for that version.

    Raises:
        ConflictError: the object has changed since.
    """

    async def __call__(self, manifest: Manifest) -> Manifest: ...


class PatchObject(Protocol):
    """JSON merge patch; a resourceVersion in it makes it conditional.

    Raises:
        ConflictError: the object has changed since.
    """

    async def __call__(self, kind: Kind, namespace: str, name: str, patch: Manifest) -> Manifest: ...


class DeleteObject(Protocol):
    """Asks for a deletion; it is no error when the object is gone. `uid` guards against deleting its successor."""

    async def __call__(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, grace: int | None = None
    ) -> None: ...


class WatchObjects(Protocol):
    """Endless: every object of the selection as it is, then each change; relists by itself after a gap.

    Yields (type, object): `ADDED`, `MODIFIED`, `DELETED`, and `BOOKMARK` as a sign of life.
    """

    def __call__(self, kind: Kind, selector: str) -> AsyncIterator[tuple[str, Manifest]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The cluster, as far as the operator uses it."""

    get: GetObject
    list: ListObjects
    create: CreateObject
    apply: ApplyObject
    apply_status: ApplyStatus
    patch: PatchObject
    delete: DeleteObject
    watch: WatchObjects


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUser:
    """A user of the runtime store and what it may touch."""

    name: str
    password: str
    keys: tuple[str, ...]
    channels: tuple[str, ...]

    def __repr__(self) -> str:
        return f"RedisUser(name={self.name!r})"


class PutSpec(Protocol):
    """Writes a strategy's spec and tells its runner, if it differs from what is there. True if it did."""

    async def __call__(self, spec: RuntimeSpec) -> bool: ...


class ReadViews(Protocol):
    """The views of many strategies in one round trip; None where there is none (or none that can be read)."""

    async def __call__(self, strategy_ids: Sequence[str]) -> list[StrategyView | None]: ...


class ReadAccounts(Protocol):
    """The states of many accounts in one round trip; empty where there is none."""

    async def __call__(self, account_ids: Sequence[str]) -> list[Mapping[str, str]]: ...


class Missing(Protocol):
    """Which of the strategies have no spec (the store was emptied), and which have no live runner."""

    async def __call__(self, strategy_ids: Sequence[str]) -> tuple[set[str], set[str]]: ...


class EnsureUser(Protocol):
    """Makes or corrects a user. True if something had to be written."""

    async def __call__(self, user: RedisUser) -> bool: ...


class DropUser(Protocol):
    """Removes a user; it is no error when there is none."""

    async def __call__(self, name: str) -> None: ...


class Forget(Protocol):
    """Removes what only the operator wrote about a strategy."""

    async def __call__(self, strategy_id: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The runtime store. Every function raises `RuntimeUnavailableError` when it does not answer."""

    put_spec: PutSpec
    views: ReadViews
    accounts: ReadAccounts
    missing: Missing
    ensure_user: EnsureUser
    drop_user: DropUser
    forget: Forget


class PushHalts(Protocol):
    """Tells a gateway which halts are in force; False if it could not be reached."""

    async def __call__(self, *, url: str, reasons: Sequence[str]) -> bool: ...
