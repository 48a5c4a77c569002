"""Whether the process still sees the world: watches that give signs of life and a loop that is not stuck.

A liveness endpoint that only says that the process runs would stay green while every watch is dead. Each watch counts
an event, a bookmark or a new request as a sign; the API server ends a request after its time-out, so a living watch
gives at least that one.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from algo_operator.metrics import LOOP_LAG_SECONDS, QUEUE_ACTIVE, QUEUE_FAILING, QUEUE_LENGTH, WATCH_AGE_SECONDS
from algo_operator.workqueue import WorkQueue

WATCH_LIMIT_SECONDS = 200.0
LAG_LIMIT_SECONDS = 10.0
_TICK_SECONDS = 0.5


@dataclass(slots=True)
class Health:
    """Signs of life, by watch."""

    monotonic: Callable[[], float] = time.monotonic
    signs: dict[str, float] = field(default_factory=dict)
    lag: float = 0.0
    ready: bool = False
    """Set once the watches run."""
    missed: dict[str, int] = field(default_factory=dict)
    """Changes that a resync found and a watch had not told, by kind, in a row."""

    def expect(self, watch: str) -> None:
        """From now on this watch must give signs."""
        self.signs.setdefault(watch, self.monotonic())

    def sign(self, watch: str) -> None:
        """A watch has given one."""
        self.signs[watch] = self.monotonic()

    def complaints(self) -> list[str]:
        """What is wrong, empty if nothing."""
        now, found = self.monotonic(), []
        for watch, at in self.signs.items():
            age = now - at
            WATCH_AGE_SECONDS.labels(kind=watch).set(age)
            if age > WATCH_LIMIT_SECONDS:
                found.append(f"the watch of {watch} has been silent for {int(age)} s")
        found += [f"the watch of {kind} misses changes" for kind, times in self.missed.items() if times >= 3]
        if self.lag > LAG_LIMIT_SECONDS:
            found.append(f"the event loop is {self.lag:.1f} s late")
        return found


async def measure_lag(health: Health, queue: WorkQueue) -> None:
    """Measures, until cancelled, how late the loop wakes; and keeps the queue's gauges."""
    while True:
        before = health.monotonic()
        await asyncio.sleep(_TICK_SECONDS)
        health.lag = max(0.0, health.monotonic() - before - _TICK_SECONDS)
        LOOP_LAG_SECONDS.set(health.lag)
        QUEUE_LENGTH.set(len(queue))
        QUEUE_ACTIVE.set(queue.active)
        QUEUE_FAILING.set(queue.failing)


def create_app(health: Health) -> web.Application:
    """`/healthz` (restart me), `/readyz` (I work), `/metrics`."""

    async def healthz(_: web.Request) -> web.Response:
        complaints = health.complaints()
        return web.Response(status=500 if complaints else 200, text="\n".join(complaints) or "ok")

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(status=200 if health.ready else 503, text="ok" if health.ready else "starting")

    async def metrics(_: web.Request) -> web.Response:
        health.complaints()
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app
