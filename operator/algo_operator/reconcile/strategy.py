"""Strategy: spec and user in Redis, epoch, token, runner pod, status; and the finalizer that waits for flat."""

import secrets

from algo_crds.contracts.runtime import Desired, RuntimeSpec

from algo_operator.context import Context, ensure_from, hold, in_background, release
from algo_operator.decisions import (
    Exposure,
    PodAction,
    PodDecision,
    decide_pod,
    decide_release,
    desired_of,
    runner_wanted,
)
from algo_operator.metrics import EPOCHS, POD_REPLACEMENTS, STUCK_DELETIONS, WRITES
from algo_operator.observed import pod_state, unix_seconds
from algo_operator.ports import RuntimeUnavailableError
from algo_operator.reconcile.second_sell import take_word
from algo_operator.reconcile.strategy_view import Observed, observe
from algo_operator.redis_users import runner_user
from algo_operator.render.runner import RunnerInput, decode_secret, render_runner_pod, render_runner_secret
from algo_operator.status.strategy import Said, strategy_status
from algo_operator.vocabulary import ANNOTATION_ABANDON, ANNOTATION_TEMPLATE, POD, STRATEGY, Key, Manifest, runner_name
from algo_operator.workqueue import Done

_RETRY_REDIS_SECONDS = 5.0
_DELETING_SECONDS = 10.0


async def reconcile_strategy(context: Context, key: Key) -> Done:
    """One pass over a Strategy."""
    strategy = await context.cluster.get(STRATEGY, key.namespace, key.name)
    if strategy is None:
        await _forget(context, key)
        return Done()
    seen = await observe(context, strategy)
    _remember(context, key, seen)
    if seen.deleting:
        strategy = await in_background(context, strategy)
        if await _released(context, key, seen, strategy):
            return Done()
    else:
        strategy = await hold(context, strategy)
    desired = desired_of(deleting=seen.deleting, running=seen.head.running, keep_on_stop=seen.head.keep_on_stop)
    strategy, forced = await take_word(context, seen, strategy)
    redis_up = await _publish(context, seen, desired, forced) and seen.redis_up
    strategy, decision = await _runner(context, seen, strategy, desired)
    await _write_status(context, key, seen, strategy, desired, decision)
    return Done(again=_again(seen, decision, redis_up=redis_up))


def _remember(context: Context, key: Key, seen: Observed) -> None:
    memory, identifier = context.memory, seen.head.strategy_id
    memory.remember(key, identifier)
    if seen.exposed is Exposure.FLAT:
        memory.exposed.discard(identifier)
    else:
        memory.exposed.add(identifier)


async def _forget(context: Context, key: Key) -> None:
    identifier = context.memory.ids.get(key)
    if identifier is not None:
        await context.runtime.drop_user(f"run-{identifier}")
        await context.runtime.forget(identifier)
    context.memory.forget(key)


async def _released(context: Context, key: Key, seen: Observed, strategy: Manifest) -> bool:
    """Takes the finalizer off if the strategy may go."""
    metadata = strategy["metadata"]
    verdict = decide_release(
        exposed=seen.exposed,
        heard=seen.heard,
        live=seen.head.live,
        held=seen.held,
        abandon=metadata.get("annotations", {}).get(ANNOTATION_ABANDON),
        deleted_at=unix_seconds(metadata["deletionTimestamp"]),
        deadline_seconds=context.settings.deletion_deadline_seconds,
        now=context.clock(),
    )
    if verdict.stuck and key not in context.memory.stuck:
        context.memory.stuck.add(key)
        await context.tell(strategy, reason="DeletionStuck", message=verdict.message, warning=True)
    if verdict.release:
        context.memory.stuck.discard(key)
        await context.tell(strategy, reason="Released", message=verdict.message)
        try:
            await context.runtime.drop_user(f"run-{seen.head.strategy_id}")
            await context.runtime.forget(seen.head.strategy_id)
        except RuntimeUnavailableError:
            pass  # the resync removes users that belong to nothing
        await release(context, strategy)
    STUCK_DELETIONS.set(len(context.memory.stuck))
    return verdict.release


async def _publish(context: Context, seen: Observed, desired: Desired, forced: str) -> bool:
    """Writes the runtime spec. False if Redis does not answer."""
    if seen.spec is None or seen.tenant is None:
        return True
    spec = RuntimeSpec(
        strategy_id=seen.head.strategy_id,
        tenant_id=seen.tenant.tenant_id,
        name=f"{seen.head.namespace}/{seen.head.name}",
        generation=int(seen.strategy["metadata"].get("generation", 0)),
        spec=seen.spec,
        desired=desired,
        halts=seen.halts,
        deleting=seen.deleting,
        force_second_sell=forced,
    )
    try:
        await context.runtime.put_spec(spec)
    except RuntimeUnavailableError:
        return False
    return True


async def _runner(
    context: Context, seen: Observed, strategy: Manifest, desired: Desired
) -> tuple[Manifest, PodDecision]:
    """Decides about the pod and does it. Returns the Strategy, whose status may hold a new epoch."""
    if seen.account is None or seen.tenant is None:
        return strategy, PodDecision(action=PodAction.NONE)
    runner = _runner_input(context, seen)
    wanted_pod = render_runner_pod(runner, context.settings.pods, epoch=0)
    wanted = runner_wanted(
        desired=desired,
        valid=seen.problem is None,
        exposed=seen.exposed,
        heard=seen.heard,
        minted=bool(seen.minted),
    )
    decision = decide_pod(
        seen.pod,
        wanted=wanted,
        template=wanted_pod["metadata"]["annotations"][ANNOTATION_TEMPLATE],
        exposed=seen.exposed,
        node_lost=seen.node_lost,
        may_force=True,  # the order door serves the newest epoch only
        now=context.clock(),
    )
    if decision.action is PodAction.CREATE:
        strategy, epoch = await _mint(context, seen, strategy)
        await _credentials(context, seen, runner, epoch)
        await _create(context, strategy, render_runner_pod(runner, context.settings.pods, epoch=epoch))
    elif decision.action in {PodAction.DELETE, PodAction.FORCE_DELETE}:
        await _delete(context, seen, strategy, decision)
    elif seen.pod is not None:
        await _credentials(context, seen, runner, seen.pod.epoch)
    return strategy, decision


def _runner_input(context: Context, seen: Observed) -> RunnerInput:
    assert seen.tenant is not None
    shared = context.settings.redis.shared_username
    return RunnerInput(
        strategy=seen.strategy,
        strategy_id=seen.head.strategy_id,
        tenant=seen.tenant.name,
        account=seen.head.account,
        exchange=seen.head.exchange,
        symbol=seen.head.symbol,
        product=seen.head.product,
        redis_username=shared or f"run-{seen.head.strategy_id}",
    )


async def _mint(context: Context, seen: Observed, strategy: Manifest) -> tuple[Manifest, int]:
    """A new epoch, stored before the pod exists; also above what the last runner told, should the status be lost."""
    epochs, identifier = context.memory.epochs, seen.head.strategy_id
    known = max(epochs.get(identifier, 0), seen.view.epoch if seen.view is not None else 0)
    strategy, epoch = await context.status.mint(strategy, known=known)
    epochs[identifier] = epoch
    EPOCHS.inc()
    return strategy, epoch


async def _credentials(context: Context, seen: Observed, runner: RunnerInput, epoch: int) -> None:
    """The Secret with password and token, and the Redis user. Redis may be away: the resync makes the user later."""
    assert seen.account is not None
    password = context.shared_password or decode_secret(seen.secret, "password") or secrets.token_urlsafe(32)
    token = context.tokens.sign_runner(
        strategy_id=seen.head.strategy_id,
        account_id=seen.account.account_id,
        epoch=epoch,
        exchange=seen.head.exchange,
        symbol=seen.head.symbol,
        product=seen.head.product,
    )
    secret = render_runner_secret(runner, password=password, token=token, epoch=epoch)
    await ensure_from(context, secret, seen.secret)
    try:
        await context.runtime.ensure_user(runner_user(seen.head.strategy_id, password))
    except RuntimeUnavailableError:
        return


async def _create(context: Context, strategy: Manifest, pod: Manifest) -> None:
    await context.cluster.create(pod)
    WRITES.labels(kind="Pod", verb="create").inc()
    epoch = strategy["status"]["runner"]["epoch"]
    await context.tell(strategy, reason="RunnerCreated", message=f"runner pod created with epoch {epoch}")


async def _delete(context: Context, seen: Observed, strategy: Manifest, decision: PodDecision) -> None:
    assert seen.pod is not None
    grace = 0 if decision.action is PodAction.FORCE_DELETE else None
    name = runner_name(seen.head.name)
    await context.cluster.delete(POD, seen.head.namespace, name, uid=seen.pod.uid, grace=grace)
    WRITES.labels(kind="Pod", verb="delete").inc()
    POD_REPLACEMENTS.labels(kind="runner", reason=decision.reason).inc()
    await context.tell(
        strategy, reason=f"Runner{decision.reason}", message=decision.message, warning=decision.reason != "NotNeeded"
    )


async def _write_status(
    context: Context, key: Key, seen: Observed, strategy: Manifest, desired: Desired, decision: PodDecision
) -> None:
    created = decision.action is PodAction.CREATE
    pod = pod_state(seen.pod_object)
    gone = decision.action in {PodAction.DELETE, PodAction.FORCE_DELETE, PodAction.NONE}
    said = Said(
        strategy_id=seen.head.strategy_id,
        desired=desired,
        problem=seen.problem,
        exposed=seen.exposed,
        heard=seen.heard,
        deleting=seen.deleting,
        stuck=key in context.memory.stuck,
        pod_name=runner_name(seen.head.name) if created or (pod is not None and not gone) else None,
        pod=None if created or gone else pod,
        halts=seen.halts,
    )
    status = strategy_status(strategy, seen.view, said, now=context.now_text())
    await context.status.write(strategy, status)


def _again(seen: Observed, decision: PodDecision, *, redis_up: bool) -> float | None:
    waits = [decision.again]
    if seen.deleting:
        waits.append(_DELETING_SECONDS)
    if not redis_up:
        waits.append(_RETRY_REDIS_SECONDS)
    if decision.action in {PodAction.DELETE, PodAction.FORCE_DELETE}:
        waits.append(2.0)
    known = [wait for wait in waits if wait is not None]
    return min(known) if known else None
