"""The main job, step by step: world, trader, account, strategy, pod, session, result.

The steps are the same for `make up`, `algo demo` and the cluster tests; a `Progress` says what happens.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx

from algo_local.demo.accounts import link_account, link_paper, new_account
from algo_local.demo.cleanup import Made, clean_up, remove_world
from algo_local.demo.endpoints import Endpoints, Kubectl
from algo_local.demo.options import SYNTHETIC_DAY, DemoOptions, instrument_of
from algo_local.demo.recordings import find_recording
from algo_local.demo.result import Follower, build_result
from algo_local.demo.services import Json, ServiceError, Trader, call, control_client, follow, register

PAPER = "paper"
TITLES = {"zerodha": "Zerodha", "dhan": "Dhan", "fyers": "Fyers", "angelone": "Angel One"}
READY_SECONDS = 90.0
STALL_SECONDS = 180.0
TAIL_SECONDS = 5.0
DRAIN_SECONDS = 1.5
"""Wall time for the last events to come through Redis and the API."""
_POLL_SECONDS = 0.25


class Progress(Protocol):
    """Whoever shows a run."""

    def step(self, text: str) -> None:
        """A step begins."""

    def live(self, follower: Follower, strategy: Json, world: Json) -> None:
        """The market moved; called about four times a second of wall time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """All that exists before the market moves."""

    endpoints: Endpoints
    control: httpx.AsyncClient
    trader: Trader
    world: Json
    account: Json
    strategy: Json


class NotReadyError(RuntimeError):
    """The strategy did not become Ready; the message says what its resource says."""


async def make_world(control: httpx.AsyncClient, options: DemoOptions) -> Json:
    """A world of its own, ticks uploaded, and what the account at its broker will be; none for a paper account."""
    recording = find_recording(options.ticks, options.symbol) if options.ticks else None
    day = recording.day if recording else SYNTHETIC_DAY
    exchange = instrument_of(options.symbol, day).exchange
    name = f"demo-{secrets.token_hex(4)}"
    account = None if options.broker == PAPER else new_account(options.broker)
    body = {
        "name": name,
        "date": day,
        "symbols": [f"{exchange}:{options.symbol}"],
        "speed": options.speed,
        "seed": options.seed,
        "accounts": [],
    }
    try:
        world = await call(control, "POST", "/worlds", json=body)
        if recording:
            path = f"/worlds/{name}/ticks/{exchange}/{options.symbol}"
            await call(control, "PUT", path, content=recording.path.read_bytes())
    except BaseException:  # stopped by hand, too
        await remove_world(control, name)
        raise
    return {**world, "name": name, "account": account, "exchange": exchange}


def strategy_body(options: DemoOptions, account_id: str, exchange: str) -> Json:
    """The request that creates the strategy."""
    stop: Json = {}
    if options.stop_price is not None:
        stop = {"price": str(options.stop_price)}
    elif options.stop_points is not None:
        stop = {"points": str(options.stop_points)}
    elif options.stop_percent is not None:
        stop = {"percent": str(options.stop_percent)}
    body: Json = {
        "exchange": exchange,
        "symbol": options.symbol,
        "quantity": options.quantity,
        "buy_time": options.buy_time,
        "sell_time": options.sell_time,
        "stop_loss": stop,
        "mode": "Paper" if options.broker == PAPER else "Live",
        "repeat": options.repeat,
        "broker_account_id": account_id,
    }
    if options.target_percent is not None:
        body["target"] = {"percent": str(options.target_percent)}
    return body


async def wait_ready(trader: Trader, strategy_id: str) -> Json:
    """The strategy once its runner has reconciled and is subscribed.

    Raises:
        NotReadyError: not within 90 s.
    """
    deadline = time.monotonic() + READY_SECONDS
    strategy: Json = {}
    while time.monotonic() < deadline:
        strategy = await call(trader.client, "GET", f"/strategies/{strategy_id}")
        if condition(strategy, "Ready") == "True":
            return strategy
        await asyncio.sleep(_POLL_SECONDS)
    raise NotReadyError(
        f"strategy {strategy_id} is not Ready after {READY_SECONDS:.0f} s: {strategy.get('conditions')}; "
        "see: algo logs, algo kubectl get pods -A"
    )


def condition(strategy: Json, name: str) -> str | None:
    """Status of one condition."""
    for entry in strategy.get("conditions") or []:
        if entry.get("type", entry.get("name")) == name:
            return str(entry["status"])
    return None


async def _account(
    kubectl: Kubectl,
    endpoints: Endpoints,
    control: httpx.AsyncClient,
    trader: Trader,
    world: Json,
    options: DemoOptions,
    progress: Progress,
) -> Json:
    if options.broker == PAPER:
        progress.step("the trader opens a paper account on this market")
        return await link_paper(kubectl, trader, world["name"])
    progress.step(f"the trader links a simulated {TITLES[options.broker]} account and logs in at the broker")
    return await link_account(trader, world["account"], endpoints, control, world["name"])


@contextlib.asynccontextmanager
async def prepared(
    kubectl: Kubectl, endpoints: Endpoints, options: DemoOptions, progress: Progress
) -> AsyncIterator[Stage]:
    """Everything in place and the market still standing; removed at the end unless `keep`."""
    async with control_client(endpoints.control, endpoints.control_token) as control:
        progress.step("a market of its own at the simulated exchange")
        world = await make_world(control, options)
        made = Made(world=world["name"])
        try:
            progress.step("a trader registers")
            trader = await register(endpoints.api, made.register)
            account = await _account(kubectl, endpoints, control, trader, world, options, progress)
            progress.step("the trader creates a strategy; the operator makes it a pod")
            body = strategy_body(options, account["id"], world["exchange"])
            strategy = await call(trader.client, "POST", "/strategies", json=body)
            made.strategy = strategy["id"]
            strategy = await wait_ready(trader, strategy["id"])
            yield Stage(
                endpoints=endpoints,
                control=control,
                trader=trader,
                world=world,
                account=account,
                strategy=strategy,
            )
        finally:
            if not options.keep:
                progress.step("market and trader are removed")
                await clean_up(kubectl, control, made, progress.step)
            if made.trader is not None:
                await made.trader.client.aclose()


async def _listen(trader: Trader, strategy_id: str, follower: Follower) -> None:
    """Keep the stream open; a broken connection resumes after the last id seen."""
    while True:
        try:
            async for event in follow(trader, strategy_id, follower.last_id):
                follower.take(event)
        except (httpx.TransportError, httpx.StreamError):
            await asyncio.sleep(_POLL_SECONDS)


def session_seconds(world: Json) -> float:
    """The world's own time, in seconds since the epoch."""
    now = world["now"]
    return now / 1000 if isinstance(now, int | float) else datetime.fromisoformat(now).timestamp()


async def watch_session(stage: Stage, progress: Progress) -> tuple[Follower, Json, Json]:
    """Start the market and follow it until 5 session seconds after the run is final, or the market has ended.

    Raises:
        ServiceError: the market stood still for three minutes.
    """
    name, strategy_id = stage.world["name"], stage.strategy["id"]
    follower = Follower()
    listener = asyncio.create_task(_listen(stage.trader, strategy_id, follower))
    try:
        world = await call(stage.control, "POST", f"/worlds/{name}/start")
        final_at: float | None = None
        moved, moved_at = session_seconds(world), time.monotonic()
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            world = await call(stage.control, "GET", f"/worlds/{name}")
            strategy = await call(stage.trader.client, "GET", f"/strategies/{strategy_id}")
            progress.live(follower, strategy, world)
            now = session_seconds(world)
            if now > moved:
                moved, moved_at = now, time.monotonic()
            final_at = final_at or (now if strategy.get("final") else None)
            if world["state"] == "ended" or (final_at is not None and now >= final_at + TAIL_SECONDS):
                await asyncio.sleep(DRAIN_SECONDS)
                strategy = await call(stage.trader.client, "GET", f"/strategies/{strategy_id}")
                return follower, strategy, world
            if time.monotonic() - moved_at > STALL_SECONDS:
                raise ServiceError(f"the market of {name} has stood still for {STALL_SECONDS:.0f} s; see: algo logs")
    finally:
        listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener


async def run_demo(kubectl: Kubectl, endpoints: Endpoints, options: DemoOptions, progress: Progress) -> dict[str, Any]:
    """One whole run; the result as in `algo demo --json`."""
    async with prepared(kubectl, endpoints, options, progress) as stage:
        progress.step("the market opens")
        follower, strategy, world = await watch_session(stage, progress)
        return build_result(follower, strategy, world, stage.account["broker"])
