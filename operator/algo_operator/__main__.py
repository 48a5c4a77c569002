"""`python -m algo_operator`: wires the parts, waits for the lease, and ends as soon as any part ends.

A supervisor that restarts parts would hide a dead watch; the process is cheap to restart and writes nothing when
nothing differs.
"""

import asyncio
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import uvloop
from aiohttp import web
from algo_crds.resources.tenant import TENANT_PREFIX

from algo_operator.cluster import open_cluster
from algo_operator.context import Context
from algo_operator.election import Election
from algo_operator.events import create_recorder
from algo_operator.halts import create_push
from algo_operator.health import Health, create_app, measure_lag
from algo_operator.kopf_shell import run_shell
from algo_operator.reconcile.dispatch import create_reconcile
from algo_operator.reconcile.session import session_loop
from algo_operator.resync import Told, resync_loop
from algo_operator.runtime import connect, create_runtime
from algo_operator.settings import Settings, SettingsError, load_settings
from algo_operator.status.feed import listen, sweep_loop
from algo_operator.status.writer import create_status_writer
from algo_operator.tokens import SigningKeyError, create_tokens, load_signing_key
from algo_operator.vocabulary import STRATEGY, TENANT, Key, Manifest
from algo_operator.watch import WATCHED, watch_children
from algo_operator.workqueue import Priority, WorkQueue

logger = logging.getLogger(__name__)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Runs the operator until `stop`, or until one of its parts fails (which raises)."""
    async with AsyncExitStack() as stack:
        tokens = create_tokens(load_signing_key(settings.signing_key_file))
        cluster = await stack.enter_async_context(open_cluster())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        redis = connect(settings.redis)
        stack.push_async_callback(redis.aclose)
        queue = WorkQueue()
        context = Context(
            cluster=cluster,
            runtime=create_runtime(redis, manage_users=settings.redis.manage_users),
            tokens=tokens,
            settings=settings,
            status=create_status_writer(cluster, later=queue.add_later),
            tell=create_recorder(cluster, identity=settings.identity),
            queue=queue,
            push_halts=create_push(session, tokens),
            world_token=_read(settings.simulator.token_file) if settings.simulator else "",
            shared_password=_read(settings.redis.shared_password_file),
        )
        health = Health()
        await _serve_health(stack, settings, health)
        election = Election(cluster=cluster, namespace=settings.namespace, identity=settings.identity)
        if settings.leader_election and not await _elected(election, stop):
            return
        await _work(context, redis, health, election, stop)
        if settings.leader_election:
            await election.give_up()


async def _elected(election: Election, stop: asyncio.Event) -> bool:
    """Waits for the lease; False if asked to stop meanwhile."""
    waiting = asyncio.create_task(election.acquire())
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if waiting in done:
            await waiting
        return waiting in done
    finally:
        waiting.cancel()
        stopping.cancel()


async def _work(context: Context, redis: "object", health: Health, election: Election, stop: asyncio.Event) -> None:
    told, queue, settings = Told(), context.queue, context.settings

    def on_event(key: Key, resource: Manifest, change: str | None) -> None:
        told.event(key, resource, deleted=change == "DELETED")
        queue.add(key, Priority.RESYNC if change is None else Priority.CHANGED)
        if key.kind is STRATEGY and change in {"ADDED", "DELETED"} and key.namespace.startswith(TENANT_PREFIX):
            queue.add(Key(TENANT, "", key.namespace.removeprefix(TENANT_PREFIX)))  # its count of strategies

    parts = {
        "shell": run_shell(on_event, health),
        "queue": queue.run(create_reconcile(context), settings.workers),
        "resync": resync_loop(context, told, health),
        "listen": listen(context, redis),  # type: ignore[arg-type]
        "sweep": sweep_loop(context),
        "sessions": session_loop(context),
        "lag": measure_lag(health, queue),
        **{kind.plural: watch_children(context.cluster, kind, wake=queue.add, health=health) for kind in WATCHED},
    }
    if settings.leader_election:
        parts["lease"] = election.hold()
    tasks = {asyncio.create_task(part, name=name) for name, part in parts.items()}
    await _until_one_ends(tasks, stop)


async def _until_one_ends(tasks: "set[asyncio.Task[None]]", stop: asyncio.Event) -> None:
    """Waits for the stop or the end of any part; then ends all.

    Raises:
        RuntimeError: a part has ended by itself.
    """
    stopping = asyncio.create_task(stop.wait(), name="stop")
    done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, stopping):
        task.cancel()
    results = await asyncio.gather(*tasks, stopping, return_exceptions=True)
    if stopping in done or stop.is_set():
        return
    errors = [one for one in results if isinstance(one, Exception)]
    names = ", ".join(task.get_name() for task in done)
    raise RuntimeError(f"a part of the operator has ended: {names}") from (errors[0] if errors else None)


async def _serve_health(stack: AsyncExitStack, settings: Settings, health: Health) -> None:
    runner = web.AppRunner(create_app(health), access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "0.0.0.0", settings.health_port).start()  # noqa: S104 (the kubelet probes the pod's address)


def _read(path: str) -> str:
    return Path(path).read_text().strip() if path else ""


def main() -> None:
    """The process."""
    logging.basicConfig(
        level=os.environ.get("LOG_LEVEL", "INFO"), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("kopf").setLevel(logging.WARNING)

    async def _main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await run(load_settings(), stop)

    try:
        uvloop.run(_main())
    except (SettingsError, SigningKeyError) as error:
        logger.error("%s", error)
        sys.exit(2)
    except Exception:
        logger.exception("the operator ends and must be restarted")
        logging.shutdown()
        os._exit(1)  # a part that does not end must not keep a half-dead operator alive


if __name__ == "__main__":
    main()
