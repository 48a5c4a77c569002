"""What the client can do: Protocols and the record that holds them.

Objects are plain dictionaries in the form of the API. Numbers with a fraction arrive as `Decimal` and may be sent as
`Decimal`: money never passes through a float's arithmetic.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from algo_kube.resources import Resource

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Objects of one list answer."""

    items: list[Object]
    resource_version: str
    """Where a watch may go on from."""
    continue_token: str = ""
    """Not empty: there is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEvent:
    """`ADDED`, `MODIFIED`, `DELETED` or `BOOKMARK` (carries only a resourceVersion)."""

    type: str
    object: Object

    @property
    def resource_version(self) -> str:
        """Where to go on from after this event."""
        return str(self.object["metadata"]["resourceVersion"])


class Get(Protocol):
    """Read one object.

    Raises:
        NotFoundError: there is none.
    """

    async def __call__(
        self, resource: Resource, name: str, *, namespace: str | None = None, subresource: str | None = None
    ) -> Object: ...


class List(Protocol):
    """Read a collection, one page of at most `limit`; all of the cluster without a namespace.

    Raises:
        GoneError: the continue token is too old; begin again.
    """

    async def __call__(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
        limit: int | None = None,
        continue_token: str | None = None,
    ) -> Page: ...


class ListAll(Protocol):
    """Read a collection whole, in pages; its resourceVersion is that of the first page."""

    async def __call__(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
        page_size: int = 500,
    ) -> Page: ...


class Watch(Protocol):
    """Changes of a collection from a resourceVersion on, with bookmarks. Ends when the server ends it
    (`timeout_seconds`); go on from the last event's resourceVersion.

    Raises (from the iteration):
        GoneError: the resourceVersion is too old; list again.
        UnavailableError: the connection broke, or nothing came for longer than `idle_seconds`.
    """

    def __call__(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
        resource_version: str | None = None,
        timeout_seconds: int = 300,
        idle_seconds: float | None = None,
    ) -> AsyncIterator[WatchEvent]: ...


class Apply(Protocol):
    """Server-side apply: the fields of the manifest become the field manager's, those it had before and are missing now
    go. Name and namespace are in the manifest; a resourceVersion in it makes the write conditional.

    Raises:
        ConflictError: a field belongs to another manager (without `force`), or the version is not the newest.
        InvalidError: a rule of the kind is broken.
    """

    async def __call__(
        self,
        resource: Resource,
        manifest: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = True,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Object: ...


class Patch(Protocol):
    """JSON merge patch; a `metadata.resourceVersion` in it makes it conditional."""

    async def __call__(
        self,
        resource: Resource,
        name: str,
        patch: Mapping[str, Any],
        *,
        namespace: str | None = None,
        subresource: str | None = None,
        field_manager: str | None = None,
    ) -> Object: ...


class Create(Protocol):
    """Make an object; the namespace is in the manifest.

    Raises:
        AlreadyExistsError: there is one of this name.
    """

    async def __call__(
        self, resource: Resource, manifest: Mapping[str, Any], *, field_manager: str | None = None
    ) -> Object: ...


class Replace(Protocol):
    """Write a whole object back; with its resourceVersion, compare and swap.

    Raises:
        ConflictError: it has changed since it was read.
    """

    async def __call__(
        self, resource: Resource, manifest: Mapping[str, Any], *, field_manager: str | None = None
    ) -> Object: ...


class Delete(Protocol):
    """Ask for a deletion. `uid` and `resource_version` are preconditions.

    Raises:
        NotFoundError: there is none.
        ConflictError: a precondition does not hold.
    """

    async def __call__(
        self,
        resource: Resource,
        name: str,
        *,
        namespace: str | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_seconds: int | None = None,
        propagation: str | None = None,
    ) -> None: ...


class Logs(Protocol):
    """Log text of a pod's container."""

    async def __call__(
        self,
        name: str,
        *,
        namespace: str,
        container: str | None = None,
        tail_lines: int | None = None,
        previous: bool = False,
    ) -> str: ...


class Raw(Protocol):
    """Any other call; returns the decoded JSON, or text where the answer is none."""

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Any: ...


class Close(Protocol):
    """Close all connections."""

    async def __call__(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeClient:
    """The Kubernetes client; every function raises the errors of `errors`. It never repeats a call."""

    get: Get
    list: List
    list_all: ListAll
    watch: Watch
    apply: Apply
    patch: Patch
    create: Create
    replace: Replace
    delete: Delete
    logs: Logs
    raw: Raw
    close: Close
