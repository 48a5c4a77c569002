"""Whose a resource is, what its id is, and who wrote its spec last: read from its metadata, nothing stored."""

from collections.abc import Mapping
from typing import Any, Final

from algo_crds.contracts import ids
from algo_crds.resources.metadata import USER_ANNOTATION

from algo_api.kube_errors import FIELD_MANAGER

_NAMESPACE_PREFIX: Final = "algo-"
_MAX_ACTOR: Final = 64


def identifier(prefix: str, resource: Mapping[str, Any]) -> str:
    """The platform's id of a resource."""
    metadata = resource["metadata"]
    return ids.id_of_resource(prefix, metadata["name"], metadata["uid"])


def tenant_resource(resource: Mapping[str, Any]) -> str | None:
    """Name of the Tenant whose namespace the resource is in; None outside the tenants' namespaces."""
    namespace = str(resource["metadata"].get("namespace", ""))
    return namespace.removeprefix(_NAMESPACE_PREFIX) if namespace.startswith(_NAMESPACE_PREFIX) else None


def named_user(resource: Mapping[str, Any]) -> str | None:
    """The user whom its annotation names, if it is a user's id."""
    named = (resource["metadata"].get("annotations") or {}).get(USER_ANNOTATION, "")
    return named if ids.is_id(named, "usr") else None


def last_writer(resource: Mapping[str, Any]) -> str | None:
    """Actor for the audit log: who wrote the spec last; None if it was this API, which has recorded it itself."""
    entries = [
        entry
        for entry in resource["metadata"].get("managedFields") or ()
        if entry.get("subresource", "") == "" and "f:spec" in (entry.get("fieldsV1") or {})
    ]
    if not entries:
        return "kubernetes"
    manager = str(max(entries, key=lambda entry: entry.get("time", "")).get("manager", ""))
    return None if manager == FIELD_MANAGER else f"kubernetes:{manager}"[:_MAX_ACTOR]


def version(resource: Mapping[str, Any]) -> int:
    """Its resourceVersion; the versions of one kind are ordered (Kubernetes API concepts, since 1.35)."""
    return int(resource["metadata"]["resourceVersion"])
