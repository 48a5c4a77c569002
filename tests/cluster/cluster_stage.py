"""What cluster tests are written with: a trader's house, strategies in worlds of their own, and waiting."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import httpx
from algo_local.cluster import Cluster
from algo_local.demo.accounts import link_account
from algo_local.demo.endpoints import Endpoints, Kubectl, run
from algo_local.demo.flow import condition, make_world, strategy_body, wait_ready
from algo_local.demo.options import DemoOptions
from algo_local.demo.result import Follower
from algo_local.demo.services import Json, Trader, call, control_client, register

OPTIONS = DemoOptions(
    symbol="RELIANCE", quantity=10, buy_time="09:20:00", sell_time="15:05:00", stop_percent=Decimal(1), seed=1
)
POLL_S = 0.25
LIVE = ("Open", "TriggerPending", "Triggered", "Pending")
"""Statuses of an order that may still trade."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class System:
    """The installed platform."""

    cluster: Cluster
    kubectl: Kubectl
    endpoints: Endpoints


class Silent:
    """Shows nothing."""

    def step(self, text: str) -> None:
        """Nothing."""

    def live(self, follower: Follower, strategy: Json, world: Json) -> None:
        """Nothing."""


async def eventually(look: Callable[[], Awaitable[T]], good: Callable[[T], bool], what: str, seconds: float = 60) -> T:
    """The first look that is good.

    Raises:
        AssertionError: none within the time; shows the last one.
    """
    deadline = time.monotonic() + seconds
    while True:
        last = await look()
        if good(last):
            return last
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s; last seen: {last}"
        await asyncio.sleep(POLL_S)


def command_line(pid: int) -> bytes:
    """How a process was started; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@dataclass(slots=True)
class Strategy:
    """One strategy in a world of its own."""

    system: System
    control: httpx.AsyncClient
    trader: Trader
    world: Json
    account: Json
    id: str
    resource: str

    @property
    def namespace(self) -> str:
        """Namespace of the resource."""
        return self.resource.partition("/")[0]

    @property
    def name(self) -> str:
        """Name of the resource."""
        return self.resource.partition("/")[2]

    async def see(self) -> Json:
        """The strategy as the API shows it."""
        return await call(self.trader.client, "GET", f"/strategies/{self.id}")

    async def resource_now(self) -> Json:
        """The custom resource."""
        text = await run(self.system.kubectl, "-n", self.namespace, "get", "strategy", self.name, "-o", "json")
        return dict(json.loads(text))

    async def start_market(self, speed: float | None = None) -> None:
        """Let the market move."""
        body = {} if speed is None else {"speed": speed}
        await call(self.control, "POST", f"/worlds/{self.world['name']}/start", json=body)

    async def pause_market(self) -> None:
        """Let the market stand."""
        await call(self.control, "POST", f"/worlds/{self.world['name']}/pause")

    async def market(self) -> Json:
        """State and clock of the world."""
        return await call(self.control, "GET", f"/worlds/{self.world['name']}")

    async def book(self) -> Json:
        """What the exchange knows: orders, trades, positions."""
        return await call(self.control, "GET", f"/worlds/{self.world['name']}/book")

    async def phase(self, *wanted: str, seconds: float = 90) -> Json:
        """Wait for a phase."""
        return await eventually(self.see, lambda seen: seen["phase"] in wanted, f"phase {wanted}", seconds)

    async def final(self, seconds: float = 180) -> Json:
        """Wait for the end of the run."""
        return await eventually(self.see, lambda seen: bool(seen["final"]), "the end of the run", seconds)

    async def protected(self, seconds: float = 90) -> Json:
        """Wait for a bought and protected position."""
        return await eventually(
            self.see,
            lambda seen: seen["phase"] == "Bought" and condition(seen, "Protected") == "True",
            "a protected position",
            seconds,
        )

    async def pod(self, prefix: str) -> Json:
        """The runner's (`run`) or the gateway's (`gw`) pod."""
        name = f"run-{self.name}" if prefix == "run" else f"gw-{self.account['resource'].partition('/')[2]}"
        return dict(json.loads(await run(self.system.kubectl, "-n", self.namespace, "get", "pod", name, "-o", "json")))

    async def kill(self, prefix: str) -> None:
        """SIGKILL the Python process of a pod, from the machine."""
        uid = (await self.pod(prefix))["metadata"]["uid"]
        module = "algo_runner" if prefix == "run" else "algo_gateway"
        for pid in self.system.cluster.pod_processes(uid):
            if module.encode() in command_line(pid):
                os.kill(pid, signal.SIGKILL)

    async def crash_folder(self, prefix: str) -> str:
        """The pod's crash folder as the node sees it."""
        uid = (await self.pod(prefix))["metadata"]["uid"]
        kubelet = self.system.cluster.instance.state / "kubelet"
        folder = f"{kubelet}/pods/{uid}/volumes/kubernetes.io~empty-dir/crash"
        found = self.system.cluster.node_exec(["test", "-d", folder])
        assert found.returncode == 0, f"pod {uid} has no crash folder"
        return folder


@dataclass(slots=True)
class House:
    """A trader and the strategies that a test makes for it."""

    system: System
    control: httpx.AsyncClient
    trader: Trader
    worlds: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(cls, system: System) -> AsyncIterator["House"]:
        """A new trader; the tenant and every world are removed at the end."""
        async with control_client(system.endpoints.control, system.endpoints.control_token) as control:
            trader = await register(system.endpoints.api)
            house = cls(system, control, trader)
            try:
                yield house
            finally:
                await house.close()

    async def close(self) -> None:
        """Remove the tenant, then the worlds."""
        me = await call(self.trader.client, "GET", "/auth/me")
        tenant = str(me["tenant_id"]).replace("_", "-")
        for world in self.worlds:
            await call(self.control, "DELETE", f"/worlds/{world}")
        await run(self.system.kubectl, "delete", "tenant.algo.trading", tenant, "--wait=false", "--ignore-not-found")
        await self.trader.client.aclose()

    async def strategy(self, options: DemoOptions = OPTIONS, **changes: Any) -> Strategy:
        """A strategy that is Ready, in a market that stands still."""
        options = replace(options, **changes)
        world = await make_world(self.control, options)
        self.worlds.append(world["name"])
        account = await link_account(self.trader, world["account"], self.system.endpoints, self.control, world["name"])
        body = strategy_body(options, account["id"], world["exchange"])
        created = await call(self.trader.client, "POST", "/strategies", json=body)
        await wait_ready(self.trader, created["id"])
        return Strategy(
            system=self.system,
            control=self.control,
            trader=self.trader,
            world=world,
            account=account,
            id=created["id"],
            resource=created["resource"],
        )


def orders_of(book: Json) -> list[Json]:
    """The orders of the only account of a world."""
    (account,) = book["accounts"].values()
    return list(account["orders"])


def net_position(book: Json) -> int:
    """What the account holds by its fills."""
    signs = {"Buy": 1, "Sell": -1}
    return sum(signs[order["side"]] * order["filled"] for order in orders_of(book))


async def assert_flat(strategy: Strategy) -> None:
    """Nothing is held, soon, as the exchange knows it."""

    async def look() -> int:
        return net_position(await strategy.book())

    await eventually(look, lambda quantity: quantity == 0, "a flat book")


def bought(book: Json) -> int:
    """Shares bought over all orders: more than the strategy's quantity would be a duplicate."""
    return sum(order["filled"] for order in orders_of(book) if order["side"] == "Buy")


def assert_sound(book: Json, quantity: int) -> None:
    """No duplicate entry, nothing oversold, and whatever is held has a live sell for all of it."""
    held = net_position(book)
    assert bought(book) <= quantity
    assert held >= 0
    selling = sum(
        order["quantity"] - order["filled"]
        for order in orders_of(book)
        if order["side"] == "Sell" and order["status"] in LIVE
    )
    assert selling == held, f"{held} held, {selling} guarded: {orders_of(book)}"


__all__ = [
    "OPTIONS",
    "House",
    "Silent",
    "Strategy",
    "System",
    "assert_flat",
    "assert_sound",
    "bought",
    "eventually",
    "net_position",
    "orders_of",
]
