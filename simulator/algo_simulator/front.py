"""The guard around every route of a simulated broker.

It finds the caller, counts limits, plays the fault switches, holds answers back or loses them, checks the address of
writes, and turns every failure into the broker's own shape. A broker gives only its shapes, its limits, how a caller is
found and how a payload is wrapped; then it adds its routes:

    front = Front(worlds, broker="zerodha", shapes=SHAPES, rules=RULES, identify=identify, answer=answer)
    front.read("GET", "/orders", call)               # call(caller, request, body) -> payload or response
    front.write("POST", "/orders/{variety}", call)   # place, modify, cancel: address, faults and latency of writes
    front.todo("GET", "/alerts")                     # documented, answered with `shapes.not_simulated`
    front.bare("GET", "/connect/login", handler)     # no caller yet: logins, files, sockets
    front.sockets(Sockets(dialect))                  # its updates and ticks follow the worlds of this process
    app = front.app
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Middleware

from algo_simulator.accounts import Account
from algo_simulator.clock import Clock
from algo_simulator.faults import use
from algo_simulator.sockets import Sockets
from algo_simulator.windows import Rules, Window, Windows
from algo_simulator.worlds import Worlds

LOG: Final = logging.getLogger(__name__)
MAX_BODY: Final = 1024 * 1024


class ShapedError(Exception):
    """A refusal in a broker's own terms; each broker has one subclass that holds what its `Shapes.refused` needs."""


class Caller(NamedTuple):
    """The account behind a call, and its world's clock."""

    clock: Clock
    account: Account

    @property
    def now(self) -> int:
        """The world's time."""
        return self.clock.world.now


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Call = Callable[[Caller, web.Request, bytes], object]
"""One route: the payload (wrapped by `answer`) or a whole response; raises the broker's `ShapedError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """How a broker words what the guard refuses. All but `refused` make the error; `refused` renders any of them."""

    refused: Callable[[web.Request, ShapedError], web.StreamResponse]
    too_many: Callable[[web.Request, Window | None], ShapedError]
    """Over a limit; None: by a fault switch."""
    failure: Callable[[web.Request, int], ShapedError]
    """The order system is in trouble: the HTTP status of the fault switch."""
    bad_address: Callable[[web.Request, str], ShapedError]
    """An order call from an address that is not registered."""
    http: Callable[[web.Request, web.HTTPException], ShapedError]
    """404, 405, 413 and what a route raises of aiohttp's own."""
    crash: Callable[[web.Request], ShapedError]
    """The simulator itself failed; its log says why."""
    not_simulated: Callable[[web.Request], ShapedError]
    """A documented route that is not simulated."""


class Front:
    """One broker's application. Limits are counted per account, by the world's clock while it runs."""

    def __init__(
        self,
        worlds: Worlds,
        *,
        broker: str,
        shapes: Shapes,
        rules: Rules,
        identify: Callable[[web.Request], Caller],
        answer: Callable[[object], web.StreamResponse],
    ) -> None:
        self.worlds = worlds
        self.broker = broker
        self.shapes = shapes
        self.app = web.Application(middlewares=[_shaped(shapes)], client_max_size=MAX_BODY)
        self._rules = rules
        self._identify = identify
        self._answer = answer
        self._windows: dict[Account, Windows] = {}
        self._sockets: list[Sockets] = []
        worlds.on_account.append(self._watch)
        worlds.on_delete.append(self._forget)

    def read(self, method: str, path: str, call: Call, *groups: str) -> None:
        """Add a route that changes nothing; `groups` are the limits it counts into."""
        self.app.router.add_route(method, path, self._guarded(call, groups, write=False))

    def write(self, method: str, path: str, call: Call, *groups: str, address: bool = True) -> None:
        """Add a route that places, changes or cancels; `address`: only from registered addresses."""
        self.app.router.add_route(method, path, self._guarded(call, groups, write=True, address=address))

    def todo(self, method: str, path: str, *groups: str) -> None:
        """Add a documented route that is not simulated: it says so in the broker's shape."""

        def call(_: Caller, request: web.Request, __: bytes) -> object:
            raise self.shapes.not_simulated(request)

        self.read(method, path, call, *groups)

    def bare(self, method: str, path: str, handler: Handler) -> None:
        """Add a route without a caller; errors still get the broker's shape."""
        self.app.router.add_route(method, path, handler)

    def sockets(self, sockets: Sockets) -> Sockets:
        """Let a kind of socket follow the accounts of this broker."""
        self._sockets.append(sockets)
        return sockets

    def windows(self, account: Account) -> Windows:
        """The account's counts, for limits that only a route itself can count."""
        return self._windows.setdefault(account, Windows(self._rules))

    def take(self, request: web.Request, caller: Caller, *groups: str) -> None:
        """Count a call into groups.

        Raises:
            ShapedError: over a cap.
        """
        for group in groups:
            over = self.windows(caller.account).take(group, caller.clock.limit_clock())
            if over is not None:
                raise self.shapes.too_many(request, over)

    def check_address(self, request: web.Request, caller: Caller) -> None:
        """For routes that only sometimes ask for a registered address.

        Raises:
            ShapedError: the call comes from another one.
        """
        account = caller.account
        remote, registered = request.remote or "", account.spec.registered_addresses
        if account.faults.refuse_address or (registered and remote not in registered):
            raise self.shapes.bad_address(request, remote)

    def _watch(self, clock: Clock, account: Account) -> None:
        if account.spec.broker == self.broker:
            for sockets in self._sockets:
                sockets.watch(clock, account)

    def _forget(self, clock: Clock) -> None:
        for account in clock.world.accounts.values():
            self._windows.pop(account, None)
        for sockets in self._sockets:
            sockets.forget(clock)

    def _guarded(self, call: Call, groups: tuple[str, ...], *, write: bool, address: bool = False) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            caller = self._identify(request)
            account, world = caller.account, caller.clock.world
            account.open_calls += 1
            try:
                body = await request.read()
                self._admit(request, caller, groups, address=address)
                if use(account.faults, "fail_before" if write else "fail_reads"):
                    await world.hold(account, account.faults.latency_ms)
                    raise self.shapes.failure(request, account.faults.fail_status)
                world.prepare()
                payload = call(caller, request, body)
                if write:
                    await self._maybe_lost(request, caller)
                latency = account.faults.latency_ms + (account.faults.order_latency_ms if write else 0)
                await world.hold(account, latency)
                if write and use(account.faults, "fail_after"):
                    raise self.shapes.failure(request, account.faults.fail_status)
                return payload if isinstance(payload, web.StreamResponse) else self._answer(payload)
            finally:
                account.open_calls -= 1
                world.touch()

        return handler

    def _admit(self, request: web.Request, caller: Caller, groups: tuple[str, ...], *, address: bool) -> None:
        account = caller.account
        if use(account.faults, "rate_limit"):
            raise self.shapes.too_many(request, None)
        self.take(request, caller, *groups)
        if address:
            self.check_address(request, caller)

    async def _maybe_lost(self, request: web.Request, caller: Caller) -> None:
        """The write was carried out; its answer never arrives."""
        faults = caller.account.faults
        if not use(faults, "lose_answers"):
            return
        await caller.clock.world.hold(caller.account, faults.lost_after_ms)
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("answer lost by a fault switch")


def _shaped(shapes: Shapes) -> Middleware:
    """Around every route and every path that is none: failures leave in the broker's shape."""

    @web.middleware
    async def shaped(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except ShapedError as error:
            return shapes.refused(request, error)
        except web.HTTPRedirection:
            raise
        except web.HTTPException as error:
            return shapes.refused(request, shapes.http(request, error))
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception:
            LOG.exception("%s %s failed", request.method, request.path)
            return shapes.refused(request, shapes.crash(request))

    return shaped
