"""The main job that `make up` runs: one strategy on a synthetic session, shown live, kept for a person to look at.

Second and later runs leave the earlier traders alone; each has a world, a tenant and a namespace of its own.
"""

from decimal import Decimal

from rich.console import Console
from rich.panel import Panel

from algo_local.demo.command import perform
from algo_local.demo.endpoints import Kubectl
from algo_local.demo.options import DemoOptions
from algo_local.demo.screen import Screen, summary
from algo_local.demo.services import Json

# Fast enough to be over within a minute, slow enough that the resource, the stop and the fall can be watched.
SHOWN_SPEED = 120.0


def options() -> DemoOptions:
    """A strategy whose stop is hit some minutes after its entry in the embedded session."""
    return DemoOptions(
        symbol="RELIANCE",
        quantity=10,
        buy_time="09:20:00",
        sell_time="15:05:00",
        stop_percent=Decimal(1),
        speed=SHOWN_SPEED,
        seed=1,
        keep=True,
    )


def next_steps(result: Json, api_url: str) -> str:
    """Where to look after the run."""
    namespace, _, name = str(result.get("resource") or "").partition("/")
    return "\n".join(
        (
            f"the resource      uv run algo kubectl -n {namespace} get strategy {name} -o yaml",
            f"its pod           uv run algo kubectl -n {namespace} get pods",
            f"its events        uv run algo kubectl -n {namespace} get events",
            "all strategies    uv run algo kubectl get strategies -A",
            f"the API           {api_url}/docs",
            "a recorded day    uv run algo demo --ticks ../shared/data/ticks/2021-04-12 --symbol TCS",
            "what runs         uv run algo status",
            "stop everything   make down",
        )
    )


async def run(kubectl: Kubectl, console: Console, api_url: str) -> Json:
    """Run the main job and print where to look next; the result as in `algo demo --json`."""
    result = await perform(kubectl, options(), Screen(console))
    console.print(summary(result))
    console.print(Panel(next_steps(result, api_url), title="where to look next", expand=False))
    return result
