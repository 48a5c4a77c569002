"""Reads the parts of Kubernetes objects that decisions need into typed values."""

from dataclasses import dataclass
from datetime import datetime

from algo_operator.vocabulary import ANNOTATION_EPOCH, ANNOTATION_TEMPLATE, Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class PodState:
    """A runner's or gateway's pod. Times are Unix seconds."""

    uid: str
    epoch: int
    template: str
    created_at: float
    deadline: float | None
    """When a deletion under way should have ended (its grace included); None: not being deleted."""
    phase: str
    ready: bool
    running: bool
    started_ever: bool
    waiting_reason: str
    node: str
    instance: str
    """Changes with every container start."""


def pod_state(pod: Manifest | None) -> PodState | None:
    """The state of a pod with one container."""
    if pod is None:
        return None
    metadata, status = pod["metadata"], pod.get("status", {})
    annotations = metadata.get("annotations", {})
    container: Manifest = next(iter(status.get("containerStatuses", [])), {})
    state = container.get("state", {})
    deletion = metadata.get("deletionTimestamp")
    epoch = annotations.get(ANNOTATION_EPOCH, "0")
    return PodState(
        uid=metadata.get("uid", ""),
        epoch=int(epoch) if epoch.isdigit() else 0,
        template=annotations.get(ANNOTATION_TEMPLATE, ""),
        created_at=unix_seconds(metadata["creationTimestamp"]) if metadata.get("creationTimestamp") else 0.0,
        deadline=unix_seconds(deletion) if deletion else None,
        phase=status.get("phase", "Pending"),
        ready=condition_status(status.get("conditions", []), "Ready") == "True",
        running="running" in state,
        started_ever="running" in state or container.get("restartCount", 0) > 0 or bool(container.get("lastState")),
        waiting_reason=state.get("waiting", {}).get("reason", ""),
        node=pod.get("spec", {}).get("nodeName", ""),
        instance=f"{metadata.get('uid', '')}/{container.get('containerID', '')}",
    )


def condition_status(conditions: list[Manifest], name: str) -> str:
    """`True`, `False` or `Unknown` of a condition; absent is `Unknown`."""
    return next((str(one["status"]) for one in conditions if one.get("type") == name), "Unknown")


def unix_seconds(text: str) -> float:
    """A Kubernetes timestamp (RFC 3339, UTC)."""
    return datetime.fromisoformat(text).timestamp()


def is_deleting(manifest: Manifest) -> bool:
    """Whether a deletion was asked for."""
    return bool(manifest["metadata"].get("deletionTimestamp"))


def node_is_lost(node: Manifest | None, lease: Manifest | None, *, now: float, stale_seconds: float = 25.0) -> bool:
    """Whether a node is gone, or has neither renewed its lease nor reported ready for a while.

    The kubelet renews its lease each 10 s; the node controller marks the node only after 50 s, too late for a position.
    """
    if node is None:
        return True
    renewed = (lease or {}).get("spec", {}).get("renewTime")
    if renewed:
        return now - unix_seconds(renewed) > stale_seconds
    return condition_status(node.get("status", {}).get("conditions", []), "Ready") != "True"


def node_is_gone(node: Manifest | None) -> bool:
    """Whether it is certain that nothing runs on a node any more: its object is deleted, or a person has tainted it
    out of service."""
    if node is None:
        return True
    taints = node.get("spec", {}).get("taints", [])
    return any(taint.get("key") == "node.kubernetes.io/out-of-service" for taint in taints)
