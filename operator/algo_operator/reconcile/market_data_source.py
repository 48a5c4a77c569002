"""MarketDataSource: only a status and a wake-up; a source has no process of its own, the gateways read it."""

from algo_crds.resources.conditions import READY

from algo_operator.context import Context
from algo_operator.problem import Problem
from algo_operator.render.metadata import digest
from algo_operator.specs import SourceSpec, account_spec, source_spec
from algo_operator.status.conditions import Condition, merge
from algo_operator.vocabulary import BROKER_ACCOUNT, MARKET_DATA_SOURCE, Key
from algo_operator.workqueue import Done


async def reconcile_market_data_source(context: Context, key: Key) -> Done:
    """One pass over a MarketDataSource."""
    source = await context.cluster.get(MARKET_DATA_SOURCE, key.namespace, key.name)
    spec = source_spec(source) if source else None
    await _wake_accounts(context, key, spec)
    if source is None or spec is None:
        return Done()
    problem, source_id = await _checked(context, key, spec)
    if problem is None:
        ready = Condition(type=READY, status="True", reason="Usable", message="the source can be used")
    else:
        ready = Condition(type=READY, status="False", reason=problem.reason, message=problem.message)
    generation = int(source["metadata"].get("generation", 0))
    current = source.get("status", {}).get("conditions", [])
    status = {
        "conditions": merge(current, [ready], generation=generation, now=context.now_text()),
        "sourceId": source_id,
        "observedGeneration": generation,
        **({"message": problem.message} if problem else {}),
    }
    await context.status.write(source, status)
    return Done()


async def _checked(context: Context, key: Key, spec: SourceSpec) -> tuple[Problem | None, str]:
    """Whether it can be used, and its id: a live feed has the id of its account."""
    if not spec.account:
        if context.settings.simulator is not None:
            return None, spec.source_id
        message = "worlds need the simulator, which this installation has switched off"
        return Problem(reason="SimulatorDisabled", message=message), spec.source_id
    account = await context.cluster.get(BROKER_ACCOUNT, key.namespace, spec.account)
    if account is None:
        message = f"there is no BrokerAccount {spec.account} in this namespace: make one, or name another"
        return Problem(reason="AccountNotFound", message=message), spec.source_id
    return None, account_spec(account).account_id


async def _wake_accounts(context: Context, key: Key, spec: SourceSpec | None) -> None:
    if not context.changed(key, digest([spec.source_id, spec.world] if spec else None)):
        return
    for account in await context.cluster.list(BROKER_ACCOUNT, key.namespace):
        found = account_spec(account)
        if found.paper and found.source == key.name:
            context.wake(Key(BROKER_ACCOUNT, key.namespace, found.name))
