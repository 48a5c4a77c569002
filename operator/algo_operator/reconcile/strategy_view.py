"""Observes all that a Strategy's reconcile decides from, and checks that its references hold.

Redis may be away: then the view is unknown, which is never taken for flat.
"""

from dataclasses import dataclass

from algo_crds.contracts.runtime import StrategySpec, StrategyView

from algo_operator.context import Context
from algo_operator.decisions import Exposure, exposure
from algo_operator.observed import PodState, is_deleting, pod_state
from algo_operator.ports import RuntimeUnavailableError
from algo_operator.problem import Problem
from algo_operator.reconcile.day_loss import loss_halt, with_limit
from algo_operator.reconcile.nodes import look_at_node
from algo_operator.render.gateway import SIMULATOR_ENVIRONMENT
from algo_operator.specs import (
    AccountSpec,
    StrategyHead,
    TenantSpec,
    account_spec,
    owner_of,
    strategy_head,
    tenant_of_namespace,
    tenant_spec,
)
from algo_operator.status.translation import translate_spec
from algo_operator.vocabulary import (
    BROKER_ACCOUNT,
    NAMESPACE,
    POD,
    SECRET,
    TENANT,
    Manifest,
    runner_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The world around one Strategy."""

    strategy: Manifest
    head: StrategyHead
    tenant: TenantSpec | None
    account: AccountSpec | None
    spec: StrategySpec | None
    problem: Problem | None
    pod_object: Manifest | None
    pod: PodState | None
    secret: Manifest | None
    view: StrategyView | None
    redis_up: bool
    node_lost: bool
    minted: int
    """The last epoch given out; 0: none."""
    exposed: Exposure
    loss: str | None
    """Why the day's loss of the tenant halts it; None if it does not."""
    heard: bool
    """The runner has taken in the newest generation, or there is none that could act."""

    @property
    def deleting(self) -> bool:
        """Whether the Strategy is being deleted."""
        return is_deleting(self.strategy)

    @property
    def halts(self) -> tuple[str, ...]:
        """Reasons of the halts in force."""
        tenant = self.tenant.halt if self.tenant else None
        account = self.account.halt if self.account else None
        named = (("tenant", tenant), ("tenant", self.loss), ("account", account))
        return tuple(f"{who}: {reason}" for who, reason in named if reason is not None)

    @property
    def held(self) -> int | None:
        """Shares held as far as anybody knows; None if nobody does."""
        if self.view is not None:
            return self.view.held
        if self.exposed is Exposure.FLAT:
            return 0
        quantity = self.strategy.get("status", {}).get("position", {}).get("quantity")
        return None if quantity is None else int(quantity)


async def observe(context: Context, strategy: Manifest) -> Observed:
    """Reads everything once."""
    cluster, head = context.cluster, strategy_head(strategy)
    tenant = await _tenant(context, head.namespace)
    account_object = await cluster.get(BROKER_ACCOUNT, head.namespace, head.account)
    account = account_spec(account_object) if account_object else None
    pod_object = await cluster.get(POD, head.namespace, runner_name(head.name))
    secret = await cluster.get(SECRET, head.namespace, runner_name(head.name))
    pod = pod_state(pod_object)
    view, redis_up = await _view(context, head.strategy_id)
    status = strategy.get("status", {})
    minted = int(status.get("runner", {}).get("epoch", 0))
    exposed = exposure(view, minted=bool(minted), started=_may_have_traded(pod, status))
    spec, problem = _checked(strategy, head, tenant, account, account_object, context)
    if problem is None and tenant is not None:
        problem = await _foreign_owner(context, strategy, tenant)
    return Observed(
        strategy=strategy,
        head=head,
        tenant=tenant,
        account=account,
        spec=spec,
        problem=problem,
        pod_object=pod_object,
        pod=pod,
        secret=secret,
        view=view,
        redis_up=redis_up,
        node_lost=exposed is not Exposure.FLAT and await _node_lost(context, head.strategy_id, pod),
        minted=minted,
        exposed=exposed,
        loss=await loss_halt(context, head, tenant, day=view.day if view is not None else "") if tenant else None,
        heard=_heard(strategy, pod, view, minted=minted, exposed=exposed),
    )


async def _tenant(context: Context, namespace: str) -> TenantSpec | None:
    name = tenant_of_namespace(await context.cluster.get(NAMESPACE, "", namespace))
    tenant = await context.cluster.get(TENANT, "", name) if name else None
    return tenant_spec(tenant) if tenant else None


async def _view(context: Context, strategy_id: str) -> tuple[StrategyView | None, bool]:
    try:
        return (await context.runtime.views([strategy_id]))[0], True
    except RuntimeUnavailableError:
        return None, False


def _may_have_traded(pod: PodState | None, status: Manifest) -> bool:
    """Whether a runner ever ran. With no pod to look at it may have: a new one is started to find out."""
    traces = status.get("phase") in {"Bought", "Sold", "Failed"} or "position" in status or "protectedSince" in status
    return traces or pod is None or pod.started_ever


def _heard(
    strategy: Manifest, pod: PodState | None, view: StrategyView | None, *, minted: int, exposed: Exposure
) -> bool:
    """Whether no runner can act any more on an older wish.

    A view of an older epoch says nothing about the runner that lives now: it may be about to enter.
    """
    if not minted:
        return True
    if exposed is Exposure.FLAT and pod is not None and not pod.started_ever:
        return True
    if view is None:
        return exposed is Exposure.FLAT
    if pod is None and strategy.get("status", {}).get("phase") in {"Stopped", "Failed"}:
        return True
    return view.epoch >= minted and view.generation >= int(strategy["metadata"].get("generation", 0))


def _checked(
    strategy: Manifest,
    head: StrategyHead,
    tenant: TenantSpec | None,
    account: AccountSpec | None,
    account_object: Manifest | None,
    context: Context,
) -> tuple[StrategySpec | None, Problem | None]:
    try:
        spec = translate_spec(strategy)
    except ValueError as error:
        return None, Problem(reason="InvalidSpec", message=f"the spec cannot be used: {error}")
    if tenant is not None:
        spec = with_limit(spec, tenant)
    return spec, _reference_problem(head, tenant, account, account_object, context)


def _reference_problem(
    head: StrategyHead,
    tenant: TenantSpec | None,
    account: AccountSpec | None,
    account_object: Manifest | None,
    context: Context,
) -> Problem | None:
    if tenant is None:
        message = f"namespace {head.namespace} belongs to no Tenant: strategies live in a tenant's namespace (algo-...)"
        return Problem(reason="NoTenant", message=message)
    if account is None or account_object is None:
        message = f"there is no BrokerAccount {head.account} in this namespace: make one, or name another"
        return Problem(reason="AccountNotFound", message=message)
    if is_deleting(account_object):
        return Problem(reason="AccountDeleted", message=f"BrokerAccount {head.account} is being deleted")
    if head.live == account.paper:
        wanted = "mode Paper" if account.paper else "mode Live"
        kind = "a paper account" if account.paper else f"a {account.broker} account"
        message = f"BrokerAccount {head.account} is {kind}: set {wanted}, or name another account"
        return Problem(reason="ModeMismatch", message=message)
    return simulator_problem(account, context)


def simulator_problem(account: AccountSpec, context: Context) -> Problem | None:
    """Why an account that needs the simulator cannot have it."""
    if not (account.paper or account.environment == SIMULATOR_ENVIRONMENT) or context.settings.simulator is not None:
        return None
    message = f"BrokerAccount {account.name} needs the simulator, which this installation has switched off"
    return Problem(reason="SimulatorDisabled", message=message)


async def _foreign_owner(context: Context, resource: Manifest, tenant: TenantSpec) -> Problem | None:
    """A resource in one tenant's namespace must not be another tenant owner's: his data would show up there."""
    owner = owner_of(resource, tenant)
    if owner == tenant.owner:
        return None
    others = await context.cluster.list(TENANT)
    foreign = [other for other in others if other["spec"].get("owner") == owner]
    if not foreign:
        return None
    name = foreign[0]["metadata"]["name"]
    message = f"the annotation algo.trading/user names the owner of another tenant ({name}): move it to that tenant"
    return Problem(reason="ForeignOwner", message=message)


async def _node_lost(context: Context, strategy_id: str, pod: PodState | None) -> bool:
    """Whether the node of a pod does not answer. A runner that still renews its lease in Redis is alive."""
    if pod is None or not pod.node:
        return False
    try:
        _, silent = await context.runtime.missing([strategy_id])
        if not silent:
            return False
    except RuntimeUnavailableError:
        pass
    _, lost = await look_at_node(context, pod)
    return lost
