"""The only module that imports kopf, and only as a watch: an event adds a key to the queue, and that is all.

No handler of kopf keeps state, returns a result or retries: `on.event` leaves resources untouched (no finalizer, no
annotation, no patch), and the queue does the rest. The settings follow measured traps: a worker limit would cap
throughput at limit / idle time-out, posting is serial, peering is no lock, scanning needs rights we do not want.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp
import kopf
from algo_crds.resources.metadata import GROUP

from algo_operator.health import Health
from algo_operator.vocabulary import OWN_KINDS, Key, Kind, Manifest

OnEvent = Callable[[Key, Manifest, str | None], None]
"""Called with key, object and type of event (None: from a list)."""

_SERVER_SECONDS: Final = 120
_CONNECTIONS: Final = 50
_STOP_SECONDS: Final = 5.0


def create_registry(on_event: OnEvent, health: Health) -> kopf.OperatorRegistry:
    """kopf's registry with one event handler a kind and the login."""
    registry = kopf.OperatorRegistry()
    for kind in OWN_KINDS:
        health.expect(kind.plural)
        kopf.on.event(GROUP, kind.plural, registry=registry, id=kind.plural)(_handler(kind, on_event, health))

    async def log_in(**kwargs: Any) -> kopf.AiohttpSession:
        info = kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
        if info is None:
            raise kopf.PermanentError("neither a service account nor a kubeconfig gives access to a cluster")
        return kopf.AiohttpSession(server=info.server, aiohttp_session=_session(info, health))

    kopf.on.login(registry=registry, id="login")(log_in)
    return registry


def _handler(kind: Kind, on_event: OnEvent, health: Health) -> Callable[..., Awaitable[None]]:
    async def handler(*, event: Mapping[str, Any], **_: Any) -> None:
        health.sign(kind.plural)
        resource: Manifest = dict(event["object"])
        metadata = resource["metadata"]
        on_event(Key(kind, metadata.get("namespace", ""), metadata["name"]), resource, event["type"])

    return handler


def _session(info: kopf.ConnectionInfo, health: Health) -> aiohttp.ClientSession:
    """A session with a bounded pool, which notes every watch request: a living watch opens one each time-out."""

    async def opened(_: Any, __: Any, params: aiohttp.TraceRequestEndParams) -> None:
        if params.url.query.get("watch") == "true" and params.response.status < 300:
            health.sign(params.url.path.rsplit("/", 1)[-1])

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(opened)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=info.as_ssl_context()),
        headers=info.as_http_headers(),
        trace_configs=[trace],
    )


def create_settings() -> kopf.OperatorSettings:
    """kopf's settings for a watch shell."""
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.queueing.worker_limit = None
    settings.queueing.idle_timeout = 1.0
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.enforce_retry_after = True
    settings.watching.server_timeout = _SERVER_SECONDS
    settings.watching.client_timeout = _SERVER_SECONDS + 10
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = 500
    settings.peering.standalone = True
    settings.persistence.finalizer = f"{GROUP}/unused"
    settings.execution.default_backoff = 1
    settings.process.ultimate_exiting_timeout = 20
    return settings


async def run_shell(on_event: OnEvent, health: Health) -> None:
    """Watches until cancelled. Returning or raising before that means that kopf has given up: the process must end.

    kopf runs in a thread and loop of its own: it takes over signals and cancels foreign tasks of its loop when it ends.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    stop, ready = threading.Event(), threading.Event()

    def forward(key: Key, resource: Manifest, change: str | None) -> None:
        loop.call_soon_threadsafe(on_event, key, resource, change)

    def finish(error: BaseException | None) -> None:
        if ended.done():
            return
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(RuntimeError(f"kopf has ended: {error!r}"))

    def work() -> None:
        error: BaseException | None = None
        try:
            registry, settings = create_registry(forward, health), create_settings()
            kopf.run(
                registry=registry,
                settings=settings,
                standalone=True,
                clusterwide=True,
                stop_flag=stop,
                ready_flag=ready,
            )
        except BaseException as caught:
            error = caught
        with contextlib.suppress(RuntimeError):  # our loop may be closed by then
            loop.call_soon_threadsafe(finish, error)

    threading.Thread(target=work, name="kopf", daemon=True).start()
    try:
        await _until_ready(ready, ended)
        health.ready = True
        await asyncio.shield(ended)
    finally:
        stop.set()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_STOP_SECONDS):
                await asyncio.shield(ended)


async def _until_ready(ready: threading.Event, ended: "asyncio.Future[None]") -> None:
    while not ready.is_set() and not ended.done():  # noqa: ASYNC110 (the flag is another thread's)
        await asyncio.sleep(0.05)
