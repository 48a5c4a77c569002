"""The `algo` command: the local cluster and what runs in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from typer.core import TyperCommand

from algo_local import trading
from algo_local.cluster import find
from algo_local.instance import Instance, load_instance
from algo_local.runner_logs import log_arguments
from algo_local.terminal import InstanceOption, console, fail, must_answer, running, said

app = typer.Typer(
    help="Runs the trading system on a native local Kubernetes cluster.", no_args_is_help=True, add_completion=False
)


class _PassThrough(TyperCommand):
    """Hands every argument on as it was written, `--` and `--help` too."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        ctx.args = list(args)
        return []


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
    must_answer(cluster)
    typer.echo(said(cluster, "get", "pods", "-A"))
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
    name: Annotated[str, typer.Argument(help="api, operator, ...; a strategy; etcd, kubelet, ...")] = "operator",
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
    cluster = running(instance)
    must_answer(cluster)
    where = log_arguments(cluster, name)
    command = [str(cluster.kubectl_path), f"--kubeconfig={cluster.kubeconfig}", "logs", f"--tail={tail}", *where]
    raise typer.Exit(subprocess.run([*command, *(["-f"] if follow else [])], check=False).returncode)  # noqa: S603


@app.command(cls=_PassThrough, add_help_option=False)
def kubectl(context: typer.Context) -> None:
    """Run kubectl against the local cluster (instance by ALGO_INSTANCE)."""
    cluster = running(os.environ.get("ALGO_INSTANCE", "default"))
    command = [str(cluster.kubectl_path), f"--kubeconfig={cluster.kubeconfig}", *context.args]
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - kubectl takes this process's place, terminal and signals


@app.command()
def kubeconfig(instance: InstanceOption = "default") -> None:
    """Print the path of the cluster's kubeconfig."""
    typer.echo(str(running(instance).kubeconfig))


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


trading.register(app)

if __name__ == "__main__":
    app()
