"""What every `algo` command has in common: the screen, the choice of an instance, and how it ends without a result."""

from __future__ import annotations

import json
import subprocess
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from algo_local.cluster import Cluster, find

console = Console()
InstanceOption = Annotated[str, typer.Option("--instance", help="Which local cluster", envvar="ALGO_INSTANCE")]
_PATIENCE = "--request-timeout=5s"


def fail(message: str) -> NoReturn:
    """Say what is wrong on stderr and end with 1."""
    Console(stderr=True).print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def running(instance: str) -> Cluster:
    """The running cluster, or the end of the command."""
    cluster = find(instance)
    if cluster is None:
        fail(f"instance {instance!r} is not running; start it with `algo up`")
    return cluster


def must_answer(cluster: Cluster) -> None:
    """End the command, within seconds, when the API server does not answer: kubectl alone would try again and again."""
    said(cluster, "get", "--raw", "/version")


def ask(cluster: Cluster, *arguments: str) -> Any:
    """What kubectl says as JSON, or the end of the command."""
    return json.loads(said(cluster, *arguments, "-o", "json"))


def said(cluster: Cluster, *arguments: str) -> str:
    """What kubectl says, or the end of the command."""
    try:
        return cluster.kubectl(*arguments, _PATIENCE)
    except subprocess.CalledProcessError as error:
        fail(
            f"the API server does not answer: {last_words(error)}\n"
            "`algo logs kube-apiserver` tells why, `algo up` repairs it"
        )


def last_words(error: subprocess.CalledProcessError) -> str:
    """The last line that a failed command wrote."""
    lines = (error.stderr or "").strip().splitlines()
    return lines[-1][-400:] if lines else "no reason given"
