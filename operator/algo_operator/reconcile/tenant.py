"""Tenant: namespace, quota, policies, bindings, key, paper account; and on deletion the order strategies, accounts,
namespace."""

from algo_crds.resources.conditions import DELETING, READY
from algo_crds.resources.tenant import tenant_namespace

from algo_operator.context import Context, create_once, ensure, hold, release
from algo_operator.metrics import WRITES
from algo_operator.observed import is_deleting
from algo_operator.problem import Problem
from algo_operator.reconcile.day_loss import reached
from algo_operator.reconcile.quota import LOOK_AGAIN_SECONDS, UNCOUNTED, ensure_quota
from algo_operator.render import tenant as render
from algo_operator.render.metadata import digest
from algo_operator.render.policies import render_policies
from algo_operator.specs import TenantSpec, tenant_of_namespace, tenant_spec
from algo_operator.status.conditions import Condition, merge
from algo_operator.vocabulary import (
    BROKER_ACCOUNT,
    NAMESPACE,
    STRATEGY,
    TENANT,
    Key,
    Kind,
    Manifest,
)
from algo_operator.workqueue import Done

_AGAIN_SECONDS = 3.0
DAY_LOSS = "DayLossLimit"


async def reconcile_tenant(context: Context, key: Key) -> Done:
    """One pass over a Tenant."""
    tenant = await context.cluster.get(TENANT, "", key.name)
    if tenant is None:
        return Done()
    if is_deleting(tenant):
        return await _delete(context, tenant)
    tenant = await hold(context, tenant)
    spec = tenant_spec(tenant)
    problem = await _problem(context, spec)
    if problem is None:
        problem = await _objects(context, spec)
    strategies = await context.cluster.list(STRATEGY, tenant_namespace(spec.name))
    await _wake(context, key, spec, strategies)
    await context.status.write(tenant, _status(context, tenant, spec, problem, len(strategies)))
    return Done(again=LOOK_AGAIN_SECONDS) if problem is not None and problem.reason == UNCOUNTED else Done()


async def _problem(context: Context, spec: TenantSpec) -> Problem | None:
    """A namespace of that name that is somebody else's is never taken over."""
    namespace = await context.cluster.get(NAMESPACE, "", tenant_namespace(spec.name))
    if namespace is None or tenant_of_namespace(namespace) == spec.name:
        ending = namespace is not None and is_deleting(namespace)
        message = f"namespace {tenant_namespace(spec.name)} is being deleted; it is made again when it is gone"
        return Problem(reason="NamespaceEnding", message=message) if ending else None
    message = f"namespace {tenant_namespace(spec.name)} exists and is not this tenant's: rename one of the two"
    return Problem(reason="NamespaceTaken", message=message)


async def _objects(context: Context, spec: TenantSpec) -> Problem | None:
    tenant = render.TenantInput(
        name=spec.name, owner=spec.owner, max_strategies=spec.max_strategies, cpu=spec.cpu, memory=spec.memory
    )
    settings = context.settings
    await ensure(context, render.render_namespace(tenant))
    for binding in render.render_bindings(tenant, settings.tenancy, settings.namespace):
        await ensure(context, binding)
    policies = render_policies(tenant, system_namespace=settings.namespace, dns_cidrs=settings.tenancy.dns_cidrs)
    key = render.render_key(tenant, context.tokens.public_key)
    for desired in (*policies, render.render_limit_range(tenant), key):
        await ensure(context, desired)
    problem = await ensure_quota(context, render.render_quota(tenant))
    if settings.simulator is not None:
        await create_once(context, render.render_first_source(tenant))
        await create_once(context, render.render_paper_account(tenant))
    return problem


async def _wake(context: Context, key: Key, spec: TenantSpec, strategies: list[Manifest]) -> None:
    """A halt, a limit or a new namespace concerns every account and strategy."""
    if not context.changed(key, digest([spec.halt, spec.owner, spec.max_loss_per_day])):
        return
    namespace = tenant_namespace(spec.name)
    for account in await context.cluster.list(BROKER_ACCOUNT, namespace):
        context.wake(Key(BROKER_ACCOUNT, namespace, account["metadata"]["name"]))
    for strategy in strategies:
        context.wake(Key(STRATEGY, namespace, strategy["metadata"]["name"]))


def _status(context: Context, tenant: Manifest, spec: TenantSpec, problem: Problem | None, strategies: int) -> Manifest:
    generation = int(tenant["metadata"].get("generation", 0))
    if problem is None:
        ready = Condition(type=READY, status="True", reason="Reconciled", message="the namespace is set up")
    else:
        ready = Condition(type=READY, status="False", reason=problem.reason, message=problem.message)
    limited = spec.max_loss_per_day is not None
    told = [ready, _day_loss(context, spec)] if limited else [ready]
    current = tenant.get("status", {}).get("conditions", [])
    drop = () if limited else (DAY_LOSS,)
    status: Manifest = {
        "conditions": merge(current, told, generation=generation, now=context.now_text(), drop=drop),
        "tenantId": spec.tenant_id,
        "namespace": tenant_namespace(spec.name),
        "observedGeneration": generation,
        "halted": spec.halt is not None,
        "strategies": strategies,
    }
    if problem is not None:
        status["message"] = problem.message
    return status


def _day_loss(context: Context, spec: TenantSpec) -> Condition:
    lost = reached(context, spec)
    if lost is None:
        return Condition(
            type=DAY_LOSS, status="False", reason="WithinLimit", message="the day's loss is below the limit"
        )
    return Condition(type=DAY_LOSS, status="True", reason="Reached", message=lost)


async def _delete(context: Context, tenant: Manifest) -> Done:
    """Strategies are flat before their gateway goes, gateways before the namespace, the namespace before the Tenant."""
    name = tenant["metadata"]["name"]
    namespace = tenant_namespace(name)
    for kind, what in ((STRATEGY, "strategies"), (BROKER_ACCOUNT, "accounts")):
        left = await context.cluster.list(kind, namespace)
        if left:
            await _delete_all(context, kind, namespace, left)
            await _say(context, tenant, f"waits for {len(left)} {what} to end")
            return Done(again=_AGAIN_SECONDS)
    found = await context.cluster.get(NAMESPACE, "", namespace)
    if found is not None and tenant_of_namespace(found) == name:
        if not is_deleting(found):
            await context.cluster.delete(NAMESPACE, "", namespace, uid=found["metadata"]["uid"])
            WRITES.labels(kind="Namespace", verb="delete").inc()
        await _say(context, tenant, "waits for the namespace to end")
        return Done(again=_AGAIN_SECONDS)
    await release(context, tenant)
    return Done()


async def _delete_all(context: Context, kind: Kind, namespace: str, found: list[Manifest]) -> None:
    for one in found:
        if not is_deleting(one):
            metadata = one["metadata"]
            await context.cluster.delete(kind, namespace, metadata["name"], uid=metadata["uid"])
            WRITES.labels(kind=kind.kind, verb="delete").inc()


async def _say(context: Context, tenant: Manifest, message: str) -> None:
    generation = int(tenant["metadata"].get("generation", 0))
    current = tenant.get("status", {})
    deleting = Condition(type=DELETING, status="True", reason="Waiting", message=message)
    merged = merge(current.get("conditions", []), [deleting], generation=generation, now=context.now_text())
    await context.status.write(tenant, {**current, "conditions": merged, "message": message})
