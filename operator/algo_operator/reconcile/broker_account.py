"""BrokerAccount: session Secret and its Role, Redis user, gateway pod and Service, halts, status."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from algo_crds.contracts.account_state import Alert
from algo_crds.resources.conditions import BROKER_SESSION

from algo_operator.context import Context, create_once, ensure, ensure_from, hold, in_background, release
from algo_operator.decisions import Exposure, PodAction, PodDecision, decide_pod, exposure
from algo_operator.metrics import POD_REPLACEMENTS, WRITES
from algo_operator.observed import PodState, condition_status, is_deleting, node_is_gone, pod_state
from algo_operator.ports import RuntimeUnavailableError
from algo_operator.problem import Problem
from algo_operator.reconcile.nodes import look_at_node
from algo_operator.reconcile.session import hand_on, version_of, with_session
from algo_operator.reconcile.strategy_view import simulator_problem
from algo_operator.redis_users import gateway_user
from algo_operator.render import gateway as render
from algo_operator.render.metadata import digest
from algo_operator.render.runner import decode_secret
from algo_operator.specs import (
    AccountSpec,
    SourceSpec,
    TenantSpec,
    account_spec,
    source_spec,
    strategy_head,
    tenant_of_namespace,
    tenant_spec,
)
from algo_operator.status.account import AccountSaid, account_status
from algo_operator.status.writer import key_of
from algo_operator.vocabulary import (
    ANNOTATION_TEMPLATE,
    BROKER_ACCOUNT,
    MARKET_DATA_SOURCE,
    NAMESPACE,
    POD,
    SECRET,
    STRATEGY,
    TENANT,
    Key,
    Manifest,
    gateway_name,
)
from algo_operator.workqueue import Done


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedAccount:
    """The world around one BrokerAccount."""

    account: Manifest
    spec: AccountSpec
    tenant: TenantSpec | None
    source: SourceSpec | None
    problem: Problem | None
    strategies: tuple[Manifest, ...]
    exposed_names: tuple[str, ...]
    """Strategies of this account that may hold shares."""
    state: Mapping[str, str] | None
    """The gateway's hash; None when Redis does not answer."""
    pod_object: Manifest | None
    pod: PodState | None
    session: Manifest | None
    """The session Secret."""
    node: Manifest | None
    node_lost: bool

    @property
    def exposed(self) -> Exposure:
        """Whether any strategy of the account may hold shares."""
        return Exposure.OPEN if self.exposed_names else Exposure.FLAT

    @property
    def halts(self) -> tuple[str, ...]:
        """Reasons of the halts in force."""
        named = (("tenant", self.tenant.halt if self.tenant else None), ("account", self.spec.halt))
        return tuple(f"{who}: {reason}" for who, reason in named if reason is not None)


async def reconcile_broker_account(context: Context, key: Key) -> Done:
    """One pass over a BrokerAccount."""
    account = await context.cluster.get(BROKER_ACCOUNT, key.namespace, key.name)
    if account is None:
        await _forget(context, key)
        return Done()
    seen = await observe_account(context, account)
    context.memory.remember(key, seen.spec.account_id)
    if is_deleting(account):
        account = await in_background(context, account)
        if not seen.exposed_names:
            await release(context, account)
            return Done()
    else:
        account = await hold(context, account)
    decision = PodDecision(action=PodAction.NONE)
    if seen.tenant is not None and (seen.problem is None or seen.pod is not None):
        decision = await _objects(context, seen)
    told = await _tell_halts(context, key, seen)
    await _tell_alert(context, key, seen)
    _wake_strategies(context, key, seen)
    await _write_status(context, seen, account, decision)
    return Done(again=_again(seen, decision, told=told))


async def observe_account(context: Context, account: Manifest) -> ObservedAccount:
    """Reads everything once."""
    cluster, spec = context.cluster, account_spec(account)
    namespace = account["metadata"]["namespace"]
    tenant_name = tenant_of_namespace(await cluster.get(NAMESPACE, "", namespace))
    tenant = await cluster.get(TENANT, "", tenant_name) if tenant_name else None
    source = await cluster.get(MARKET_DATA_SOURCE, namespace, spec.source) if spec.paper else None
    strategies = [one for one in await cluster.list(STRATEGY, namespace) if strategy_head(one).account == spec.name]
    state, exposed = await _runtime(context, spec, strategies)
    pod_object = await cluster.get(POD, namespace, gateway_name(spec.name))
    pod = pod_state(pod_object)
    node, lost = await _node(context, pod, exposed)
    return ObservedAccount(
        account=account,
        spec=spec,
        tenant=tenant_spec(tenant) if tenant else None,
        source=source_spec(source) if source else None,
        problem=_problem(context, spec, tenant, source, namespace),
        strategies=tuple(strategies),
        exposed_names=exposed,
        state=state,
        pod_object=pod_object,
        pod=pod,
        session=await cluster.get(SECRET, namespace, spec.session_secret),
        node=node,
        node_lost=lost,
    )


async def _runtime(
    context: Context, spec: AccountSpec, strategies: list[Manifest]
) -> tuple[Mapping[str, str] | None, tuple[str, ...]]:
    """The gateway's state and the strategies that may hold shares. Without Redis all that ever ran may."""
    try:
        state: Mapping[str, str] | None = (await context.runtime.accounts([spec.account_id]))[0]
        views = await context.runtime.views([strategy_head(one).strategy_id for one in strategies])
    except RuntimeUnavailableError:
        state, views = None, [None] * len(strategies)
    exposed = []
    for strategy, view in zip(strategies, views, strict=True):
        status = strategy.get("status", {})
        minted = bool(status.get("runner", {}).get("epoch"))
        running = bool(status.get("runner", {}).get("pod")) or "position" in status
        if exposure(view, minted=minted, started=running) is not Exposure.FLAT:
            exposed.append(str(strategy["metadata"]["name"]))
    return state, tuple(exposed)


async def _node(context: Context, pod: PodState | None, exposed: tuple[str, ...]) -> tuple[Manifest | None, bool]:
    if pod is None or not pod.node or (not exposed and pod.deadline is None):
        return None, False
    return await look_at_node(context, pod)


def _problem(
    context: Context, spec: AccountSpec, tenant: Manifest | None, source: Manifest | None, namespace: str
) -> Problem | None:
    if tenant is None:
        message = f"namespace {namespace} belongs to no Tenant: accounts live in a tenant's namespace (algo-...)"
        return Problem(reason="NoTenant", message=message)
    if spec.paper and source is None:
        message = f"there is no MarketDataSource {spec.source} in this namespace: make one, or name another"
        return Problem(reason="SourceNotFound", message=message)
    if source is not None and not source_spec(source).world:
        message = f"MarketDataSource {spec.source} is a live feed; a paper account needs one of replay or synthetic"
        return Problem(reason="SourceNotSupported", message=message)
    return simulator_problem(spec, context)


async def _objects(context: Context, seen: ObservedAccount) -> PodDecision:
    """Everything the gateway needs, then the gateway."""
    gateway = _gateway_input(context, seen)
    tenancy, namespace = context.settings.tenancy, context.settings.namespace
    await create_once(context, render.render_session_secret(gateway))
    await ensure(context, render.render_session_role(gateway))
    account, binding_namespace = tenancy.api_service_account, namespace
    await ensure(
        context,
        render.render_session_binding(gateway, service_account=account, service_namespace=binding_namespace),
    )
    await _credentials(context, gateway)
    await ensure(context, render.render_gateway_service(gateway))
    return await _pod(context, seen, gateway)


def _gateway_input(context: Context, seen: ObservedAccount) -> render.GatewayInput:
    spec = seen.spec
    assert seen.tenant is not None
    shared = context.settings.redis.shared_username
    return render.GatewayInput(
        account=seen.account,
        account_id=spec.account_id,
        tenant=seen.tenant.name,
        broker=spec.broker,
        client_id=spec.client_id,
        environment=spec.environment,
        session_secret=spec.session_secret,
        source_id=seen.source.source_id if seen.source else spec.account_id,
        world=seen.source.world if seen.source else "",
        orders_per_second=spec.orders_per_second,
        egress_proxy=spec.egress_proxy,
        registered_address=spec.registered_address,
        algo_id=spec.algo_id,
        redis_username=shared or f"gw-{spec.account_id}",
    )


async def _credentials(context: Context, gateway: render.GatewayInput) -> None:
    name = gateway_name(gateway.name)
    secret = await context.cluster.get(SECRET, gateway.namespace, name)
    password = context.shared_password or decode_secret(secret, "password") or secrets.token_urlsafe(32)
    desired = render.render_gateway_secret(gateway, password=password, world_token=context.world_token)
    await ensure_from(context, desired, secret)
    try:
        await context.runtime.ensure_user(gateway_user(gateway.account_id, gateway.source_id, password))
    except RuntimeUnavailableError:
        return


async def _pod(context: Context, seen: ObservedAccount, gateway: render.GatewayInput) -> PodDecision:
    pod = render.render_gateway_pod(gateway, context.settings.pods, context.settings.simulator)
    decision = decide_pod(
        seen.pod,
        wanted=True,
        template=pod["metadata"]["annotations"][ANNOTATION_TEMPLATE],
        exposed=seen.exposed,
        node_lost=seen.node_lost,
        may_force=_may_force(seen, gateway),
        now=context.clock(),
    )
    name = gateway_name(gateway.name)
    if decision.action is PodAction.CREATE:
        await context.cluster.create(with_session(pod, seen.session))
        WRITES.labels(kind="Pod", verb="create").inc()
        await context.tell(seen.account, reason="GatewayCreated", message=f"gateway pod {name} created")
    elif decision.action in {PodAction.DELETE, PodAction.FORCE_DELETE}:
        assert seen.pod is not None
        grace = 0 if decision.action is PodAction.FORCE_DELETE else None
        await context.cluster.delete(POD, gateway.namespace, name, uid=seen.pod.uid, grace=grace)
        WRITES.labels(kind="Pod", verb="delete").inc()
        POD_REPLACEMENTS.labels(kind="gateway", reason=decision.reason).inc()
        reason = f"Gateway{decision.reason}"
        await context.tell(seen.account, reason=reason, message=decision.message, warning=True)
    elif seen.pod_object is not None and seen.pod is not None and seen.pod.deadline is None:
        await hand_on(context, seen.pod_object, seen.session)
    return decision


def _may_force(seen: ObservedAccount, gateway: render.GatewayInput) -> bool:
    """Whether a second gateway could do no harm: no real money, a fencing proxy, or the first is certainly gone."""
    if gateway.simulated or gateway.egress_proxy:
        return True
    return seen.pod is not None and bool(seen.pod.node) and seen.node_lost and node_is_gone(seen.node)


async def _tell_halts(context: Context, key: Key, seen: ObservedAccount) -> bool:
    """Tells the gateway process the halts in force, once a process and once a change. False: must be tried again."""
    if seen.pod is None or not seen.pod.running or seen.pod.deadline is not None:
        return True
    wanted = (seen.pod.instance, seen.halts)
    if context.memory.halts_told.get(key) == wanted:
        return True
    url = context.settings.gateway_url_template.format(name=gateway_name(key.name), namespace=key.namespace)
    if not await context.push_halts(url=url, reasons=seen.halts):
        return False
    context.memory.halts_told[key] = wanted
    if seen.halts:
        message = "entries are blocked, positions are closed: " + "; ".join(seen.halts)
        await context.tell(seen.account, reason="Halted", message=message, warning=True)
    return True


async def _tell_alert(context: Context, key: Key, seen: ObservedAccount) -> None:
    """The gateway's newest error becomes an event of the resource, once."""
    text = (seen.state or {}).get("alert", "")
    if not text or context.memory.alerts_told.get(key) == text:
        return
    context.memory.alerts_told[key] = text
    try:
        alert = msgspec.json.decode(text, type=Alert)
    except msgspec.MsgspecError:  # another version's
        return
    await context.tell(seen.account, reason=alert.code, message=alert.message, warning=True)


def _wake_strategies(context: Context, key: Key, seen: ObservedAccount) -> None:
    """Strategies look again when something they depend on has changed."""
    problem = seen.problem.reason if seen.problem else ""
    spec = seen.spec
    print_ = digest([spec.account_id, spec.broker, spec.environment, seen.halts, problem, is_deleting(seen.account)])
    if context.changed(key, print_):
        for strategy in seen.strategies:
            context.wake(Key(STRATEGY, key.namespace, strategy["metadata"]["name"]))


async def _write_status(context: Context, seen: ObservedAccount, account: Manifest, decision: PodDecision) -> None:
    gone = decision.action in {PodAction.DELETE, PodAction.FORCE_DELETE, PodAction.CREATE}
    there = decision.action is PodAction.CREATE or (seen.pod is not None and not gone)
    said = AccountSaid(
        spec=seen.spec,
        simulated=seen.spec.paper or seen.spec.environment == render.SIMULATOR_ENVIRONMENT,
        problem=seen.problem,
        pod=None if gone else seen.pod,
        pod_name=gateway_name(seen.spec.name) if there else None,
        halted=bool(seen.halts),
        deleting=is_deleting(account),
        waiting_for=seen.exposed_names,
    )
    now_ms = int(context.clock() * 1000)
    status = account_status(account, seen.state, said, now=context.now_text(), now_ms=now_ms)
    if condition_status(status["conditions"], BROKER_SESSION) == "False":
        context.memory.awaiting_login[key_of(account)] = (seen.spec.session_secret, version_of(seen.session))
    else:
        context.memory.awaiting_login.pop(key_of(account), None)
    await context.status.write(account, status)


async def _forget(context: Context, key: Key) -> None:
    identifier = context.memory.ids.get(key)
    if identifier is not None:
        await context.runtime.drop_user(f"gw-{identifier}")
    context.memory.forget(key)


def _again(seen: ObservedAccount, decision: PodDecision, *, told: bool) -> float | None:
    waits = [decision.again]
    if not told:
        waits.append(1.0)
    if is_deleting(seen.account) or seen.state is None:
        waits.append(5.0)
    if decision.action in {PodAction.DELETE, PodAction.FORCE_DELETE}:
        waits.append(2.0)
    known = [wait for wait in waits if wait is not None]
    return min(known) if known else None
