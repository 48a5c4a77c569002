"""Takes away what a demo made, from wherever it stopped: by its end, by an error, or by hand.

A strategy that holds a position is not let go before the position is closed, and the market of a demo that was stopped
is about to end for good. The demo owns that market, so it gives the position up by the annotation that a person would
set. Every step is tried whatever became of the one before; what could not be removed is said, with the command for it.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from algo_crds.resources.metadata import ABANDON_ANNOTATION

from algo_local.demo.endpoints import Kubectl, UnreachableError, run
from algo_local.demo.services import ServiceError, Trader, call


@dataclass(slots=True, kw_only=True)
class Made:
    """What exists so far."""

    world: str
    trader: Trader | None = None
    strategy: str = ""

    def register(self, trader: Trader) -> None:
        """There is a trader now."""
        self.trader = trader


async def clean_up(kubectl: Kubectl, control: httpx.AsyncClient, made: Made, say: Callable[[str], None]) -> None:
    """Remove tenant and world; the tenant takes with it all that the trader made, in its own time."""
    if made.trader is not None:
        with contextlib.suppress(ServiceError, UnreachableError):
            await _give_up_position(kubectl, control, made.world, made.trader, made.strategy)
        tenant = made.trader.tenant_id.replace("_", "-")
        try:
            await run(kubectl, "delete", "tenant.algo.trading", tenant, "--wait=false", "--ignore-not-found")
        except UnreachableError as error:
            say(f"the trader could not be removed ({error}); do it with: algo kubectl delete tenant {tenant}")
    if not await remove_world(control, made.world):
        say(f"world {made.world} could not be removed; it ends with the simulator's pod")


async def remove_world(control: httpx.AsyncClient, name: str) -> bool:
    """Delete a world; one that is not there is no trouble. Whether it is gone."""
    try:
        response = await control.request("DELETE", f"/worlds/{name}")
    except httpx.TransportError:
        return False
    return response.is_success or response.status_code == httpx.codes.NOT_FOUND


async def _give_up_position(
    kubectl: Kubectl, control: httpx.AsyncClient, world: str, trader: Trader, strategy_id: str
) -> None:
    """The market is paused first, so that what is held does not change between the look and the word."""
    if not strategy_id:
        return
    await call(control, "POST", f"/worlds/{world}/pause")
    strategy = await call(trader.client, "GET", f"/strategies/{strategy_id}")
    if strategy.get("final"):
        return
    held = (strategy.get("position") or {}).get("quantity", 0)
    namespace, _, name = str(strategy["resource"]).partition("/")
    await run(kubectl, "-n", namespace, "annotate", "--overwrite", "strategy", name, f"{ABANDON_ANNOTATION}={held}")
