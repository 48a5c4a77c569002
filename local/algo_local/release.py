"""Puts the system into a running cluster: images into containerd, the chart by Helm."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from algo_local.binaries import ensure_binary
from algo_local.bootstrap import CONTAINER_USER
from algo_local.cluster import Cluster
from algo_local.images import Image, app_image, import_into, pause_image, postgresql_image, redis_image
from algo_local.instance import STORAGE_CLASS
from algo_local.node_config import CONTAINERD_SOCKET
from algo_local.paths import repository_root

NAMESPACE, RELEASE = "algo-system", "algo"
API_NODE_PORT, SIMULATOR_NODE_PORT = 30080, 30910
Report = Callable[[str], None]


class ReleaseError(RuntimeError):
    """The chart did not install; the message holds Helm's answer and where to look."""


@dataclass(frozen=True, slots=True)
class Images:
    """The images of one release."""

    app: Image
    redis: Image
    postgresql: Image


def known_images(cluster: Cluster) -> set[str]:
    """Return the full names of the images that the cluster's containerd has."""
    command = ["ctr", f"--address={CONTAINERD_SOCKET}", "-n", "k8s.io", "images", "ls", "-q"]
    return set(cluster.node_exec(command).stdout.split())


def load_images(cluster: Cluster, report: Report) -> Images:
    """Build what changed and import what the cluster lacks."""
    known = known_images(cluster)
    app, redis, postgresql = app_image(), redis_image(), postgresql_image()
    for image in (pause_image(), app, redis, postgresql):
        if import_into(image, known, cluster.import_image):
            report(f"imported {image.name}:{image.tag}")
    return Images(app, redis, postgresql)


def chart_values(images: Images) -> dict[str, str]:
    """Return the values that make the chart fit the local cluster."""
    values = {"image.repository": "algo-trading", "image.tag": images.app.tag, "simulator.enabled": "true"}
    for part, image in (("redis", images.redis), ("postgresql", images.postgresql)):
        values |= {
            f"{part}.image.repository": f"docker.io/library/{image.name}",
            f"{part}.image.tag": image.tag,
            f"{part}.runAsUser": str(CONTAINER_USER),
            f"{part}.persistence.storageClassName": STORAGE_CLASS,
        }
    return values


def install_chart(cluster: Cluster, images: Images, extra: dict[str, str] | None = None) -> None:
    """Install or upgrade the release and wait until everything in it is ready. Raises ReleaseError."""
    _forget_interrupted(cluster)
    helm, chart = ensure_binary("helm"), repository_root() / "charts" / "algo-trading"
    command = [str(helm), "upgrade", RELEASE, str(chart), "--install", "--namespace", NAMESPACE, "--create-namespace"]
    command += [f"--kubeconfig={cluster.kubeconfig}", "--wait", "--timeout=5m"]
    for name, value in {**chart_values(images), **(extra or {})}.items():
        # A tag of digits only is a string all the same.
        command += ["--set-string" if name.endswith(".tag") else "--set", f"{name}={value}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HELM_")}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
    if result.returncode != 0:
        raise ReleaseError(
            f"the chart was not installed: {result.stderr.strip()[-1200:]}\n"
            f"look at it with `algo kubectl -n {NAMESPACE} get pods` and `algo logs api`"
        )


def _forget_interrupted(cluster: Cluster) -> None:
    """Remove the record of an install or upgrade that was killed: Helm would refuse every later one because of it."""
    pending = f"owner=helm,name={RELEASE},status in (pending-install,pending-upgrade,pending-rollback)"
    cluster.kubectl("-n", NAMESPACE, "delete", "secret", "--ignore-not-found", "-l", pending)


def api_url(cluster: Cluster) -> str:
    """Return the API's address as this machine reaches it: the service's own, which is routed here."""
    path = "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}"
    return "http://" + cluster.kubectl("-n", NAMESPACE, "get", "service", "algo-api", "-o", path)
