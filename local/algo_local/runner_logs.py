"""Where a log is: which pods `algo logs NAME` reads, or a sentence on why there is none.

A strategy without a pod is the usual case, not an error of the person: it may be stopped, over, or about to start; the
resource says which.
"""

from __future__ import annotations

from typing import Any, Final

from algo_local.cluster import Cluster
from algo_local.terminal import ask, fail

COMPONENTS: Final = ("api", "operator", "simulator", "redis", "postgresql")
_LISTED: Final = "`algo strategies` lists yours, `algo kubectl get strategies -A` all"


def log_arguments(cluster: Cluster, name: str) -> list[str]:
    """Arguments for `kubectl logs`; `name` is a system part, or a strategy by name, id or namespace/name."""
    if name in COMPONENTS:
        return ["-n", "algo-system", "-l", f"app.kubernetes.io/component={name}", "--all-containers", "--prefix"]
    namespace, _, short = name.rpartition("/")
    resource = short.replace("_", "-")
    pods = _named(cluster, "pods", f"run-{resource}", namespace)
    if not pods:
        fail(_without_pod(_named(cluster, "strategies.algo.trading", resource, namespace), name))
    if len(pods) > 1:
        fail(f"{name!r} is in several namespaces; name one: {', '.join(f'{place}/{short}' for place in _places(pods))}")
    waiting = _waiting(pods[0])
    if waiting:
        fail(f"{name!r} has a pod that has not started ({waiting}), so there is no log yet; see `algo status`")
    return ["-n", _places(pods)[0], f"run-{resource}"]


def _named(cluster: Cluster, kind: str, name: str, namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(cluster, "get", kind, "-A", f"--field-selector=metadata.name={name}")["items"]
    return [item for item in found if namespace in ("", item["metadata"]["namespace"])]


def _places(items: list[dict[str, Any]]) -> list[str]:
    return sorted(item["metadata"]["namespace"] for item in items)


def _waiting(pod: dict[str, Any]) -> str:
    """Why no container of the pod has ever run; empty when one has."""
    states = pod.get("status", {}).get("containerStatuses", [])
    if any(one.get("restartCount") or "waiting" not in one.get("state", {}) for one in states):
        return ""
    reasons = [str(one["state"]["waiting"].get("reason", "waiting")) for one in states]
    return ", ".join(reasons) or str(pod.get("status", {}).get("reason") or "not scheduled yet")


def _without_pod(strategies: list[dict[str, Any]], name: str) -> str:
    if not strategies:
        parts = ", ".join(COMPONENTS)
        return f"nothing called {name!r} runs: no system part ({parts}), no part of Kubernetes, no strategy; {_LISTED}"
    strategy = strategies[0]
    status, wanted = strategy.get("status", {}), strategy.get("spec", {}).get("desiredState")
    if not status:
        return f"strategy {name!r} has no pod yet: the operator has not seen it; see `algo logs operator`"
    said = " ".join(str(status.get(part, "")) for part in ("phase", "reason", "message")).strip()
    ended = " and its log is gone with it" if status.get("runner", {}).get("epoch") else ""
    return f"strategy {name!r} has no pod{ended} ({said or 'no phase yet'}; it is to be {wanted or 'Running'})"
