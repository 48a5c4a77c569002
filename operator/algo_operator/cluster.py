"""The cluster port on the platform's Kubernetes client.

Reads that find nothing give None, deletions of nothing succeed, and numbers come as JSON has them, so that what is
rendered can be compared with what is stored. A watch lists first and goes on after every gap by itself.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from algo_kube import errors
from algo_kube.client import create_kube_client
from algo_kube.contract import KubeClient
from algo_kube.resources import ALL, Resource

from algo_operator.ports import Cluster, ConflictError, DeleteObject, OperatorError, WatchObjects
from algo_operator.status.translation import plain
from algo_operator.vocabulary import MANAGER, STATUS_MANAGER, Kind, Manifest, kind_of

_WATCH_SECONDS: Final = 120
_IDLE_SECONDS: Final = 75.0
"""The API server sends a bookmark each minute; longer silence is a dead connection."""
_PAGE: Final = 500


class ClusterError(OperatorError):
    """The API server refused or did not answer; the message is its own."""


@asynccontextmanager
async def open_cluster(kubeconfig: Path | None = None) -> AsyncIterator[Cluster]:
    """The cluster that this process runs in, or that KUBECONFIG names; closed at the end."""
    client = await create_kube_client(kubeconfig, user_agent=MANAGER)
    try:
        yield create_cluster(client)
    finally:
        await client.close()


@asynccontextmanager
async def _typed() -> AsyncIterator[None]:
    try:
        yield
    except errors.ConflictError as error:
        raise ConflictError(str(error)) from error
    except errors.KubeError as error:
        raise ClusterError(str(error)) from error


def create_cluster(client: KubeClient) -> Cluster:
    """The port on a client."""

    async def get(kind: Kind, namespace: str, name: str) -> Manifest | None:
        async with _typed():
            try:
                return _read(await client.get(resource_of(kind), name, namespace=namespace or None))
            except errors.NotFoundError:
                return None

    async def list_(kind: Kind, namespace: str = "", selector: str = "") -> list[Manifest]:
        async with _typed():
            page = await client.list_all(
                resource_of(kind), namespace=namespace or None, labels=selector or None, page_size=_PAGE
            )
            return [_read(one) for one in page.items]

    async def create(manifest: Manifest) -> Manifest:
        async with _typed():
            return _read(await client.create(_resource(manifest), manifest, field_manager=MANAGER))

    async def apply(manifest: Manifest) -> Manifest:
        async with _typed():
            return _read(await client.apply(_resource(manifest), manifest, field_manager=MANAGER))

    async def apply_status(manifest: Manifest) -> Manifest:
        async with _typed():
            resource = _resource(manifest)
            return _read(await client.apply(resource, manifest, field_manager=STATUS_MANAGER, subresource="status"))

    async def patch(kind: Kind, namespace: str, name: str, patch: Manifest) -> Manifest:
        async with _typed():
            resource = resource_of(kind)
            return _read(await client.patch(resource, name, patch, namespace=namespace or None, field_manager=MANAGER))

    return Cluster(
        get=get,
        list=list_,
        create=create,
        apply=apply,
        apply_status=apply_status,
        patch=patch,
        delete=_create_delete(client),
        watch=_create_watch(client),
    )


def _create_delete(client: KubeClient) -> DeleteObject:
    async def delete(
        kind: Kind, namespace: str, name: str, *, uid: str | None = None, grace: int | None = None
    ) -> None:
        async with _typed():
            try:
                await client.delete(
                    resource_of(kind),
                    name,
                    namespace=namespace or None,
                    uid=uid,
                    grace_seconds=grace,
                    propagation="Background",
                )
            except errors.NotFoundError:
                return

    return delete


def _create_watch(client: KubeClient) -> WatchObjects:
    async def watch(kind: Kind, selector: str) -> AsyncIterator[tuple[str, Manifest]]:
        """Lists, then follows; a version that is too old begins again with a list."""
        resource = resource_of(kind)
        while True:
            page = await client.list_all(resource, labels=selector, page_size=_PAGE)
            yield "BOOKMARK", {"metadata": {}}
            for one in page.items:
                yield "ADDED", _read(one)
            version = page.resource_version
            try:
                while True:
                    stream = client.watch(
                        resource,
                        labels=selector,
                        resource_version=version,
                        timeout_seconds=_WATCH_SECONDS,
                        idle_seconds=_IDLE_SECONDS,
                    )
                    async for event in stream:
                        version = event.resource_version
                        yield event.type, _read(event.object)
                    yield "BOOKMARK", {"metadata": {}}
            except errors.GoneError:
                continue

    return watch


_RESOURCES: Final = {(one.api_version, one.plural): one for one in ALL}


def resource_of(kind: Kind) -> Resource:
    """The client's name of a kind."""
    return _RESOURCES[kind.api_version, kind.plural]


def _resource(manifest: Manifest) -> Resource:
    return resource_of(kind_of(manifest))


def _read(found: Manifest) -> Manifest:
    read: Manifest = plain(found)
    return read
