"""`algo up`: from whatever state the machine is in to a running system, each step shown with its time.

The Go build takes longest on a fresh machine, so apt and the image bases run beside it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import threading
import time

from rich.console import Console

from algo_local import cluster as native
from algo_local import images, packages, release
from algo_local.build import build_all
from algo_local.cluster import Cluster
from algo_local.locks import file_lock
from algo_local.paths import cache_dir
from algo_local.progress import Background, live, step


def _prepare(console: Console) -> None:
    """Install packages, build binaries and make image bases, overlapped."""
    installed = threading.Event()
    failed = threading.Event()
    with live(console) as progress:

        def install() -> None:
            try:
                with step(console, progress, "Debian packages") as report:
                    packages.ensure_packages(report)
            except BaseException:
                failed.set()
                raise
            finally:
                installed.set()

        def bases() -> None:
            installed.wait()
            if failed.is_set():
                return
            with step(console, progress, "image bases") as report:
                images.prepare_bases(report)
                images.app_image()

        works = [Background(install), Background(bases)]
        with step(console, progress, "components from Go modules") as report:
            build_all(report)
        for work in works:
            work.wait()


def start(instance: str, console: Console) -> Cluster:
    """Bring cluster and release of an instance up; every error of a step passes through."""
    began = time.monotonic()
    _prepare(console)
    # Helm refuses a second installation at the same time; a second `up` waits and then finds everything done.
    with file_lock(cache_dir() / f"up-{instance}.lock"), live(console) as progress:
        with step(console, progress, "cluster") as report:
            cluster = native.start(instance, report)
        with step(console, progress, "images") as report:
            loaded = release.load_images(cluster, report)
        with step(console, progress, "chart (CRDs, operator, API, Redis, PostgreSQL, simulator)"):
            release.install_chart(cluster, loaded)
    console.print(f"up after {time.monotonic() - began:.0f} s: {release.api_url(cluster)}", highlight=False)
    return cluster


def main_job(cluster: Cluster, console: Console) -> None:
    """Run the main job, if this tree has one."""
    if importlib.util.find_spec("algo_local.main_job") is None:
        return
    from algo_local.demo.endpoints import Kubectl
    from algo_local.main_job import run

    asyncio.run(
        run(Kubectl(binary=cluster.kubectl_path, kubeconfig=cluster.kubeconfig), console, release.api_url(cluster))
    )
