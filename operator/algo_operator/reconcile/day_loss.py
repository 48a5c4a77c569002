"""The tenant's loss of a day over all its strategies: where it reaches the limit, all of them exit for that day.

Each runner watches its own loss tick by tick, and takes the tenant's limit where it has none or a wider one. The sum
only the operator can see: it reads what the runners tell, at every change and at least with every sweep. What it finds
becomes a halt of the strategies of that day, live or paper, so that a loss of paper money closes no real position.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from algo_crds.contracts.money import format_price
from algo_crds.contracts.runtime import StrategySpec
from algo_crds.resources.tenant import tenant_namespace

from algo_operator.context import Context
from algo_operator.ports import RuntimeUnavailableError
from algo_operator.specs import StrategyHead, TenantSpec, strategy_head
from algo_operator.vocabulary import STRATEGY, TENANT, Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one strategy made of its day, in `Price` units."""

    live: bool
    day: str
    pnl: int


def with_limit(spec: StrategySpec, tenant: TenantSpec) -> StrategySpec:
    """The spec under the tenant's limit: one strategy alone may not lose more than all of them together."""
    limits = [limit for limit in (spec.max_loss_per_day, tenant.max_loss_per_day) if limit is not None]
    return msgspec.structs.replace(spec, max_loss_per_day=min(limits)) if limits else spec


def lost_of(results: Iterable[Result], *, live: bool, day: str) -> int:
    """The loss of a day over all strategies that trade on it; negative for a profit."""
    return -sum(result.pnl for result in results if (result.live, result.day) == (live, day))


async def loss_halt(context: Context, head: StrategyHead, tenant: TenantSpec, *, day: str) -> str | None:
    """The reason of the halt that the day's loss puts a strategy under, or None.

    Args:
        context: the operator's ports and memory.
        head: the strategy.
        tenant: its tenant.
        day: the strategy's trading day; empty if its runner has not told one: then the newest of the others.
    """
    memory, limit, namespace = context.memory, tenant.max_loss_per_day, tenant_namespace(tenant.name)
    if limit is None:
        memory.loss_limits.discard(namespace)
        return None
    memory.loss_limits.add(namespace)
    try:
        results = await _results(context, namespace)
    except RuntimeUnavailableError:
        results = []
    day = day or max((result.day for result in results if result.live is head.live), default="")
    _begin(context, tenant, live=head.live, day=day)
    known = memory.losses.get((namespace, head.live, day))
    if known is not None and known[0] == limit:
        return known[1]  # for the rest of the day, also if the exits were better than the last prices
    lost = lost_of(results, live=head.live, day=day)
    if not day or lost < limit:
        return None
    reason = (
        f"the loss of {day} over all strategies is {format_price(lost)} and has reached the limit of "
        f"{format_price(limit)}"
    )
    memory.losses[namespace, head.live, day] = (limit, reason)
    for strategy in await context.cluster.list(STRATEGY, namespace):
        if strategy_head(strategy).live is head.live:
            await context.tell(strategy, reason="DayLossLimit", message=reason, warning=True)
        context.wake(Key(STRATEGY, namespace, strategy["metadata"]["name"]))
    context.wake(Key(TENANT, "", tenant.name))
    return reason


def reached(context: Context, tenant: TenantSpec) -> str | None:
    """The losses of the newest day that have reached the limit now in force, in words; None if none has."""
    memory, namespace, told = context.memory, tenant_namespace(tenant.name), []
    for live, money in ((True, "real money"), (False, "paper money")):
        limit, reason = memory.losses.get((namespace, live, memory.days.get((namespace, live), "")), (None, ""))
        if limit is not None and limit == tenant.max_loss_per_day:
            told.append(f"{money}: {reason}")
    return "; ".join(told) or None


def _begin(context: Context, tenant: TenantSpec, *, live: bool, day: str) -> None:
    """Remembers the newest day; the tenant no longer shows the loss of the one before."""
    place = (tenant_namespace(tenant.name), live)
    before = context.memory.days.get(place, "")
    if day > before:
        context.memory.days[place] = day
        if before:
            context.wake(Key(TENANT, "", tenant.name))


async def _results(context: Context, namespace: str) -> list[Result]:
    heads = [strategy_head(one) for one in await context.cluster.list(STRATEGY, namespace)]
    views = await context.runtime.views([head.strategy_id for head in heads])
    return [
        Result(live=head.live, day=view.day, pnl=view.pnl)
        for head, view in zip(heads, views, strict=True)
        if view is not None
    ]
