"""One runner from its start to its end: the only place that wires the parts together."""

import asyncio
import contextlib
import gc
import logging
import signal
import time
from collections.abc import Coroutine
from typing import Any, Final

from algo_crds.contracts import keys, wire
from algo_crds.contracts.runtime import RuntimeSpec, StrategyEvent

from algo_runner import crash_points
from algo_runner.engine.events import Command, Event, JournalHealth, SpecChanged
from algo_runner.events_out import create_events_out, notice
from algo_runner.fence import create_fence
from algo_runner.gateway_link import GatewayLink
from algo_runner.health import serve_health
from algo_runner.journal import create_journal
from algo_runner.lease import Lease
from algo_runner.leaving import OWN_REQUESTS, leave
from algo_runner.loop import EventLoop, Ports
from algo_runner.order_queue import create_order_queue
from algo_runner.recovery import Memory, remember
from algo_runner.redis_link import RedisAwayError, RedisLink, RedisRefusedError
from algo_runner.session_clock import SessionClock
from algo_runner.settings import Settings, SettingsError, Token, read_secret, runner_url
from algo_runner.spec_watch import SpecWatch
from algo_runner.spool import Spool
from algo_runner.state_store import StateStore

log: Final = logging.getLogger("algo_runner")
EXIT_CLEAN: Final = 0
EXIT_UNFINISHED: Final = 3
EXIT_EPOCH_LOST: Final = 4
"""A newer runner owns the strategy: nothing may be done any more."""
LAST_WRITE_S: Final = 2.0
_ANSWERS: Final = (wire.Accepted, wire.Rejected, wire.NotSent, wire.Unknown)


class Runner:
    """The parts of one process, and what happens between them."""

    def __init__(self, settings: Settings, token: Token) -> None:
        self._settings = settings
        self._token = token
        self._id = settings.strategy_id
        self._clock = SessionClock(monotonic=time.monotonic, wall=time.time)
        self._redis = RedisLink(
            host=settings.redis_host,
            port=settings.redis_port,
            database=settings.redis_database,
            username=settings.redis_username,
            password=self._password,
            channel=keys.notify(self._id),
            on_push=lambda payload: self._specs.notice(payload),
            on_state=self._redis_changed,
        )
        self._fence = create_fence(self._redis.call, strategy_id=self._id, epoch=token.claims.epoch)
        self._lease = Lease(
            self._fence, strategy_id=self._id, constants=settings.constants, on_change=self._lease_changed
        )
        self._spool = Spool(self._fence, notify=notice(self._id), is_connected=lambda: self._redis.connected)
        self._specs = SpecWatch(
            self._redis.call, strategy_id=self._id, on_spec=self._spec_changed, on_command=self._command
        )
        self._gateway = GatewayLink(
            url=runner_url(settings, token.claims),
            token=token.text,
            on_message=self._message,
            on_lost=self._gateway_lost,
        )
        self._spec: RuntimeSpec | None = None
        self._spec_known = asyncio.Event()
        self._loop: EventLoop | None = None
        self._store: StateStore | None = None
        self._early: list[Event] = []
        self._ending = asyncio.Event()
        self._exit_code = EXIT_CLEAN
        self._ready = False
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> int:
        """Until SIGTERM or the loss of the epoch; the result is the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ending.set)
        health = await serve_health(self._settings.health_port, alive=lambda: "", ready=self._not_ready)
        self._start(self._redis.run(), "redis")
        self._start(self._lease.run(), "lease")
        self._start(self._specs.run(), "specs")
        begun = await self._unless_ending(self._begin())
        if begun:
            gc.collect()
            gc.freeze()
            await self._ending.wait()
            await self._end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        health.close()
        return self._exit_code

    # Beginning and end

    async def _begin(self) -> None:
        await self._spec_known.wait()
        memory = await self._remember()
        self._specs.commands_after(memory.commands_id)
        self._store = StateStore(
            self._fence,
            strategy_id=self._id,
            clock=self._clock,
            unprotected=memory.unprotected,
            order_times=memory.order_times,
            commands_id=lambda: self._specs.commands_id,
            notify=notice(self._id),
        )
        journal = create_journal(self._fence, self._spool, strategy_id=self._id)
        events_out = create_events_out(self._spool, strategy_id=self._id)

        def publish(event: StrategyEvent) -> None:
            memory.order_times.observe(event)
            events_out(event)

        armed_points = crash_points.create_crash_points(self._settings.crash_dir)
        ports = Ports(
            send=self._gateway.send,
            journal_now=journal.now,
            journal_later=journal.later,
            publish=publish,
            queue=create_order_queue(self._spool, strategy_id=self._id),
            changed=self._store.changed,
            armed=self._armed,
            epoch_lost=self._epoch_lost,
            stop_at=armed_points,
            hang=self._hang,
        )
        self._loop = EventLoop(memory.state, clock=self._clock, ports=ports)
        self._start(self._store.run(), "state")
        self._start(self._gateway.run(), "gateway")

    async def _remember(self) -> Memory:
        assert self._spec is not None
        while True:
            try:
                return await remember(self._redis.call, self._spec)
            except (RedisAwayError, RedisRefusedError) as error:
                log.warning("memory not read yet: %s", error)
                await asyncio.sleep(0.1)

    async def _end(self) -> None:
        assert self._loop is not None
        assert self._store is not None
        if not self._loop.lost:
            limit = self._settings.constants.sigterm_ms / 1000
            left = await leave(self._loop, clock=self._clock, send=self._gateway.send, limit_s=limit)
            self._exit_code = EXIT_UNFINISHED if left else EXIT_CLEAN
        if not self._loop.lost:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WRITE_S):
                    await self._spool.flush()
                    await self._store.flush()
                    await self._lease.release()
        self._gateway.stop()

    async def _unless_ending(self, work: Coroutine[Any, Any, None]) -> bool:
        task = asyncio.ensure_future(work)
        ending = asyncio.ensure_future(self._ending.wait())
        await asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if not task.done():
            task.cancel()
            return False
        task.result()
        return True

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(self._task_done)
        self._tasks.append(task)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("the part %r failed", task.get_name(), exc_info=error)
            self._exit_code = 1
            self._ending.set()

    # What the parts tell each other

    def _password(self) -> str:
        try:
            return read_secret(self._settings.redis_password_file)
        except SettingsError as error:  # without Redis exits go on; the file may come back
            raise RedisAwayError(str(error)) from error

    def _message(self, message: wire.ToRunner) -> None:
        assert self._loop is not None
        if type(message) is wire.Tick:
            self._loop.post(message)
            return
        if isinstance(message, _ANSWERS) and message.req > OWN_REQUESTS:
            return
        self._loop.post(message)
        if isinstance(message, wire.Welcome):
            writable = self._lease.writable and not self._loop.leaving
            self._loop.post(JournalHealth(writable=writable, reason=self._lease.reason))
            early, self._early = self._early, []
            if self._spec is not None:
                self._loop.post(SpecChanged(spec=self._spec))
            for event in early:
                self._loop.post(event)

    def _tell(self, event: Event) -> None:
        """An event that did not come from the gateway: it needs the session's time, so it waits for the first
        Welcome."""
        if self._loop is not None and self._clock.known:
            self._loop.post(event)
        elif isinstance(event, Command):
            self._early.append(event)

    def _gateway_lost(self, reason: str) -> None:
        if self._loop is not None and self._clock.known:
            self._loop.connection_lost(reason)

    def _spec_changed(self, spec: RuntimeSpec) -> None:
        self._spec = spec
        self._spec_known.set()
        self._tell(SpecChanged(spec=spec))

    def _command(self, command: Command) -> None:
        self._tell(command)

    def _lease_changed(self, writable: bool, reason: str) -> None:
        log.info("journal %s%s", "writable" if writable else "not writable: ", reason)
        if self._loop is None or not self._loop.leaving:
            self._tell(JournalHealth(writable=writable, reason=reason))

    def _redis_changed(self, connected: bool) -> None:
        self._lease.redis_changed(connected)
        if connected:
            self._specs.poke()
            self._spool.poke()
            if self._store is not None:
                self._store.poke()

    def _armed(self, armed: bool) -> None:
        self._ready = armed
        log.info("armed" if armed else "not armed")

    def _epoch_lost(self, newest: int) -> None:
        log.error(
            "epoch %d is over, %d owns the strategy: this runner does nothing any more", self._fence.epoch, newest
        )
        self._exit_code = EXIT_EPOCH_LOST
        self._gateway.stop()
        self._ending.set()

    def _not_ready(self) -> str:
        if self._ready:
            return ""
        if self._spec is None:
            return "no spec read from Redis yet"
        return "reconciling" if self._gateway.connected else "no connection to the gateway"

    def _hang(self, point: str) -> None:
        assert self._settings.crash_dir is not None
        crash_points.hang(self._settings.crash_dir, point)
