"""Labels, owners and digests that every rendered object carries."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from algo_operator.vocabulary import (
    ANNOTATION_APPLIED,
    LABEL_COMPONENT,
    LABEL_MANAGED_BY,
    LABEL_NAME,
    LABEL_TENANT,
    MANAGER,
    Kind,
    Manifest,
)


def labels(*, tenant: str, component: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The labels of a managed object; `managed-by` is what the operator's own watchers select."""
    return {
        LABEL_NAME: "algo-trading",
        LABEL_COMPONENT: component,
        LABEL_MANAGED_BY: MANAGER,
        LABEL_TENANT: tenant,
        **(extra or {}),
    }


def owner_reference(owner: Manifest) -> Manifest:
    """A controller reference, so that the garbage collector removes the child after its owner.

    Without `blockOwnerDeletion`: a foreground deletion would kill pods while a position is still open.
    """
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }


def manifest(
    kind: Kind,
    name: str,
    *,
    namespace: str = "",
    labels: Mapping[str, str],
    owner: Manifest | None = None,
    annotations: Mapping[str, str] | None = None,
    **body: Any,
) -> Manifest:
    """An object with its metadata; empty parts are left out."""
    metadata: Manifest = {"name": name, "labels": dict(labels)}
    if namespace:
        metadata["namespace"] = namespace
    if annotations:
        metadata["annotations"] = dict(annotations)
    if owner is not None:
        metadata["ownerReferences"] = [owner_reference(owner)]
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **body}


def digest(value: Any) -> str:
    """A short stable digest of a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sealed(desired: Manifest) -> Manifest:
    """The manifest with the digest of itself as an annotation (contents of Secrets are left out of the digest)."""
    visible = {key: value for key, value in desired.items() if key != "data" or desired["kind"] != "Secret"}
    metadata = desired["metadata"]
    annotations = {**metadata.get("annotations", {}), ANNOTATION_APPLIED: digest(visible)}
    return {**desired, "metadata": {**metadata, "annotations": annotations}}
