"""The `algo` command: the local cluster and what runs in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperCommand

from algo_local.cluster import Cluster, find
from algo_local.instance import Instance, load_instance

app = typer.Typer(
    help="Runs the trading system on a native local Kubernetes cluster.", no_args_is_help=True, add_completion=False
)
console = Console()
InstanceOption = Annotated[str, typer.Option("--instance", help="Which local cluster", envvar="ALGO_INSTANCE")]
_COMPONENTS = ("api", "operator", "simulator", "redis", "postgresql")


class _PassThrough(TyperCommand):
    """Hands every argument on as it was written, `--` and `--help` too."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        ctx.args = list(args)
        return []


def fail(message: str) -> NoReturn:
    """Say what is wrong on stderr and end with 1."""
    Console(stderr=True).print(message, style="red", markup=False, highlight=False)
    raise typer.Exit(1)


def _running(instance: str) -> Cluster:
    cluster = find(instance)
    if cluster is None:
        fail(f"instance {instance!r} is not running; start it with `algo up`")
    return cluster


@app.command()
def up(
    instance: InstanceOption = "default",
    main_job: Annotated[bool, typer.Option("--main-job/--no-main-job", help="Show one strategy trade")] = True,
) -> None:
    """Install what is missing, start the cluster, install the system and run the main job."""
    from algo_local import up as steps

    try:
        cluster = steps.start(instance, console)
        if main_job:
            steps.main_job(cluster, console)
    except RuntimeError as error:
        fail(str(error))
    except subprocess.CalledProcessError as error:
        fail(f"{Path(error.cmd[0]).name} failed: {(error.stderr or '').strip()[-800:]}")


@app.command()
def down(instance: InstanceOption = "default") -> None:
    """Stop the cluster and remove every trace of it but the build cache."""
    from algo_local.cluster import stop

    try:
        stopped = stop(instance)
    except RuntimeError as error:
        fail(str(error))
    console.print(f"instance {instance} is gone" if stopped else f"instance {instance} was not there")


def _components(instance: Instance) -> dict[str, dict[str, int]]:
    try:
        data: dict[str, dict[str, int]] = json.loads((instance.state / "components.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return data


@app.command()
def status(instance: InstanceOption = "default") -> None:
    """Show what runs, and where to look."""
    recorded = load_instance(instance)
    cluster = find(instance)
    if recorded is None or cluster is None:
        hint = "it was killed; `algo up` repairs it" if recorded else "start it with `algo up`"
        console.print(f"instance {instance}: not running; {hint}", highlight=False)
        raise typer.Exit(1)
    table = Table(title=f"instance {instance} at {cluster.api_url}", title_justify="left")
    for column in ("component", "state", "restarts"):
        table.add_column(column)
    for name, state in _components(recorded).items():
        table.add_row(name, "[green]up[/]" if state["up"] else "[red]down[/]", str(state["restarts"]))
    console.print(table)
    try:
        typer.echo(cluster.kubectl("get", "pods", "-A", "--request-timeout=5s"))
    except subprocess.CalledProcessError as error:
        fail(f"the API server does not answer: {error.stderr}")
    console.print(f"state {recorded.state}\nlogs  {recorded.logs}", highlight=False)


@app.command()
def doctor() -> None:
    """Say what is missing on this machine and how to get it."""
    from algo_local.doctor import examine

    findings = examine()
    for finding in findings:
        mark = "[green]✓[/]" if finding.well else ("[red]✗[/]" if finding.fatal else "[yellow]![/]")
        console.print(f"{mark} {finding.name}: {finding.detail}", highlight=False)
        if finding.fix:
            console.print(f"    → {finding.fix}", highlight=False, markup=False)
    if any(not finding.well and finding.fatal for finding in findings):
        raise typer.Exit(1)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="api, operator, ...; a strategy's id; etcd, kubelet, ...")] = "operator",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come")] = False,
    tail: Annotated[int, typer.Option(help="Lines from the end")] = 100,
    instance: InstanceOption = "default",
) -> None:
    """Print logs of a system part (api, operator, ...), of a strategy's runner, or of etcd, kubelet and so on."""
    recorded = load_instance(instance)
    own = recorded.logs / f"{name}.log" if recorded is not None and name.replace("-", "").isalnum() else None
    if own is not None and own.exists():
        command = ["tail", f"--lines={tail}", *(["--follow=name"] if follow else []), str(own)]
        raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - fixed command
    cluster = _running(instance)
    where = _pod_of(cluster, name)
    command = [str(cluster.kubectl_path), f"--kubeconfig={cluster.kubeconfig}", "logs", f"--tail={tail}", *where]
    raise typer.Exit(subprocess.run([*command, *(["-f"] if follow else [])], check=False).returncode)  # noqa: S603


def _ask(cluster: Cluster, *arguments: str) -> str:
    try:
        return cluster.kubectl(*arguments)
    except subprocess.CalledProcessError as error:
        fail(f"the cluster does not answer: {(error.stderr or '').strip()[-400:]}; see `algo status`")


def _pod_of(cluster: Cluster, name: str) -> list[str]:
    if name in _COMPONENTS:
        return ["-n", "algo-system", "-l", f"app.kubernetes.io/component={name}", "--all-containers", "--prefix"]
    pod = f"run-{name.replace('_', '-')}"
    listed = _ask(cluster, "get", "pods", "-A", f"--field-selector=metadata.name={pod}", "-o", "json")
    items = json.loads(listed)["items"]
    if not items:
        fail(
            f"nothing called {name!r} runs: no system part ({', '.join(_COMPONENTS)}), no component of the cluster and "
            "no strategy with a pod; `algo kubectl get strategies -A` lists strategies, one that has ended has no log"
        )
    return ["-n", items[0]["metadata"]["namespace"], pod]


@app.command()
def login(
    email: Annotated[str, typer.Option(prompt=True, help="Of a registered user; asked for if not given")],
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, help="Better asked for than given: a shell remembers it")
    ],
    url: Annotated[str, typer.Option(help="The API; default: that of the local cluster", envvar="ALGO_API_URL")] = "",
    instance: InstanceOption = "default",
) -> None:
    """Log in to the API and write its tokens to a file that only you can read, for calls of your own."""
    from algo_local.login import LoginError
    from algo_local.login import login as exchange
    from algo_local.release import api_url

    try:
        target = exchange(url or api_url(_running(instance)), email, password)
    except LoginError as error:
        fail(str(error))
    except subprocess.CalledProcessError as error:
        fail(f"the cluster does not say where its API is: {(error.stderr or '').strip()[-400:]}; see `algo status`")
    console.print(f"logged in; token in {target}", highlight=False)


@app.command(cls=_PassThrough, add_help_option=False)
def kubectl(context: typer.Context) -> None:
    """Run kubectl against the local cluster (instance by ALGO_INSTANCE)."""
    cluster = _running(os.environ.get("ALGO_INSTANCE", "default"))
    command = [str(cluster.kubectl_path), f"--kubeconfig={cluster.kubeconfig}", *context.args]
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - kubectl takes this process's place, terminal and signals


@app.command()
def kubeconfig(instance: InstanceOption = "default") -> None:
    """Print the path of the cluster's kubeconfig."""
    typer.echo(str(_running(instance).kubeconfig))


@app.command(cls=_PassThrough, add_help_option=False)
def demo(context: typer.Context) -> None:
    """Run one strategy over a recorded or synthetic session (see `algo demo --help`)."""
    from algo_local.demo.command import demo as command

    inner = typer.Typer(add_completion=False)
    inner.command()(command)
    inner(args=list(context.args), prog_name="algo demo")


@app.command()
def simulate(
    broker: Annotated[str, typer.Option(help="Whose protocol: zerodha, dhan, fyers or angelone")],
    port: Annotated[int | None, typer.Option(help="Default: the broker's usual one; 0 takes a free one")] = None,
    ticks: Annotated[Path | None, typer.Option(help="A recording or a folder of them; none: synthetic")] = None,
    symbol: Annotated[list[str] | None, typer.Option(help="EXCHANGE:SYMBOL, repeatable [default: RELIANCE]")] = None,
    speed: Annotated[float, typer.Option(help="Session seconds a second")] = 1.0,
    date: Annotated[str | None, typer.Option(help="YYYY-MM-DD [default: the recording's, or the newest]")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic session")] = 1,
) -> None:
    """Run one simulated broker by itself, for a client or an SDK of yours; needs no cluster."""
    from algo_local import simulate as alone

    try:
        words = alone.command(broker, port=port, ticks=ticks, symbols=symbol or (), speed=speed, day=date, seed=seed)
        alone.replace_process(words)
    except alone.SimulateError as error:
        fail(str(error))


if __name__ == "__main__":
    app()
