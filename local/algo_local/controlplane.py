"""A real API server for tests: etcd and kube-apiserver on free ports of the loopback, gone when the test ends.

CEL rules, server-side apply, quotas and watches are the API server's own; a test that fakes them proves nothing. No
controllers run here: what they would do (garbage collection, service accounts, pods) does not happen.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from algo_local.binaries import ensure_binary
from algo_local.components import ApiServerPlan, EtcdPlan, apiserver_arguments, etcd_arguments
from algo_local.pki import (
    Authority,
    ensure_authority,
    ensure_certificate,
    ensure_signing_key,
    write_private,
    write_token_kubeconfig,
)

SERVICE_CIDR = "10.255.240.0/24"
START_SECONDS = 90.0


class ControlPlaneError(RuntimeError):
    """The API server did not come up; the message quotes the end of the log that says why."""


@dataclass(frozen=True, slots=True)
class ApiServer:
    """A running API server. `token` belongs to `system:masters`; `ca` is the path of the PEM to trust."""

    url: str
    kubeconfig: Path
    ca: Path
    token: str
    kubectl: Callable[[], Path]
    stop: Callable[[], None]

    def __repr__(self) -> str:
        return f"ApiServer(url={self.url!r})"


def free_ports(count: int) -> list[int]:
    """Return that many ports of the loopback that were free a moment ago, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _spawn(arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as stream:
        return subprocess.Popen(  # noqa: S603 - our own binaries with our own arguments
            list(arguments), stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
        )


def _watchdog(processes: Sequence[subprocess.Popen[bytes]]) -> tuple[subprocess.Popen[bytes], int]:
    """End the servers when this process dies in whatever way: its end of the pipe closes, the shell reads on."""
    reader, writer = os.pipe()
    pids = " ".join(str(process.pid) for process in processes)
    script = f"read line; kill -9 {pids} 2>/dev/null"
    try:
        dog = subprocess.Popen(["/bin/sh", "-c", script], stdin=reader, start_new_session=True)  # noqa: S603
    finally:
        os.close(reader)
    return dog, writer


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-1500:] if log.exists() else "(no log)"


def _answers(url: str, context: ssl.SSLContext, token: str) -> bool:
    request = urllib.request.Request(f"{url}/readyz", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=2, context=context) as response:  # noqa: S310 - https of our own
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _namespaces_ready(url: str, context: ssl.SSLContext, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url}/api/v1/namespaces/default", headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=2, context=context):  # noqa: S310 - https of our own
            return True
    except (OSError, urllib.error.URLError):
        return False


def _wait_ready(url: str, authority: Authority, token: str, processes: dict[Path, subprocess.Popen[bytes]]) -> None:
    context = ssl.create_default_context(cafile=str(authority.pair.certificate))
    deadline = time.monotonic() + START_SECONDS
    while not (_answers(url, context, token) and _namespaces_ready(url, context, token)):
        for log, process in processes.items():
            if process.poll() is not None:
                raise ControlPlaneError(f"{log.stem} ended with {process.returncode}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise ControlPlaneError("the API server is not ready:\n" + "\n".join(_tail(log) for log in processes))
        time.sleep(0.1)


def _apiserver_plan(folder: Path, etcd_port: int, port: int, token: str) -> ApiServerPlan:
    pki = folder / "pki"
    authority = ensure_authority(pki)
    hosts = ["localhost", "127.0.0.1", "kubernetes.default.svc"]
    tokens = folder / "tokens.csv"
    write_private(tokens, f'{token},admin,admin,"system:masters"\n'.encode())
    return ApiServerPlan(
        binary=ensure_binary("kube-apiserver"),
        etcd_port=etcd_port,
        address="127.0.0.1",
        port=port,
        service_cidr=SERVICE_CIDR,
        authority=authority,
        serving=ensure_certificate(authority, pki, "apiserver", "kube-apiserver", hosts=hosts),
        service_accounts=ensure_signing_key(pki, "service-accounts"),
        token_file=tokens,
        # Without controllers no namespace gets its default service account, and no pod could be created.
        disabled_admission=("ServiceAccount",),
    )


def start_apiserver(folder: Path) -> ApiServer:
    """Start etcd and kube-apiserver with their state in `folder` (made when absent); about four seconds.

    Builds missing binaries first. Both end with `stop()`, at interpreter exit, or when this process is killed. Raises
    ControlPlaneError when they do not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    etcd_binary = ensure_binary("etcd")
    client_port, peer_port, port = free_ports(3)
    token = secrets.token_urlsafe(24)
    plan = _apiserver_plan(folder, client_port, port, token)
    etcd_plan = EtcdPlan(etcd_binary, folder / "etcd", client_port, peer_port, durable=False)
    logs = (folder / "etcd.log", folder / "apiserver.log")
    etcd = _spawn(etcd_arguments(etcd_plan), logs[0])
    server = _spawn(apiserver_arguments(plan), logs[1])
    dog, leash = _watchdog([server, etcd])
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if stopped:
            return
        stopped = True
        atexit.unregister(stop)
        dog.kill()
        os.close(leash)
        for process in (server, etcd):
            # Nothing here is worth a graceful end: the state is thrown away.
            process.kill()
        for process in (server, etcd, dog):
            process.wait()

    atexit.register(stop)
    url = f"https://127.0.0.1:{port}"
    try:
        _wait_ready(url, plan.authority, token, {logs[0]: etcd, logs[1]: server})
    except BaseException:
        stop()
        raise
    kubeconfig = write_token_kubeconfig(folder / "kubeconfig", url, plan.authority, token)
    return ApiServer(
        url=url,
        kubeconfig=kubeconfig,
        ca=plan.authority.pair.certificate,
        token=token,
        kubectl=lambda: ensure_binary("kubectl"),
        stop=stop,
    )
