"""Makes the client: the functions of `contract` over one connection."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

from algo_kube.connection import Connection, load_configuration
from algo_kube.contract import KubeClient, Object, Page, WatchEvent
from algo_kube.errors import error_of
from algo_kube.resources import POD, Resource

APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"
USER_AGENT: Final = "algo-trading"
WATCH_SLACK_SECONDS: Final = 30.0
"""How much longer than the server's own time-out a silent watch may live."""


async def create_kube_client(
    kubeconfig: Path | None = None,
    *,
    context: str | None = None,
    request_seconds: float = 30.0,
    user_agent: str = USER_AGENT,
) -> KubeClient:
    """A client for the cluster of a kubeconfig file, or of the pod that this process runs in.

    Close it with `close()`.

    Raises:
        KubeError: there is no configuration.
    """
    configuration = await load_configuration(kubeconfig, context=context)
    return _client(Connection(configuration, request_seconds=request_seconds, user_agent=user_agent))


def _client(connection: Connection) -> KubeClient:
    reads = _Reads(connection)
    writes = _Writes(connection)
    return KubeClient(
        get=reads.get,
        list=reads.list_page,
        list_all=reads.list_all,
        watch=reads.watch,
        logs=reads.logs,
        apply=writes.apply,
        patch=writes.patch,
        create=writes.create,
        replace=writes.replace,
        delete=writes.delete,
        raw=connection.call,
        close=connection.close,
    )


class _Reads:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(
        self, resource: Resource, name: str, *, namespace: str | None = None, subresource: str | None = None
    ) -> Object:
        found: Object = await self._connection.call("GET", resource.path(namespace, name, subresource))
        return found

    async def list_page(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
        limit: int | None = None,
        continue_token: str | None = None,
    ) -> Page:
        query = _query(labelSelector=labels, fieldSelector=fields, limit=limit, **{"continue": continue_token})
        answer = await self._connection.call("GET", resource.path(namespace), query=query)
        metadata = answer["metadata"]
        items = answer.get("items") or []
        for item in items:  # the server leaves them out inside a list of a built-in kind
            item.setdefault("apiVersion", resource.api_version)
            item.setdefault("kind", resource.kind)
        return Page(
            items=items,
            resource_version=metadata.get("resourceVersion", ""),
            continue_token=metadata.get("continue", ""),
        )

    async def list_all(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
        page_size: int = 500,
    ) -> Page:
        items: list[Object] = []
        token, version = "", ""
        while True:
            page = await self.list_page(
                resource, namespace=namespace, labels=labels, fields=fields, limit=page_size, continue_token=token
            )
            items += page.items
            version = version or page.resource_version
            token = page.continue_token
            if not token:
                return Page(items=items, resource_version=version)

    async def watch(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
        resource_version: str | None = None,
        timeout_seconds: int = 300,
        idle_seconds: float | None = None,
    ) -> AsyncIterator[WatchEvent]:
        query = _query(
            watch="true",
            allowWatchBookmarks="true",
            labelSelector=labels,
            fieldSelector=fields,
            resourceVersion=resource_version,
            timeoutSeconds=timeout_seconds,
        )
        idle = idle_seconds or timeout_seconds + WATCH_SLACK_SECONDS
        async for line in self._connection.lines(resource.path(namespace), query=query, idle_seconds=idle):
            if line["type"] == "ERROR":
                status = line["object"]
                raise error_of(int(status.get("code") or 500), status)
            yield WatchEvent(type=line["type"], object=line["object"])

    async def logs(
        self,
        name: str,
        *,
        namespace: str,
        container: str | None = None,
        tail_lines: int | None = None,
        previous: bool = False,
    ) -> str:
        query = _query(container=container, tailLines=tail_lines, previous="true" if previous else None)
        return str(await self._connection.call("GET", POD.path(namespace, name, "log"), query=query))


class _Writes:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def apply(
        self,
        resource: Resource,
        manifest: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = True,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Object:
        namespace, name = _address(manifest)
        query = _query(fieldManager=field_manager, force="true" if force else None, dryRun="All" if dry_run else None)
        body = {"apiVersion": resource.api_version, "kind": resource.kind} | dict(manifest)
        path = resource.path(namespace, name, subresource)
        written: Object = await self._connection.call("PATCH", path, query=query, body=body, content_type=APPLY)
        return written

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Mapping[str, Any],
        *,
        namespace: str | None = None,
        subresource: str | None = None,
        field_manager: str | None = None,
    ) -> Object:
        path = resource.path(namespace, name, subresource)
        written: Object = await self._connection.call(
            "PATCH", path, query=_query(fieldManager=field_manager), body=dict(patch), content_type=MERGE
        )
        return written

    async def create(
        self, resource: Resource, manifest: Mapping[str, Any], *, field_manager: str | None = None
    ) -> Object:
        namespace = manifest["metadata"].get("namespace")
        if resource.namespaced and not namespace:
            raise ValueError(f"{resource.kind} needs metadata.namespace")
        body = {"apiVersion": resource.api_version, "kind": resource.kind} | dict(manifest)
        made: Object = await self._connection.call(
            "POST", resource.path(namespace), query=_query(fieldManager=field_manager), body=body
        )
        return made

    async def replace(
        self, resource: Resource, manifest: Mapping[str, Any], *, field_manager: str | None = None
    ) -> Object:
        namespace, name = _address(manifest)
        body = {"apiVersion": resource.api_version, "kind": resource.kind} | dict(manifest)
        written: Object = await self._connection.call(
            "PUT", resource.path(namespace, name), query=_query(fieldManager=field_manager), body=body
        )
        return written

    async def delete(
        self,
        resource: Resource,
        name: str,
        *,
        namespace: str | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_seconds: int | None = None,
        propagation: str | None = None,
    ) -> None:
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        preconditions = _some({"uid": uid, "resourceVersion": resource_version})
        if preconditions:
            options["preconditions"] = preconditions
        options |= _some({"gracePeriodSeconds": grace_seconds, "propagationPolicy": propagation})
        await self._connection.call("DELETE", resource.path(namespace, name), body=options)


def _address(manifest: Mapping[str, Any]) -> tuple[str | None, str]:
    metadata = manifest["metadata"]
    return metadata.get("namespace"), metadata["name"]


def _query(**parameters: str | int | None) -> dict[str, str]:
    return {name: str(value) for name, value in parameters.items() if value not in (None, "")}


def _some(fields: Object) -> Object:
    return {name: value for name, value in fields.items() if value is not None}
