"""The frame of runner and gateway pods: what Pod Security `restricted` asks for, and what at-most-one asks for.

They are bare pods of a fixed name: the API server allows no second object of that name, and only the operator decides
when one may be replaced. A container restart inside a pod keeps its epoch; a new pod gets a new one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from algo_operator.render.metadata import digest, manifest
from algo_operator.settings import PodSettings
from algo_operator.vocabulary import ANNOTATION_TEMPLATE, POD, Manifest

USER = 10001
GRACE_SECONDS = 30
CRASH_DIR = "/var/run/algo/crash"
_UNREACHABLE_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Requests and the memory limit; no CPU limit, because throttling would delay a stop."""

    cpu: str
    memory: str
    memory_limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A Secret or ConfigMap mounted read-only as a folder."""

    name: str
    path: str
    secret: str = ""
    config_map: str = ""
    optional: bool = False
    keys: tuple[str, ...] = ()

    def volume(self) -> Manifest:
        """The pod's volume."""
        items = [{"key": key, "path": key} for key in self.keys]
        extra: Manifest = {"items": items} if items else {}
        if self.optional:
            extra["optional"] = True
        if self.secret:
            return {"name": self.name, "secret": {"secretName": self.secret, "defaultMode": 0o440, **extra}}
        return {"name": self.name, "configMap": {"name": self.config_map, "defaultMode": 0o444, **extra}}

    def mount(self) -> Manifest:
        """The container's mount."""
        return {"name": self.name, "mountPath": self.path, "readOnly": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The one container of a pod."""

    name: str
    module: str
    env: Mapping[str, str]
    port: int
    port_name: str
    mounts: Sequence[Mount]
    resources: Resources
    startup_seconds: int = 60


def template(container: Container, pods: PodSettings) -> Manifest:
    """The pod's spec."""
    volumes = [mount.volume() for mount in container.mounts]
    mounts = [mount.mount() for mount in container.mounts]
    env = dict(container.env)
    if pods.crash_points:
        env["ALGO_CRASH_DIR"] = CRASH_DIR
        volumes.append({"name": "crash", "emptyDir": {"sizeLimit": "1Mi"}})
        mounts.append({"name": "crash", "mountPath": CRASH_DIR})
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "tolerations": [_tolerate("not-ready"), _tolerate("unreachable")],
        "volumes": volumes,
        "containers": [_container(container, pods, env, mounts)],
    }


def pod(
    name: str,
    spec: Manifest,
    *,
    namespace: str,
    labels: Mapping[str, str],
    owner: Manifest,
    annotations: Mapping[str, str] | None = None,
    made_from: Any = None,
) -> Manifest:
    """A pod whose template annotation tells later what it was made from (its spec and `made_from`)."""
    stamp = digest([spec, made_from])
    return manifest(
        POD,
        name,
        namespace=namespace,
        labels=labels,
        owner=owner,
        annotations={ANNOTATION_TEMPLATE: stamp, **(annotations or {})},
        spec=spec,
    )


def _container(container: Container, pods: PodSettings, env: Mapping[str, str], mounts: list[Manifest]) -> Manifest:
    return {
        "name": container.name,
        "image": pods.image,
        "imagePullPolicy": pods.image_pull_policy,
        "command": ["python", "-m", container.module],
        "env": [{"name": key, "value": value} for key, value in sorted(env.items())],
        "ports": [{"name": container.port_name, "containerPort": container.port, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": container.resources.cpu, "memory": container.resources.memory},
            "limits": {"memory": container.resources.memory_limit},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
        "startupProbe": _probe("/healthz", container.port_name, period=1, failures=container.startup_seconds),
        "livenessProbe": _probe("/healthz", container.port_name, period=10, failures=6),
        "readinessProbe": _probe("/readyz", container.port_name, period=2, failures=3),
    }


def _probe(path: str, port: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": port, "scheme": "HTTP"},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 5,
    }


def _tolerate(taint: str) -> Manifest:
    return {
        "key": f"node.kubernetes.io/{taint}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": _UNREACHABLE_SECONDS,
    }
